//! What Atlassian's service does, and what we assume about it: every deviation from the RFC in one place.
//!
//! Certainty, as said at each item: *documented* (Atlassian's own specification or support page), *third party* (other
//! clients and vendors), *assumed* (nobody says so). Nothing here was tried on a live organization.

use super::schema;
use crate::model::Attribute;
use serde_json::Value;
use std::fmt;

/// Where the SCIM key is made anew. Documented: support page "Manage SCIM API key expiration" (read 2026-11-23).
pub const REGENERATE_KEY_MENU: &str =
    "Atlassian Administration > Security > Identity providers > (your directory) > ... > Regenerate API key";

/// Where the day is shown on which the key expires; no API tells it. Documented: the same page.
pub const KEY_EXPIRY_MENU: &str =
    "Atlassian Administration > Security > Identity providers > (your directory) > Provisioning";

/// Where the SCIM base URL comes from. Documented: support page on provisioning with Cisco Duo (read 2026-11-23).
pub const BASE_URL_MENU: &str =
    "Atlassian Administration > Security > Identity providers > (your directory) > Set up user provisioning";

/// Where a new group is given its apps, without which its members have none. Documented: the same page.
pub const APP_ACCESS_MENU: &str = "Atlassian Administration > (your site) > App access > (the app) > Add group";

/// Where Atlassian says what it did with a record. Documented: knowledge base.
pub const TROUBLESHOOTING_LOG_MENU: &str =
    "Atlassian Administration > Security > Identity providers > (your directory) > View troubleshooting log";

/// A key lives for so many days. Documented: keys made since January 2025; older ones were given a date later.
pub const KEY_LIFETIME_DAYS: u32 = 365;

/// Rows asked for on a page of users. Documented: "max 100 users" (knowledge base, "Fetch all users by SCIM API"); the
/// walk goes by the rows that come, so that a server that gives fewer does no harm.
pub(super) const USERS_PER_PAGE: u32 = 100;

/// Rows asked for on a page of groups. Assumed: no page says anything; Workato's connector asks for 100 (third party).
pub(super) const GROUPS_PER_PAGE: u32 = 100;

/// More pages than the greatest directory has: a million users, 100 a page (documented hard limit), twice.
pub(super) const PAGES_MAX: u32 = 20_000;

/// The read-only extension with `atlassianAccountId`; null or missing when the record is not linked.
/// Documented, and in an answer captured by a third party. go-atlassian spells it with `1.1`, wrongly.
pub(super) const EXTERNAL_EXTENSION: &str = "urn:scim:schemas:extension:atlassian-external:1.0";

/// What can be done with the name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRename {
    /// `displayName` is immutable.
    Impossible,
}

/// What the target can do: data for those who decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Attributes that are taken at creation.
    pub attributes: &'static [Attribute],
    /// Attributes of which the documentation says that an update takes effect. The others are sent as well, and what
    /// the answer says of them counts (S15).
    pub attributes_updated_by_document: &'static [Attribute],
    /// Recommended limit: users of a directory.
    pub accounts_max: u64,
    /// Recommended limit: groups of a directory.
    pub groups_max: u64,
    /// Recommended limit: members of one group.
    pub group_members_max: u64,
    /// Recommended limit: memberships of a directory.
    pub memberships_max: u64,
    /// Renaming a group.
    pub group_rename: GroupRename,
    /// Names (lower case) that are answered with 201 and never appear on a site.
    pub group_names_ignored: &'static [&'static str],
}

/// What Atlassian can do.
pub const fn capabilities() -> Capabilities {
    Capabilities {
        // Documented: the user of the specification has them all. Third party (Ping): phone numbers cannot be updated.
        attributes: Attribute::ALL,
        // Documented: the table "user attributes that can be updated". Contradicted both ways by third parties for
        // `userName` and `name.*`; an update of `displayName` overwrites first and last name (knowledge base).
        attributes_updated_by_document: &[
            Attribute::Emails,
            Attribute::DisplayName,
            Attribute::Title,
            Attribute::Timezone,
            Attribute::PreferredLanguage,
            Attribute::Department,
            Attribute::Organization,
        ],
        // Documented: support page "Users and groups limits"; the hard limits are 1,000,000, 250,000, 290,000,
        // 8,000,000.
        accounts_max: 500_000,
        groups_max: 200_000,
        group_members_max: 250_000,
        memberships_max: 2_500_000,
        // Documented: "immutable". What a rename is answered with is not.
        group_rename: GroupRename::Impossible,
        // Documented is that default access groups and built-in groups are taken and not synced; their names are not,
        // and an administrator can make any group a default one. So none is assumed; the configuration has
        // `protected_groups`.
        group_names_ignored: &[],
    }
}

