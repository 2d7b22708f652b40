//! The reading requests.

use super::answer::About;
use super::atlassian;
use super::client::Client;
use super::error::RequestError;
use super::filter;
use super::filter::Key;
use super::group;
use super::list::Next;
use super::list::Page;
use super::list::Walk;
use super::schema;
use super::schema::ParseResourceError;
use super::user;
use crate::http::Failure;
use crate::model::Attribute;
use crate::model::Observed;
use crate::model::ObservedAccount;
use crate::model::ObservedGroup;
use crate::model::ScimId;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the service says about itself (`ServiceProviderConfig`, RFC 7643 section 5). No captured answer of Atlassian's
/// is public, so everything may be absent, and nothing is concluded from it but what is shown to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// `patch.supported`.
    pub patch: Option<bool>,
    /// `filter.supported`.
    pub filter: Option<bool>,
    /// `filter.maxResults`.
    pub filter_results_max: Option<u64>,
    /// `etag.supported`; if not, two writers of one directory cannot notice each other.
    pub etag: Option<bool>,
}

impl Service {
    pub(super) fn parse(body: &Value) -> Self {
        let part = |name: &str| schema::field(body.as_object()?, name)?.as_object();
        let supported = |name: &str| schema::truth(part(name)?, "supported");
        Self {
            patch: supported("patch"),
            filter: supported("filter"),
            filter_results_max: part("filter").and_then(|filter| schema::count(filter, "maxResults")),
            etag: supported("etag"),
        }
    }
}

/// One kind of record: where it is listed, and how it is read.
struct Kind<T> {
    name: &'static str,
    path: &'static str,
    rows: u32,
    parse: fn(&Value) -> Result<(ScimId, T), ParseResourceError>,
}

const USERS: Kind<ObservedAccount> =
    Kind { name: "users", path: "/Users", rows: atlassian::USERS_PER_PAGE, parse: user::parse };

const GROUPS: Kind<ObservedGroup> =
    Kind { name: "groups", path: "/Groups", rows: atlassian::GROUPS_PER_PAGE, parse: group::parse };

impl Client {
    /// Asks the service about itself: the cheapest way to try the address and the key.
    pub async fn read_service(&self) -> Result<Service, RequestError> {
        let body = self.read("/ServiceProviderConfig", About::Directory).await?;
        Ok(Service::parse(&body))
    }

    /// Reads every user, then every group, to the last row, or fails. `progress` is told how many there are so far.
    ///
    /// Groups come with all their members; there is no way to leave them out (documented).
    pub async fn read_all(&self, progress: &(dyn Fn(u64) + Sync)) -> Result<Observed, RequestError> {
        let accounts = self.walk(&USERS, "", progress).await?;
        let users = accounts.len() as u64;
        let groups = self.walk(&GROUPS, "", &|so_far| progress(users.saturating_add(so_far))).await?;
        Ok(Observed { accounts, groups })
    }

    /// One user; none where the service says 404, and does not say it of the directory too, which costs one more
    /// request.
    pub async fn read_user(&self, id: &ScimId) -> Result<Option<ObservedAccount>, RequestError> {
        self.read_one(&USERS, id).await
    }

    /// One group with all its members; none as for [`Client::read_user`].
    pub async fn read_group(&self, id: &ScimId) -> Result<Option<ObservedGroup>, RequestError> {
        self.read_one(&GROUPS, id).await
    }

    /// Users with exactly this `externalId`. Nobody found proves little: a new record may not be visible yet, and one
    /// in another directory never is.
    pub async fn find_users_by_external_id(
        &self,
        external_id: &str,
    ) -> Result<BTreeMap<ScimId, ObservedAccount>, RequestError> {
        let is_asked = |account: &ObservedAccount| account.external_id.as_deref() == Some(external_id);
        self.find(&USERS, &filter::equals(Key::ExternalId, external_id), is_asked).await
    }

