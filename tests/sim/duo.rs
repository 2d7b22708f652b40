//! The Duo Admin API, as far as reading people and groups goes: stateful, signed, paged, limited.
//!
//! What Duo's public clients and documentation show is the default. What they leave open is a switch, so that a client
//! can be tried against every answer that a real tenant might give.

mod answer;
mod api;
mod signature;
mod switch;
mod world;

pub use signature::{Refusal, Scheme, Signable};
pub use switch::{Category, Ends, IntegrationKind, MemberShape, Numbers, Switches, Totals, Trashed, UnknownIds};
pub use world::{DuoWorld, SimGroup, SimPerson};

use std::collections::BTreeMap;

use signature::Check;

use super::wire::{Answer, Request, Service};

/// The integration key of a new simulator.
pub const INTEGRATION_KEY: &str = "DISIMULATOR000000001";
/// The secret key of a new simulator.
pub const SECRET_KEY: &str = "simulatedSecretKey0000000000000000000001";

/// One simulated Duo tenant with one integration.
pub struct DuoSim {
    /// People, groups, memberships.
    pub world: DuoWorld,
    /// The integration key it knows.
    pub integration_key: String,
    /// The secret key that goes with it.
    pub secret_key: String,
    /// How it behaves where there is a choice.
    pub switches: Switches,
    /// What time it is, before [`Switches::clock_offset_seconds`].
    pub clock: Clock,
    buckets: BTreeMap<Category, Bucket>,
}

/// A clock that runs or stands.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// It says what this says, in Unix seconds.
    Runs(fn() -> i64),
    /// It stands at these Unix seconds until somebody sets it.
    Stands(i64),
}

impl Clock {
    /// The machine's own time.
    pub fn real() -> Self {
        Self::Runs(|| jiff::Timestamp::now().as_second())
    }

    fn now(self) -> i64 {
        match self {
            Self::Runs(read) => read(),
            Self::Stands(at) => at,
        }
    }
}

impl Default for DuoSim {
    fn default() -> Self {
        Self::new()
    }
}

impl DuoSim {
    /// An empty tenant, with the keys of this module and the real time.
    pub fn new() -> Self {
        Self {
            world: DuoWorld::default(),
            integration_key: INTEGRATION_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            switches: Switches::default(),
            clock: Clock::real(),
            buckets: BTreeMap::new(),
        }
    }

    /// The same, but time stands at these Unix seconds until [`Self::clock`] is set.
    pub fn standing_at(seconds: i64) -> Self {
        Self { clock: Clock::Stands(seconds), ..Self::new() }
    }

    /// What time Duo thinks it is, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.now().saturating_add(self.switches.clock_offset_seconds)
    }

    /// Finds out how a request is signed, if it is signed well and so that it is accepted.
    pub fn check(&self, request: &Request) -> Result<Scheme, Refusal> {
        let check = Check {
            integration_key: &self.integration_key,
            secret_key: &self.secret_key,
            signed_host: self.switches.signed_host.as_deref(),
            now: self.now(),
            skew_seconds_max: self.switches.skew_seconds_max,
        };
        let scheme = check.verify(request)?;
        if self.switches.accepted.contains(&scheme) { Ok(scheme) } else { Err(Refusal::BadSignature) }
    }

    /// Takes one request of this category from its minute's allowance.
    fn allows(&mut self, category: Category) -> bool {
        let Some(&per_minute) = self.switches.requests_per_minute.get(&category) else { return true };
        let now = self.now();
        let full = Bucket { parts: i64::from(per_minute) * PARTS, at: now };
        let bucket = self.buckets.entry(category).or_insert(full);
        let refilled = now.saturating_sub(bucket.at).max(0).saturating_mul(i64::from(per_minute));
        bucket.parts = bucket.parts.saturating_add(refilled).min(full.parts);
        bucket.at = now;
        let allowed = bucket.parts >= PARTS;
        if allowed {
            bucket.parts -= PARTS;
        }
        allowed
    }
}

impl Service for DuoSim {
    fn answer(&mut self, request: &Request) -> Answer {
        let answer = api::answer(self, request);
        match jiff::Timestamp::from_second(self.now()) {
            Ok(now) => answer.with_header("Date", &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            Err(_) => answer,
        }
    }
}

/// A request is sixty parts, so that one second's refill is a whole number of them.
const PARTS: i64 = 60;

#[derive(Clone, Copy)]
struct Bucket {
    parts: i64,
    at: i64,
}
