//! Asks Duo: signs, sends, opens the answer.

use super::answer::{Asked, Envelope, open};
use super::error::ReadError;
use super::listing::{Listing, silent};
use super::record::{PersonWithGroups, read_group, read_person};
use super::roster::Sizes;
use super::settings::Settings;
use super::sign::{self, Call};
use super::way::{GROUPS_PER_PAGE, IDS_PER_REQUEST};
use crate::clock::Clock;
use crate::http::BuildTransportError;
use crate::http::Exchange;
use crate::http::Method;
use crate::http::Request;
use crate::http::Transport;
use crate::http::TransportSettings;
use crate::model::Group;
use crate::model::GroupId;
use crate::model::PersonId;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// So often something is read before it counts as unreadable (S1).
pub(super) const READINGS_MAX: u32 = 3;
/// So many requests to Duo are under way at once, within the budget.
pub(super) const CONCURRENT_MAX: usize = 4;

/// Reads one Duo tenant. Cheap to clone; clones share the budget and the counter.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) transport: Transport,
    pub(super) clock: Clock,
    settings: Arc<Settings>,
    /// What the last reading taught about sizes; only for choosing the cheaper way.
    pub(super) sizes: Arc<Mutex<Sizes>>,
}

/// What a first question to Duo tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How many people the tenant has, when Duo says so.
    pub people: Option<u64>,
    /// Our clock minus Duo's, in seconds, when Duo told its time.
    pub clock_skew_seconds: Option<i64>,
}