    /// Users with this `userName`; the case does not matter (RFC 7643 section 4.1.1; at Atlassian not verified).
    pub async fn find_users_by_user_name(
        &self,
        user_name: &str,
    ) -> Result<BTreeMap<ScimId, ObservedAccount>, RequestError> {
        let folded = user_name.to_lowercase();
        let name = |account: &ObservedAccount| Some(account.attributes.value(Attribute::UserName)?.to_lowercase());
        let is_asked = |account: &ObservedAccount| name(account).as_ref() == Some(&folded);
        self.find(&USERS, &filter::equals(Key::UserName, user_name), is_asked).await
    }

    /// Groups with this name; the case does not matter.
    pub async fn find_groups_by_display_name(
        &self,
        display_name: &str,
    ) -> Result<BTreeMap<ScimId, ObservedGroup>, RequestError> {
        let folded = display_name.to_lowercase();
        let is_asked = |group: &ObservedGroup| group.display_name.to_lowercase() == folded;
        self.find(&GROUPS, &filter::equals(Key::DisplayName, display_name), is_asked).await
    }

    async fn read_one<T>(&self, kind: &Kind<T>, id: &ScimId) -> Result<Option<T>, RequestError> {
        let path = format!("{}/{}", kind.path, filter::encode(id.as_str()));
        let body = match self.read(&path, About::Record).await {
            // The same status is given where the whole directory is wrong: absent is not unread (S1).
            Err(RequestError::NotFound { .. }) => return self.read_service().await.map(|_| None),
            answer => answer?,
        };
        let resource = (kind.parse)(&body)
            .and_then(|(found, resource)| if found == *id { Ok(resource) } else { Err(ParseResourceError::OtherId) });
        resource.map(Some).map_err(|source| RequestError::Resource { source })
    }

    /// What a filter brings, without what was not asked for: some services ignore a filter, and then the first row is
    /// anybody. All pages are read for the same reason.
    async fn find<T>(
        &self,
        kind: &Kind<T>,
        expression: &str,
        is_asked: impl Fn(&T) -> bool,
    ) -> Result<BTreeMap<ScimId, T>, RequestError> {
        let mut found = self.walk(kind, &format!("filter={expression}&"), &|_| {}).await?;
        found.retain(|_, resource| is_asked(resource));
        Ok(found)
    }

    async fn walk<T>(
        &self,
        kind: &Kind<T>,
        query: &str,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<BTreeMap<ScimId, T>, RequestError> {
        let Kind { name: what, path, mut rows, parse } = *kind;
        let mut walk = Walk::new();
        loop {
            let page = format!("{path}?{query}startIndex={}&count={rows}", walk.start_index());
            let body = match self.read(&page, About::Directory).await {
                // A page of great groups; Atlassian has no way to leave members out.
                Err(RequestError::NoAnswer { source: Failure::TooLarge { .. }, .. }) if rows > 1 => {
                    rows = (rows / 10).max(1);
                    continue;
                }
                body => body?,
            };
            let page = Page::parse(&body, parse).map_err(|source| RequestError::Page { what, source })?;
            let next = walk.take(page).map_err(|end| RequestError::Incomplete {
                what,
                received: end.received,
                total: end.total,
            })?;
            progress(walk.len());
            match next {
                Next::Page => {}
                Next::Done => return Ok(walk.into_found()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Service;
    use serde_json::json;

    #[test]
    fn a_service_says_what_it_can_or_nothing() {
        let full = json!({
            "patch": {"supported": true}, "filter": {"supported": "true", "maxResults": 100},
            "etag": {"supported": false}, "bulk": {"supported": false}
        });
        let expected =
            Service { patch: Some(true), filter: Some(true), filter_results_max: Some(100), etag: Some(false) };
        assert_eq!(Service::parse(&full), expected);
        assert_eq!(Service::parse(&json!({"patch": true})), Service::default());
        assert_eq!(Service::parse(&json!([])), Service::default());
    }
}
