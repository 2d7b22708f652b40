//! Atlassian's SCIM service: a directory with its users and groups, faithful to what is known of the real one.
//!
//! Sources are Atlassian's specification of the user provisioning API (2023, and 2026 as seen through generated
//! clients), its knowledge base (KB), and what other clients captured. What nobody could verify is a switch in
//! [`AtlassianSettings`]. It has no versions of resources, no bulk, no sorting and no search by POST, as the real one
//! has none.

mod attribute;
mod change;
mod clock;
mod discovery;
mod group;
mod inspect;
mod limit;
mod past;
mod patch;
mod path;
mod query;
mod refusal;
mod render;
mod setting;
mod user;
mod watch;
mod world;

pub use inspect::{Kept, Snapshot, UserView};
pub use past::Past;
pub use setting::{
    ActiveInReads, AtlassianSettings, Extensions, Guard, LimitHeaders, MemberRemoval, OtherDirectory, RateLimit,
    Rename, RetryHint,
};
pub use world::{Effect, Group, User};

use percent_encoding::percent_decode_str;

use self::clock::Clock;
use self::limit::Bucket;
use self::query::Query;
use self::refusal::{Refusal, answer_json};
use self::watch::Watch;
use self::world::World;
use super::wire::{Answer, Request, Service};

/// One directory and its key.
pub struct AtlassianSim {
    settings: AtlassianSettings,
    world: World,
    watch: Watch,
    bucket: Bucket,
    clock: Clock,
}

impl AtlassianSim {
    /// An empty directory.
    pub fn new(settings: AtlassianSettings) -> Self {
        Self {
            settings,
            world: World::default(),
            watch: Watch::default(),
            bucket: Bucket::default(),
            clock: Clock::counting(),
        }
    }

    /// The settings, to be read.
    pub fn settings(&self) -> &AtlassianSettings {
        &self.settings
    }

    /// The settings, to be changed in the middle of a story.
    pub fn settings_mut(&mut self) -> &mut AtlassianSettings {
        &mut self.settings
    }

    /// `/scim/directory/{id}`.
    pub fn base_path(&self) -> String {
        format!("/scim/directory/{}", self.settings.directory_id)
    }

    /// From now on it is this time, in milliseconds since 1970, until it is set again.
    pub fn set_time_ms(&mut self, now_ms: i64) {
        self.clock = Clock::Set(now_ms);
    }

    /// From now on it is the time of this clock, in milliseconds since 1970.
    pub fn follow_clock(&mut self, clock: impl Fn() -> i64 + Send + 'static) {
        self.clock = Clock::Followed(Box::new(clock));
    }

    /// Requests that were answered.
    pub fn requests(&self) -> u64 {
        self.world.request
    }

    /// What stands before the service: key, directory, licence.
    fn admit<'a>(&self, request: &'a Request) -> Result<&'a str, Refusal> {
        let not_found = || Refusal::missing("Directory not found");
        let rest = request.path.strip_prefix("/scim/directory/").ok_or_else(not_found)?;
        let (scheme, key) = request.header("authorization").and_then(|h| h.split_once(' ')).unwrap_or_default();
        let expired = self.settings.api_key_expires_at_ms.is_some_and(|at| at <= self.world.now_ms);
        // A key that expired, was regenerated or is of another kind: nothing tells them apart.
        if !scheme.eq_ignore_ascii_case("bearer") || key != self.settings.api_key || expired {
            return Err(Refusal::gateway(401, "Unauthorized"));
        }
        let (directory, resource) = rest.split_once('/').unwrap_or((rest, ""));
        if directory != self.settings.directory_id {
            return Err(match self.settings.other_directory {
                OtherDirectory::NotFound => not_found(),
                OtherDirectory::Forbidden => Refusal::gateway(403, "Forbidden"),
            });
        }
        match self.settings.guard {
            Guard::Subscribed => Ok(resource),
            Guard::LapsedForbidden => Err(Refusal::gateway(403, "Forbidden")),
            Guard::LapsedNotFound => Err(not_found()),
        }
    }

    fn respond(&mut self, request: &Request, resource: &str) -> Result<Answer, Refusal> {
        let (resource, id) = resource.split_once('/').map_or((resource, None), |(r, id)| (r, Some(id)));
        let id = id.map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned());
        let query = Query::read(&request.query);
        let config = || discovery::service_provider_config(&self.settings);
        match (resource, request.method.as_str(), id.as_deref()) {
            ("Users", "GET", None) => self.list_users(&query),
            ("Users", "POST", None) => self.create_user(request, &query),
            ("Users", "GET", Some(id)) => self.read_user(id, &query),
            ("Users", "PUT", Some(id)) => self.replace_user(id, request, &query),
            ("Users", "PATCH", Some(id)) => self.patch_user(id, request, &query),
            ("Users", "DELETE", Some(id)) => self.delete_user(id),
            ("Groups", "GET", None) => self.list_groups(&query),
            ("Groups", "POST", None) => self.create_group(request),
            ("Groups", "GET", Some(id)) => self.read_group(id),
            ("Groups", "PUT", Some(id)) => self.replace_group(id, request),
            ("Groups", "PATCH", Some(id)) => self.patch_group(id, request),
            ("Groups", "DELETE", Some(id)) => self.delete_group(id),
            ("ServiceProviderConfig", "GET", None) => Ok(answer_json(200, &config())),
            ("Schemas", "GET", id) => discovery::schemas(&self.settings, id).map(|body| answer_json(200, &body)),
            ("ResourceTypes", "GET", id) => {
                discovery::resource_types(&self.settings, id).map(|body| answer_json(200, &body))
            }
            ("Users" | "Groups" | "ServiceProviderConfig" | "Schemas" | "ResourceTypes", _, _) => {
                Err(Refusal { status: 405, ..Refusal::missing("Method not allowed") })
            }
            _ => Err(Refusal::missing("Resource not found")),
        }
    }
}

impl Service for AtlassianSim {
    fn answer(&mut self, request: &Request) -> Answer {
        self.world.request += 1;
        self.world.now_ms = self.clock.tick();
        let (number, now_ms) = (self.world.request, self.world.now_ms);
        let resource = match self.admit(request) {
            Ok(resource) => resource,
            Err(refusal) => return refusal.answer(number),
        };
        let limit = self.settings.rate_limit;
        if let Some(limit) = limit
            && let Err(wait_ms) = self.bucket.take(limit, now_ms)
        {
            let mut answer = limit::too_many(limit, now_ms, wait_ms, number);
            self.bucket.stamp(limit, &mut answer);
            return answer;
        }
        let writes = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
        let revision = self.world.revision;
        if writes {
            self.watch.before(&self.settings, request);
        }
        let mut answer = self.respond(request, resource).unwrap_or_else(|refusal| refusal.answer(number));
        if writes {
            self.watch.after(&self.settings, request, answer.status, (revision, &self.world));
        }
        if let Some(limit) = limit {
            self.bucket.stamp(limit, &mut answer);
        }
        answer
    }
}