impl Client {
    /// Sets up a client; contacts nobody.
    ///
    /// # Errors
    /// When the base URL or the certificate authority cannot be used.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Self, BuildTransportError> {
        let transport = Transport::new(transport_settings(settings), clock.clone())?;
        Ok(Self::over(transport, settings, clock))
    }

    /// The same over something else than the network: for simulations.
    ///
    /// # Errors
    /// When the base URL cannot be used.
    pub fn with_exchange(
        settings: &Settings,
        clock: Clock,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Self, BuildTransportError> {
        let transport = Transport::with_exchange(transport_settings(settings), clock.clone(), exchange)?;
        Ok(Self::over(transport, settings, clock))
    }

    fn over(transport: Transport, settings: &Settings, clock: Clock) -> Self {
        Self { transport, clock, settings: Arc::new(settings.clone()), sizes: Arc::default() }
    }

    /// How many requests were sent so far, tries included.
    pub fn requests_sent(&self) -> u64 {
        self.transport.requests_sent()
    }

    /// Asks for one person: that proves keys, permission and clock with one request.
    ///
    /// # Errors
    /// Why Duo cannot be used.
    pub async fn probe(&self) -> Result<Probe, ReadError> {
        let params = [("limit", "1".to_owned()), ("offset", "0".to_owned())];
        let envelope = self.ask("the list of people", "/admin/v1/users", &params).await?;
        let now = self.clock.now_seconds();
        let clock_skew_seconds = envelope.date.map(|theirs| now.saturating_sub(theirs));
        Ok(Probe { people: envelope.total, clock_skew_seconds })
    }

    /// Reads all groups of the tenant, without their members, in the order of their ids.
    ///
    /// # Errors
    /// Unless every page was read and adds up.
    pub async fn read_groups(&self) -> Result<Vec<Group>, ReadError> {
        let listing = Listing { what: "the list of groups", path: "/admin/v1/groups", limit: GROUPS_PER_PAGE };
        let read = self.read_listing(listing, None, &silent, |row| {
            read_group(row).map(|group| (group.id.as_str().to_owned(), group))
        });
        Ok(read.await?.rows.into_values().collect())
    }

    /// Reads one group by its id; `None` only when Duo itself says that there is none (404 with code 40401).
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn read_group(&self, id: &GroupId) -> Result<Option<Group>, ReadError> {
        let what = format!("group {id}");
        let path = format!("/admin/v2/groups/{}", sign::encode(id.as_str()));
        let read = |envelope: &Envelope| match read_group(&envelope.response)? {
            group if group.id == *id => Ok(group),
            other => Err(format!("Duo gave group {} instead", other.id)),
        };
        absent_or(self.ask_for(&what, &path, &[], read).await)
    }

    /// Reads one person by username or alias.
    ///
    /// # Errors
    /// Why the person could not be read.
    pub async fn read_person_by_username(
        &self,
        username: &str,
        attributes: &BTreeSet<String>,
    ) -> Result<Option<PersonWithGroups>, ReadError> {
        let params = [("username", username.to_owned())];
        let read = |envelope: &Envelope| match rows(envelope)? {
            [] => Ok(None),
            [only] => read_person(only, attributes).map(Some),
            _ => Err("Duo gave several people for one username".to_owned()),
        };
        self.ask_for("a person by username", "/admin/v1/users", &params, read).await
    }

    /// Reads people by their ids, each with all their groups. `None` only for those of whom Duo itself says that they
    /// do not exist (404 with code 40401).
    ///
    /// # Errors
    /// Unless everyone was read or confirmed as gone (S2).
    pub async fn read_people(
        &self,
        ids: &[PersonId],
        attributes: &BTreeSet<String>,
    ) -> Result<BTreeMap<PersonId, Option<PersonWithGroups>>, ReadError> {
        let distinct: BTreeSet<PersonId> = ids.iter().cloned().collect();
        let distinct: Vec<PersonId> = distinct.into_iter().collect();
        let chunk_size = usize::try_from(IDS_PER_REQUEST).unwrap_or(usize::MAX);
        let chunks: Vec<Vec<PersonId>> = distinct.chunks(chunk_size).map(<[_]>::to_vec).collect();
        let found: Vec<_> = stream::iter(chunks)
            .map(|chunk| self.read_chunk(chunk, attributes))
            .buffered(CONCURRENT_MAX)
            .try_collect()
            .await?;
        let mut people: BTreeMap<_, _> = found.into_iter().flatten().collect();
        let missing: Vec<_> = distinct.into_iter().filter(|id| !people.contains_key(id)).collect();
        let singles: Vec<_> = stream::iter(missing)
            .map(|id| self.read_single(id, attributes))
            .buffered(CONCURRENT_MAX)
            .try_collect()
            .await?;
        people.extend(singles);
        Ok(people)
    }

    /// Those of up to a hundred ids whom one answer holds. Whether Duo skips an unknown id or refuses the whole list
    /// is not documented: a refusal of that kind finds nobody, and each is asked for singly.
    async fn read_chunk(
        &self,
        ids: Vec<PersonId>,
        attributes: &BTreeSet<String>,
    ) -> Result<BTreeMap<PersonId, Option<PersonWithGroups>>, ReadError> {
        let names: Vec<&str> = ids.iter().map(PersonId::as_str).collect();
        let params = [("user_id_list", Value::from(names).to_string())];
        let read = |envelope: &Envelope| {
            let mut found = BTreeMap::new();
            for row in rows(envelope)? {
                let person = read_person(row, attributes)?;
                let id = person.person.id.clone();
                if ids.binary_search(&id).is_ok() && found.insert(id.clone(), Some(person)).is_some() {
                    return Err(format!("person {id} came twice"));
                }
            }
            Ok(found)
        };
        match self.ask_for("people by their ids", "/admin/v1/users", &params, read).await {
            Err(ReadError::NotFound { .. } | ReadError::Refused { status: 400, .. }) => Ok(BTreeMap::new()),
            result => result,
        }
    }

    async fn read_single(
        &self,
        id: PersonId,
        attributes: &BTreeSet<String>,
    ) -> Result<(PersonId, Option<PersonWithGroups>), ReadError> {
        let what = format!("person {id}");
        let path = format!("/admin/v1/users/{}", sign::encode(id.as_str()));
        let read = |envelope: &Envelope| match read_person(&envelope.response, attributes)? {
            person if person.person.id == id => Ok(person),
            other => Err(format!("Duo gave person {} instead", other.person.id)),
        };
        let person = absent_or(self.ask_for(&what, &path, &[], read).await)?;
        Ok((id, person))
    }

    /// Asks once; the transport tries again as its table says.
    async fn ask_once(&self, what: &str, path: &str, params: &[(&str, String)]) -> Result<Envelope, ReadError> {
        let params = sign::canonical_params(params);
        let host = self.settings.api_host.as_str();
        let answer = self.transport.read(|| self.signed(path, &params)).await;
        let answer = answer.map_err(|failure| ReadError::from_failure(failure, host))?;
        open(&answer, Asked { host, what, now: self.clock.now_seconds() })
    }

    /// Asks, and asks again when an answer is not what Duo's answers are.
    pub(super) async fn ask(&self, what: &str, path: &str, params: &[(&str, String)]) -> Result<Envelope, ReadError> {
        self.ask_for(what, path, params, |envelope| Ok(envelope.clone())).await
    }

    /// Asks and reads the answer; asks again when it does not add up.
    async fn ask_for<T>(
        &self,
        what: &str,
        path: &str,
        params: &[(&str, String)],
        read: impl Fn(&Envelope) -> Result<T, String>,
    ) -> Result<T, ReadError> {
        for reading in 1.. {
            let envelope = self.ask_once(what, path, params).await;
            let result = envelope.and_then(|it| read(&it).map_err(|detail| ReadError::incomplete(what, &detail)));
            match result {
                Err(error) if error.is_worth_asking_again() && reading < READINGS_MAX => self.pause(reading).await,
                result => return result,
            }
        }
        Err(ReadError::incomplete(what, "it was not read at all"))
    }

    /// Waits a little before something is read again.
    pub(super) async fn pause(&self, reading: u32) {
        self.clock.wait(Duration::from_secs(u64::from(reading))).await;
    }

    /// Signs a GET with the time of now. What is signed is what is sent.
    fn signed(&self, path: &str, params: &str) -> Request {
        let Settings { api_host, integration_key, secret_key, signature, .. } = &*self.settings;
        let date = sign::date(self.clock.now_seconds());
        let call = Call { date: &date, method: Method::Get.as_str(), host: api_host, path, params, body: b"" };
        let digest = sign::digest_of(*signature);
        let signed = sign::sign(secret_key, digest, &sign::canonical_call(*signature, &call));
        let query = if params.is_empty() { String::new() } else { format!("?{params}") };
        let mut request = Request::get(format!("{}{path}{query}", self.transport.base_url()));
        request.headers = vec![
            ("Authorization", sign::authorization(integration_key, &signed)),
            ("Date", date),
            ("Accept", "application/json".to_owned()),
        ];
        request
    }
}

fn transport_settings(settings: &Settings) -> TransportSettings {
    // A burst is taken off the rate, so that no minute holds more than was permitted.
    let per_minute = settings.requests_per_minute.max(1);
    let burst_max = (per_minute / 10).clamp(1, 4);
    let rate = f64::from(per_minute.saturating_sub(burst_max).max(1)) / 60.0;
    TransportSettings {
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.clone(),
        burst_max,
        concurrent_requests_max: CONCURRENT_MAX,
        service: "duo",
        ..TransportSettings::new(&settings.base_url, rate)
    }
}

/// The rows of a list.
pub(super) fn rows(envelope: &Envelope) -> Result<&[Value], String> {
    match envelope.response.as_array() {
        Some(rows) => Ok(rows),
        // Nothing at all stands for an empty list only where Duo counts none.
        None if envelope.response.is_null() && envelope.total == Some(0) => Ok(&[]),
        None => Err("the answer holds no list".to_owned()),
    }
}

fn absent_or<T>(result: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match result {
        Err(error) if error.confirms_absence() => Ok(None),
        result => result.map(Some),
    }
}
