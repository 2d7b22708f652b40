//! Small random worlds, built from the public types as a cycle builds them.

use duo_atlassian_sync::desired;
use duo_atlassian_sync::desired::{Access, Desired, Remembered, Rules, Selection, Selector, Wanted};
use duo_atlassian_sync::model::{
    Attribute, Attributes, Group, GroupId, GroupStatus, Observed, ObservedAccount, ObservedGroup, Owned, OwnedAccount,
    OwnedGroup, Person, PersonId, PersonStatus, Roster, ScimId, Timestamp,
};
use duo_atlassian_sync::plan::{Capabilities, Drift, Inputs, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// So many people and groups are in a world: few enough to meet, and enough for circles.
pub(super) const PEOPLE: usize = 5;
pub(super) const GROUPS: usize = 3;
/// Records of the target that are not ours.
pub(super) const RECORDS: usize = 3;
/// User names and addresses to go round.
pub(super) const VALUES: usize = 10;

const STATUSES: [&str; 7] =
    ["active", "active", "bypass", "disabled", "locked out", "pending deletion", "not heard of"];
const GROUP_STATUSES: [&str; 5] = ["Active", "Active", "Bypass", "Disabled", "Frozen"];
const GROUP_NAMES: [&str; 6] = ["eng", "Eng", "ops", "site-admins", "administrators", "it"];
const TITLES: [&str; 3] = ["", "Engineer", "Lead"];
const HOUR: i64 = 3_600;

/// One person, on both sides.
#[derive(Clone, Debug)]
pub(super) struct PersonSpec {
    pub(super) in_duo: bool,
    pub(super) status: usize,
    /// Up to `VALUES`: of the shared ones.
    pub(super) login: usize,
    /// The same, and two more: none, and one that is no address.
    pub(super) address: usize,
    pub(super) title: usize,
    pub(super) groups: u8,
    pub(super) confirmed: bool,
    pub(super) owned: Option<OwnedSpec>,
}

#[derive(Clone, Debug)]
pub(super) struct OwnedSpec {
    pub(super) active: bool,
    pub(super) title: usize,
    pub(super) groups: u8,
    /// Index of an address that the target did not take.
    pub(super) refused: usize,
    pub(super) left_hours_ago: i64,
}

#[derive(Clone, Debug)]
pub(super) struct GroupSpec {
    pub(super) in_duo: bool,
    pub(super) status: usize,
    pub(super) name: usize,
    pub(super) owned: bool,
}

#[derive(Clone, Debug)]
pub(super) struct RulesSpec {
    /// By id; none: everything by a pattern.
    pub(super) selected: u8,
    pub(super) users_only: bool,
    /// One bit each: what statuses mean, whether the title is mapped, whether there is a grace period.
    pub(super) switches: u8,
}

/// Bits of people, and whether each of the lists is in use is in them too: an empty one is not.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) pilot: u8,
    pub(super) excluded: u8,
    pub(super) blocked: u8,
}

#[derive(Clone, Debug)]
pub(super) struct RecordSpec {
    /// Whose externalId it has: a person's, a stranger's, or none.
    pub(super) external_id: usize,
    pub(super) active: Option<bool>,
    pub(super) groups: u8,
}

/// A world as numbers, which shrink well.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) people: Vec<PersonSpec>,
    pub(super) groups: Vec<GroupSpec>,
    pub(super) rules: RulesSpec,
    pub(super) before: Option<RulesSpec>,
    pub(super) lists: Lists,
    /// Whether the target was read.
    pub(super) observed: bool,
    pub(super) records: Vec<RecordSpec>,
    /// Which user name and which address each account and record holds: the target has none of them twice.
    pub(super) logins: Vec<usize>,
    pub(super) addresses: Vec<usize>,
    pub(super) members_max: usize,
}

/// In which order what was read is put together. It must not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Forwards,
    Backwards,
}

/// Who was asked for by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmed {
    Everyone,
    AsItIs,
}

/// A world as values.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) roster: Roster,
    pub(super) rules: Rules,
    pub(super) selection: Selection,
    pub(super) before: Option<(Rules, Selection)>,
    pub(super) owned: Owned,
    pub(super) observed: Option<Observed>,
    pub(super) members_max: usize,
}

pub(super) const fn has(bits: u8, at: usize) -> bool {
    bits >> at & 1 == 1
}

pub(super) fn person_id(at: usize) -> PersonId {
    PersonId::new(format!("DU{at}"))
}

pub(super) fn group_id(at: usize) -> GroupId {
    GroupId::new(format!("DG{at}"))
}

fn login(at: usize) -> String {
    format!("login{at}")
}

fn address(at: usize) -> String {
    match at {
        0 => "a0@elsewhere.org".to_owned(),
        VALUES => String::new(),
        at if at > VALUES => "no address".to_owned(),
        at => format!("a{at}@example.com"),
    }
}

fn arranged<T>(mut items: Vec<T>, order: Order) -> Vec<T> {
    if order == Order::Backwards {
        items.reverse();
    }
    items
}

impl Spec {
    pub(super) fn world(&self, confirmed: Confirmed) -> World {
        self.world_in(confirmed, Order::Forwards)
    }

