//! What the administrator has configured, and what it means for a group of Duo.

use super::dice::Dice;
use duo_atlassian_sync::cycle;
use duo_atlassian_sync::desired::{Access, Rules, Selector, Wanted, matches_pattern};
use duo_atlassian_sync::guard::{FirstPlan, Limit, Limits};
use duo_atlassian_sync::model::{Attribute, GroupId};
use std::collections::{BTreeMap, BTreeSet};

/// Where Duo is, for requests. Nobody is there: requests are carried by a call.
pub const DUO_HOST: &str = "api-00000000.duosecurity.com";
/// Where Atlassian is, for requests.
pub const ATLASSIAN_HOST: &str = "api.atlassian.com";
/// The simulated directory.
pub const DIRECTORY_ID: &str = "11111111-2222-4333-8444-555555555555";
/// The key that it accepts.
pub const API_KEY: &str = "simulated-scim-key";

/// Which groups are selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// By a pattern.
    Pattern(String),
    /// By ids.
    Ids(BTreeSet<String>),
    /// By names, each with the group that bore it when it was written into the configuration.
    Names(BTreeMap<String, String>),
}

/// Whether a group is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It depends on what the program has seen so far.
    Unclear,
}

/// Everything that an administrator sets.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which groups.
    pub scope: Scope,
    /// The rest of the rules; their selectors are made from the scope.
    pub rules: Rules,
    /// Of the guard.
    pub limits: Limits,
    /// `duo.requests_per_minute`.
    pub duo_per_minute: u32,
    /// `atlassian.requests_per_second`.
    pub scim_per_second: u32,
    /// `atlassian.concurrent_requests_max`.
    pub concurrent_max: usize,
    /// `atlassian.members_per_request_max`.
    pub members_max: usize,
    /// `approval.valid_hours`.
    pub approval_hours: i64,
}

const MAPPING: [(Attribute, &str); 5] = [
    (Attribute::UserName, "username"),
    (Attribute::Emails, "email"),
    (Attribute::DisplayName, "realname"),
    (Attribute::NameGivenName, "firstname"),
    (Attribute::NameFamilyName, "lastname"),
];

impl Config {
    /// A configuration that an administrator could have written.
    pub fn drawn(dice: &mut Dice) -> Self {
        let scope = Scope::Pattern(if dice.happens(500) { "*" } else { "team-*" }.to_owned());
        let access = |keeps| if keeps { Access::Keep } else { Access::Deactivate };
        let grace_hours = if dice.happens(200) { 2 } else { 0 };
        let rules = Rules {
            groups: Vec::new(),
            exclude_group_information: dice.happens(40),
            disabled_groups: access(dice.happens(800)),
            disabled_people: access(dice.happens(50)),
            pending_deletion_people: access(dice.happens(50)),
            locked_out_people: access(dice.happens(800)),
            mapping: MAPPING.map(|(attribute, source)| (attribute, source.to_owned())).into(),
            blocked_people: BTreeSet::new(),
            pilot_people: BTreeSet::new(),
            excluded_people: BTreeSet::new(),
            protected_groups: ["site-admins".to_owned()].into(),
            verified_domains: ["example.com".to_owned()].into(),
            grace_hours,
        };
        Self {
            scope,
            rules,
            limits: limits(dice),
            duo_per_minute: dice.one_of([60, 180, 180, 600]),
            scim_per_second: dice.one_of([1, 5, 5, 20]),
            concurrent_max: dice.one_of([1, 2, 4, 4]),
            members_max: dice.one_of([1, 2, 5, 100]),
            approval_hours: dice.one_of([1, 24]),
        }
    }

    /// Whether a group of this id and name is selected.
    pub fn selects(&self, group_id: &str, name: &str) -> Selected {
        let yes = |is: bool| if is { Selected::Yes } else { Selected::No };
        match &self.scope {
            Scope::Pattern(pattern) => yes(matches_pattern(pattern, name)),
            Scope::Ids(ids) => yes(ids.contains(group_id)),
            Scope::Names(names) => match (names.get(name), names.values().any(|id| id == group_id)) {
                (Some(id), true) if id == group_id => Selected::Yes,
                (None, false) => Selected::No,
                _ => Selected::Unclear,
            },
        }
    }

    /// As the program takes it.
    pub fn settings(&self) -> cycle::Settings {
        let selector = |wanted| Selector { wanted, atlassian_name: None };
        let mut groups: Vec<Selector> = match &self.scope {
            Scope::Pattern(pattern) => vec![selector(Wanted::Pattern(pattern.clone()))],
            Scope::Ids(ids) => ids.iter().map(|id| selector(Wanted::Id(GroupId::new(id)))).collect(),
            Scope::Names(names) => names.keys().map(|name| selector(Wanted::Name(name.clone()))).collect(),
        };
        groups.sort();
        cycle::Settings {
            trusted_hours: 72,
            history_days: 1_100,
            sending_minutes_max: 30,
            next_due: None,
            rules: Rules { groups, ..self.rules.clone() },
            limits: self.limits,
            api_host: DUO_HOST.to_owned(),
            scim_base_url: base_url(),
            requests_per_second: f64::from(self.scim_per_second),
            concurrent_requests_max: self.concurrent_max,
            members_per_request_max: self.members_max,
        }
    }
}

/// The SCIM base URL.
pub fn base_url() -> String {
    format!("https://{ATLASSIAN_HOST}/scim/directory/{DIRECTORY_ID}")
}

fn limits(dice: &mut Dice) -> Limits {
    let limit = |count, percent, at_most| Limit { count, percent, at_most };
    let tight = dice.happens(500);
    let few = |dice: &mut Dice, default: Limit| {
        if tight { limit(dice.between(0, 3), dice.one_of([0, 0, 10]), 10) } else { default }
    };
    Limits {
        deactivations: few(dice, limit(5, 5, 50)),
        reactivations: few(dice, limit(5, 5, 50)),
        leaves: few(dice, limit(50, 10, 1_000)),
        leaves_per_group: few(dice, limit(10, 50, 500)),
        updates: few(dice, limit(50, 10, 500)),
        identity_changes: few(dice, limit(5, 2, 50)),
        creates: few(dice, limit(50, 10, 500)),
        adoptions: limit(0, 0, 0),
        accounts: 0,
        first_plan: if dice.happens(500) { FirstPlan::Hold } else { FirstPlan::Apply },
    }
}