/// What the service said about a failure. It may name people, so it belongs into reports, not into logs (S20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The sentence, or the start of what stood there instead. Without control characters, and not long.
    pub detail: String,
    /// `scimType` (RFC 7644 section 3.12), such as `uniqueness`.
    pub scim_type: Option<String>,
    /// Atlassian's number for the request, to be given to its support.
    pub trace_id: Option<String>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service said: {}", if self.detail.is_empty() { "nothing" } else { &self.detail })?;
        if let Some(scim_type) = &self.scim_type {
            write!(f, " ({scim_type})")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(f, " [traceId {trace_id}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Said {}

/// Reads the body of a failure. Documented are three: `ScimError` with `detail` and `scimType`; `{"error","traceId"}`
/// for 401 and 403; a Java exception with `message` and `scimErrorType`. Anything else is taken as text. None: no body.
pub(super) fn parse_said(body: &[u8]) -> Option<Said> {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else {
        let detail = start_of(body);
        return (!detail.is_empty()).then_some(Said { detail, ..Said::default() });
    };
    let first = |names: &[&str]| names.iter().find_map(|name| schema::text(&object, name)).map(clean);
    let said = Said {
        detail: first(&["detail", "error", "message", "localizedMessage", "error_description"]).unwrap_or_default(),
        scim_type: first(&["scimType", "scimErrorType"]),
        trace_id: first(&["traceId"]),
    };
    if said != Said::default() {
        return Some(said);
    }
    (!object.is_empty()).then(|| Said { detail: start_of(body), ..said })
}

/// Whether a text names an error of SCIM: a refusal of this one request, not of the key.
pub(super) fn is_scim_error(said: Option<&Said>) -> bool {
    said.is_some_and(|said| said.scim_type.is_some())
}

/// The start of a body as a line of text.
pub(super) fn start_of(body: &[u8]) -> String {
    let start = body.get(..body.len().min(4 * TEXT_MAX)).unwrap_or_default();
    clean(&String::from_utf8_lossy(start))
}

/// So many characters of a foreign text are kept: a sentence or two.
const TEXT_MAX: usize = 300;

/// One line, no control characters, not long: nothing in it can change a terminal or forge a line of a log.
fn clean(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, TEXT_MAX, capabilities, parse_said, start_of};
    use crate::model::Attribute;

    fn said(body: &str) -> String {
        parse_said(body.as_bytes()).map(|said| said.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_form_of_an_error_is_read() {
        let scim = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness",
            "detail":"Resource [USER]: with email[x@y] already exists."}"#;
        let gateway = r#"{"error":"Not authorized to access : scim/directory/d/Users","traceId":"e40ee97f819a2465"}"#;
        let java =
            r#"{"message":"user\nmissing","responseStatus":"BAD_REQUEST","scimErrorType":"invalidValue","cause":{}}"#;
        insta::assert_snapshot!(said(scim), @"the service said: Resource [USER]: with email[x@y] already exists. (uniqueness)");
        insta::assert_snapshot!(said(gateway), @"the service said: Not authorized to access : scim/directory/d/Users [traceId e40ee97f819a2465]");
        insta::assert_snapshot!(said(java), @"the service said: user missing (invalidValue)");
        insta::assert_snapshot!(said("<html>\r\n<title>Sign in\u{1b}[2J</title>"), @"the service said: <html> <title>Sign in [2J</title>");
        assert_eq!(parse_said(b""), None);
        assert_eq!(parse_said(b"{}"), None);
        assert_eq!(said(r#"{"errors": ["no"]}"#), r#"the service said: {"errors": ["no"]}"#);
    }

    #[test]
    fn a_foreign_text_is_cut() {
        let long = "ä".repeat(5_000);
        assert_eq!(start_of(long.as_bytes()).chars().count(), TEXT_MAX + 3);
        let cut = parse_said(format!(r#"{{"detail":"{long}"}}"#).as_bytes()).unwrap();
        assert_eq!(cut.detail.chars().count(), TEXT_MAX + 3);
        assert_eq!(Said::default().to_string(), "the service said: nothing");
    }

    #[test]
    fn what_can_be_updated_can_be_created() {
        let capabilities = capabilities();
        assert!(capabilities.attributes_updated_by_document.iter().all(|a| capabilities.attributes.contains(a)));
        assert!(capabilities.attributes.contains(&Attribute::UserName));
    }
}