    pub(super) fn world_in(&self, confirmed: Confirmed, order: Order) -> World {
        let groups: Vec<Group> = arranged((0..self.groups.len()).filter_map(|at| self.group(at)).collect(), order);
        let rules = self.rules(&self.rules);
        let selection = desired::select(&groups, &rules.groups, &self.remembered(order)).unwrap_or_default();
        let before = self.before.as_ref().map(|before| {
            let rules = self.rules(before);
            let selection = desired::select(&groups, &rules.groups, &self.remembered(order)).unwrap_or_default();
            (rules, selection)
        });
        let mut wanted: BTreeSet<GroupId> = selection.groups.keys().cloned().collect();
        wanted.extend(before.iter().flat_map(|(_, selection)| selection.groups.keys().cloned()));
        let roster = self.roster(&groups, &wanted, (confirmed, order));
        let observed = self.observed.then(|| self.observed());
        World { roster, rules, selection, before, owned: self.owned(), observed, members_max: self.members_max }
    }

    fn group(&self, at: usize) -> Option<Group> {
        let group = &self.groups[at];
        let status = GroupStatus::parse(GROUP_STATUSES[group.status]);
        group.in_duo.then(|| Group { id: group_id(at), name: GROUP_NAMES[group.name].to_owned(), status })
    }

    /// Owned groups were selected before, under the selector of today where there is one for all.
    fn remembered(&self, order: Order) -> Vec<Remembered> {
        let remember = |at: usize| Remembered {
            selector: Selector { wanted: Wanted::Pattern("*".into()), atlassian_name: None }.to_string(),
            group_id: group_id(at),
            name: GROUP_NAMES[at].to_owned(),
            gone: false,
        };
        arranged((0..GROUPS).filter(|at| self.groups[*at].owned).map(remember).collect(), order)
    }

    fn rules(&self, spec: &RulesSpec) -> Rules {
        let selector = |wanted| Selector { wanted, atlassian_name: None };
        let by_id = |at: usize| selector(Wanted::Id(group_id(at)));
        let chosen = (0..GROUPS).filter(|at| has(spec.selected, *at) && self.groups[*at].in_duo);
        let mut groups: Vec<Selector> = chosen.map(by_id).collect();
        if groups.is_empty() {
            groups.push(selector(Wanted::Pattern("*".into())));
        }
        let access = |bit| if has(spec.switches, bit) { Access::Keep } else { Access::Deactivate };
        let mut mapping =
            BTreeMap::from([(Attribute::UserName, "login".to_owned()), (Attribute::Emails, "email".to_owned())]);
        if has(spec.switches, 4) {
            mapping.insert(Attribute::Title, "title".to_owned());
        }
        let listed = |bits: u8| -> BTreeSet<String> {
            // By id and by username, to try both.
            let entry = |at| if at % 2 == 0 { format!("DU{at}") } else { format!("name{at}") };
            (0..PEOPLE).filter(|at| has(bits, *at)).map(entry).collect()
        };
        Rules {
            groups,
            exclude_group_information: spec.users_only,
            disabled_groups: access(0),
            disabled_people: access(1),
            pending_deletion_people: access(2),
            locked_out_people: access(3),
            mapping,
            blocked_people: listed(self.lists.blocked),
            pilot_people: listed(self.lists.pilot),
            excluded_people: listed(self.lists.excluded),
            protected_groups: ["site-admins".to_owned()].into(),
            verified_domains: ["example.com".to_owned()].into(),
            grace_hours: if has(spec.switches, 5) { 24 } else { 0 },
        }
    }

    fn person(&self, at: usize) -> Person {
        let spec = &self.people[at];
        let values =
            [("login", login(spec.login)), ("email", address(spec.address)), ("title", TITLES[spec.title].into())];
        Person {
            id: person_id(at),
            username: format!("Name{at}"),
            status: PersonStatus::parse(STATUSES[spec.status]),
            values: values.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), v)).collect(),
            last_directory_sync: None,
        }
    }

    fn roster(&self, groups: &[Group], wanted: &BTreeSet<GroupId>, (confirmed, order): (Confirmed, Order)) -> Roster {
        let mut roster = Roster::default();
        let everyone = arranged((0..PEOPLE).collect(), order);
        for group in groups.iter().filter(|group| wanted.contains(&group.id)) {
            let is_in = |at: &usize| {
                let person = &self.people[*at];
                person.in_duo && (0..GROUPS).any(|to| has(person.groups, to) && group_id(to) == group.id)
            };
            let members: Vec<usize> = everyone.iter().copied().filter(is_in).collect();
            for at in &members {
                roster.people.insert(person_id(*at), self.person(*at));
            }
            let members = members.into_iter().map(person_id).collect();
            roster.groups.insert(group.id.clone(), (group.clone(), members));
        }
        for at in everyone {
            let person = &self.people[at];
            if confirmed == Confirmed::AsItIs && !person.confirmed {
                continue;
            }
            let in_groups = (0..GROUPS).filter(|group| has(person.groups, *group)).map(group_id).collect();
            roster.confirm(&person_id(at), person.in_duo.then(|| (self.person(at), in_groups)));
        }
        roster
    }

    fn owned(&self) -> Owned {
        let mut owned = Owned::default();
        for at in (0..GROUPS).filter(|at| self.groups[*at].owned) {
            // Other names than Duo has may be on them: Atlassian renames none.
            let name = ["eng", "ops", "site-admins"][at].to_owned();
            let members = self.people.iter().enumerate();
            let members = members.filter(|(_, p)| p.owned.as_ref().is_some_and(|owned| has(owned.groups, at)));
            let members = members.map(|(person, _)| person_id(person)).collect();
            owned.groups.insert(group_id(at), OwnedGroup { scim_id: ScimId::new(format!("g{at}")), name, members });
        }
        for (at, spec) in self.people.iter().enumerate() {
            let Some(spec) = &spec.owned else { continue };
            let account = OwnedAccount {
                scim_id: ScimId::new(format!("s{at}")),
                username: format!("Name{at}"),
                attributes: self.held(at, spec.title),
                active: spec.active,
                refused: [(Attribute::Emails, address(spec.refused))].into_iter().collect(),
                left_scope_at: (spec.left_hours_ago > 0)
                    .then(|| Timestamp::from_seconds(NOW - spec.left_hours_ago * HOUR)),
            };
            owned.accounts.insert(person_id(at), account);
        }
        owned
    }

    fn held(&self, at: usize, title: usize) -> Attributes {
        let (login, address) = (login(self.logins[at]), address(self.addresses[at]));
        [(Attribute::UserName, login), (Attribute::Emails, address), (Attribute::Title, TITLES[title].to_owned())]
            .into_iter()
            .collect()
    }

    pub(super) fn observed(&self) -> Observed {
        let mut observed = Observed::default();
        let mut groups: BTreeMap<usize, BTreeSet<ScimId>> = BTreeMap::new();
        let mut account =
            |scim_id: String, external_id: Option<String>, attributes, (active, bits): (Option<bool>, u8)| {
                let account = ObservedAccount {
                    external_id,
                    attributes,
                    active,
                    created_at: Some(Timestamp::from_seconds(NOW)),
                    ..ObservedAccount::default()
                };
                observed.accounts.insert(ScimId::new(&scim_id), account);
                for group in (0..GROUPS).filter(|group| has(bits, *group)) {
                    groups.entry(group).or_default().insert(ScimId::new(&scim_id));
                }
            };
        for (at, person) in self.people.iter().enumerate() {
            if let Some(owned) = &person.owned {
                let attributes = self.held(at, owned.title);
                account(format!("s{at}"), Some(format!("DU{at}")), attributes, (Some(owned.active), owned.groups));
            }
        }
        for (at, record) in self.records.iter().enumerate() {
            let external_id = match record.external_id {
                PEOPLE => Some("stranger".to_owned()),
                whose if whose > PEOPLE => None,
                whose => Some(format!("DU{whose}")),
            };
            account(format!("r{at}"), external_id, self.held(PEOPLE + at, 1), (record.active, record.groups));
        }
        for at in 0..GROUPS {
            let members = groups.remove(&at).unwrap_or_default();
            let display_name = ["eng", "ops", "site-admins"][at].to_owned();
            observed.groups.insert(ScimId::new(format!("g{at}")), ObservedGroup { display_name, members });
        }
        observed
    }
}

/// What time it is in every world.
pub(super) const NOW: i64 = 1_795_442_531;

impl World {
    pub(super) fn desired(&self) -> Desired {
        desired::compute(&self.roster, &self.rules, &self.selection)
    }

    pub(super) fn plan(&self) -> Plan {
        self.plan_with(&self.owned)
    }

    /// The plan if this were owned.
    pub(super) fn plan_with(&self, owned: &Owned) -> Plan {
        self.plan_pinned(owned, &BTreeMap::new())
    }

    /// The plan if this were owned and these people pinned.
    pub(super) fn plan_pinned(&self, owned: &Owned, pinned: &BTreeMap<PersonId, String>) -> Plan {
        self.plan_of(owned, None, pinned)
    }

    /// The plan after what somebody else did in the target was read.
    pub(super) fn plan_drifted(&self, drift: &Drift) -> Plan {
        self.plan_of(&drift.owned, Some(drift), &BTreeMap::new())
    }

    fn plan_of(&self, owned: &Owned, drift: Option<&Drift>, pinned: &BTreeMap<PersonId, String>) -> Plan {
        let before = self.before.as_ref();
        let before = before.map(|(rules, selection)| (desired::compute(&self.roster, rules, selection), rules));
        Plan::compute(&Inputs {
            desired: &self.desired(),
            rules: &self.rules,
            before: before.as_ref().map(|(desired, rules)| (desired, *rules)),
            owned,
            drift,
            observed: self.observed.as_ref(),
            confirmed: &self.roster.confirmed,
            pinned,
            capabilities: &Capabilities {
                group_members_max: self.members_max,
                group_names_ignored: ["administrators".to_owned()].into(),
            },
            now: Timestamp::from_seconds(NOW),
        })
    }
}
