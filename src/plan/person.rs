//! One decision per person: what happens to the account, and whether memberships follow Duo.

use super::Inputs;
use super::Others;
use super::Plan;
use super::action::{Action, Cause, Change, Changes, Departure, PersonRef, Skipped, Step, Subject};
use super::adopt::Adopted;
use super::clash;
use crate::desired::Desired;
use crate::desired::DesiredAccount;
use crate::desired::Inactive;
use crate::desired::Rules;
use crate::desired::Standing;
use crate::desired::is_listed;
use crate::model::Attribute;
use crate::model::Attributes;
use crate::model::OwnedAccount;
use crate::model::PersonId;
use std::collections::{BTreeMap, BTreeSet};

/// What happens to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AccountChange {
    Nothing,
    Create(Attributes),
    Update(Changes),
    Reactivate(Changes),
    Deactivate(Departure),
}

/// Whose word counts for a person's memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memberships {
    /// Duo's.
    Follow,
    /// Nobody's: there is no account to be a member, or it leaves everything.
    None,
    /// They stay as they are.
    AsOwned,
    /// Duo's, for leaving alone: an account that is kept inactive joins nothing, and stays in nothing that Duo took
    /// away.
    LeaveOnly,
    /// Duo's, for joining alone: nothing is taken from who is pinned.
    JoinOnly,
}

/// The decision about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) change: AccountChange,
    pub(super) memberships: Memberships,
    pub(super) skip: Option<String>,
    pub(super) in_grace: bool,
}

impl Decision {
    const fn of(change: AccountChange, memberships: Memberships) -> Self {
        Self { change, memberships, skip: None, in_grace: false }
    }

    const fn nothing(memberships: Memberships) -> Self {
        Self::of(AccountChange::Nothing, memberships)
    }

    fn hands_off(reason: impl Into<String>) -> Self {
        Self { skip: Some(reason.into()), ..Self::nothing(Memberships::AsOwned) }
    }
}

/// Whether the lists let a person be in any action (S7). They limit actions, never what is desired.
pub(super) fn permits(rules: &Rules, username: &str, id: &PersonId) -> bool {
    left_out_by(rules, &[username], id).is_none()
}

/// The list that keeps a person out of every action, under any of these names; none: they may be in one.
pub fn left_out_by(rules: &Rules, names: &[&str], id: &PersonId) -> Option<&'static str> {
    let listed = |list: &BTreeSet<String>| {
        is_listed(list, "", id.as_str()) || names.iter().any(|name| is_listed(list, name, id.as_str()))
    };
    if listed(&rules.excluded_people) {
        return Some("listed in scope.excluded_people");
    }
    (!rules.pilot_people.is_empty() && !listed(&rules.pilot_people)).then_some("not listed in scope.pilot_people")
}

/// One side of the comparison: desired under some rules, with what is owned.
pub(super) struct World<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) desired: &'a Desired,
    pub(super) rules: &'a Rules,
    pub(super) adopted: &'a Adopted,
    losers: BTreeMap<PersonId, String>,
}

impl<'a> World<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, desired: &'a Desired, rules: &'a Rules, adopted: &'a Adopted) -> Self {
        let mut world = Self { inputs, desired, rules, adopted, losers: BTreeMap::new() };
        world.losers = clash::losers(&world);
        world
    }

    /// The account of a person, owned already or adopted by this plan.
    pub(super) fn account(&self, id: &PersonId) -> Option<&'a OwnedAccount> {
        let adopted = || self.adopted.accounts.get(id).map(|(account, _)| account);
        self.inputs.owned.accounts.get(id).or_else(adopted)
    }

    /// Whether Duo or the snapshot has a name for a person.
    pub(super) fn is_known(&self, id: &PersonId) -> bool {
        self.desired.accounts.contains_key(id) || self.account(id).is_some()
    }

    pub(super) fn username(&self, id: &PersonId) -> String {
        let desired = self.desired.accounts.get(id).map(|desired| &desired.username);
        let name = desired.or_else(|| self.account(id).map(|account| &account.username));
        name.map_or_else(|| id.to_string(), Clone::clone)
    }

    /// Everyone who is desired, owned or adopted, once, in order.
    pub(super) fn people(&self) -> BTreeSet<&'a PersonId> {
        let ours = self.inputs.owned.accounts.keys().chain(self.adopted.accounts.keys());
        self.desired.accounts.keys().chain(ours).collect()
    }

    /// Whether the lists let a person be in any action. A username that was listed when the account was last written
    /// still excludes: a rename in Duo must not end the protection of a break-glass account unseen.
    fn is_permitted(&self, id: &PersonId) -> bool {
        let known = self.account(id).map(|account| account.username.as_str());
        let excluded = |name: &str| is_listed(&self.inputs.rules.excluded_people, name, id.as_str());
        permits(self.inputs.rules, &self.username(id), id) && !known.is_some_and(excluded)
    }

    /// Whether a person may be in an action: not left out by a list, a conflict, or a pin.
    pub(super) fn may_act_on(&self, id: &PersonId) -> bool {
        self.is_permitted(id) && !self.adopted.conflicts.contains(id) && self.pin(id).is_none()
    }

    /// Whether somebody who would lose something is asked for by id first (S2): by what Duo says, or since the lists
    /// say nothing at all of them, whatever follows from the configuration.
    pub(super) fn is_to_be_confirmed(&self, id: &PersonId, cause: Cause) -> bool {
        let is_missing = !self.desired.accounts.contains_key(id);
        (cause != Cause::Configuration || is_missing) && !self.inputs.confirmed.contains(id)
    }

    /// Why a person is pinned. Who is blocked in the configuration loses access, pinned or not.
    fn pin(&self, id: &PersonId) -> Option<&'a String> {
        let is_blocked = || is_listed(&self.rules.blocked_people, &self.username(id), id.as_str());
        self.inputs.pinned.get(id).filter(|_| !is_blocked())
    }

    /// Whether a person's new values go to the target, and where not, why.
    pub(super) fn attributes_stay(&self, desired: &Attributes, account: &OwnedAccount) -> Option<String> {
        let domain =
            [&account.attributes, desired].into_iter().find_map(|attributes| self.unmanaged_domain(attributes))?;
        Some(format!(
            "{domain} is not in atlassian.verified_domains: changed attributes are not sent, since any attribute update \
             can unlink an unmanaged account"
        ))
    }

    /// The domain of an address that Atlassian does not manage.
    fn unmanaged_domain<'b>(&self, attributes: &'b Attributes) -> Option<&'b str> {
        let (_, domain) = attributes.value(Attribute::Emails)?.split_once('@')?;
        (!self.rules.is_managed_domain(domain)).then_some(domain)
    }

    pub(super) fn decide(&self, id: &PersonId) -> Decision {
        if !self.is_permitted(id) || self.adopted.conflicts.contains(id) {
            return Decision::nothing(Memberships::AsOwned);
        }
        if let Some(reason) = self.pin(id) {
            return self.hold(id, reason);
        }
        match (self.desired.accounts.get(id), self.account(id)) {
            (None, None) => Decision::nothing(Memberships::None),
            (None, Some(account)) => {
                let gone = self.inputs.confirmed.contains(id);
                self.depart(account, if gone { Departure::Gone } else { Departure::LeftScope })
            }
            (Some(desired), account) => match (&desired.standing, account) {
                (Standing::Active, None) => self.create(id, desired),
                (Standing::Active | Standing::Keep(_), Some(account)) => self.follow(id, desired, account),
                (Standing::Keep(reason), None) => Decision {
                    skip: Some(format!("{reason}: no account is created")),
                    ..Decision::nothing(Memberships::None)
                },
                (Standing::Inactive(_), None) => Decision::nothing(Memberships::None),
                (Standing::Inactive(why), Some(account)) => self.depart(account, departure(why)),
                (Standing::Untouched(reason), _) => Decision::hands_off(format!("{reason}: left as it is")),
            },
        }
    }

    /// Somebody who is pinned: nothing is taken away or changed. What Duo gives is given, since an undo that was cut
    /// off, or refused in part, may have pinned somebody who still lacks it.
    fn hold(&self, id: &PersonId, reason: &str) -> Decision {
        let desired = self.desired.accounts.get(id).filter(|desired| desired.attributes.is_ok());
        let change = match (desired.map(|desired| &desired.standing), self.account(id).map(|account| account.active)) {
            (Some(Standing::Active), Some(false)) => AccountChange::Reactivate(Changes::new()),
            (Some(Standing::Active | Standing::Keep(_)), Some(true)) => AccountChange::Nothing,
            _ => return Decision::hands_off(reason),
        };
        Decision { skip: Some(reason.to_owned()), ..Decision::of(change, Memberships::JoinOnly) }
    }

    fn create(&self, id: &PersonId, desired: &DesiredAccount) -> Decision {
        match (&desired.attributes, self.losers.get(id)) {
            (Err(reason), _) | (Ok(_), Some(reason)) => {
                Decision { skip: Some(reason.clone()), ..Decision::nothing(Memberships::None) }
            }
            (Ok(attributes), None) => Decision::of(AccountChange::Create(attributes.clone()), Memberships::Follow),
        }
    }

    /// An account that exists, of somebody who is in scope.
    fn follow(&self, id: &PersonId, desired: &DesiredAccount, account: &OwnedAccount) -> Decision {
        let attributes = match &desired.attributes {
            Ok(attributes) => attributes,
            Err(reason) => return Decision::hands_off(reason.clone()),
        };
        let mut changes = changes(attributes, account);
        let mut skip = None;
        if !changes.is_empty() {
            skip = self.losers.get(id).cloned().or_else(|| self.attributes_stay(attributes, account));
        }
        if skip.is_some() {
            changes.clear();
        }
        let change = match (account.active, matches!(desired.standing, Standing::Keep(_))) {
            (false, true) => return Decision::nothing(Memberships::LeaveOnly),
            (false, false) => AccountChange::Reactivate(changes),
            (true, _) if changes.is_empty() => AccountChange::Nothing,
            (true, _) => AccountChange::Update(changes),
        };
        Decision { skip, ..Decision::of(change, Memberships::Follow) }
    }

    /// Somebody who should have no active account.
    fn depart(&self, account: &OwnedAccount, departure: Departure) -> Decision {
        if departure == Departure::LeftScope && self.rules.grace_hours > 0 && account.active {
            let left_at = account.left_scope_at.unwrap_or(self.inputs.now);
            let until = left_at.plus_seconds(i64::from(self.rules.grace_hours) * 3_600);
            if self.inputs.now < until {
                let reason =
                    format!("left the scope; keeps account and memberships until {until} (deprovisioning.grace_hours)");
                return Decision { in_grace: true, ..Decision::hands_off(reason) };
            }
        }
        let change = if account.active { AccountChange::Deactivate(departure) } else { AccountChange::Nothing };
        Decision::of(change, Memberships::None)
    }
}

fn departure(why: &Inactive) -> Departure {
    match why {
        Inactive::LeftScope => Departure::LeftScope,
        Inactive::Status(status) => Departure::Status(status.clone()),
        Inactive::GroupDisabled(_) => Departure::GroupDisabled,
        Inactive::Blocked => Departure::Blocked,
    }
}

impl AccountChange {
    /// Whether two changes end in the same. What there was before does not matter.
    fn ends_like(&self, other: &Self) -> bool {
        let same = |one: &Changes, other: &Changes| {
            one.len() == other.len() && one.iter().zip(other).all(|((a, one), (b, other))| a == b && one.to == other.to)
        };
        match (self, other) {
            (Self::Update(one), Self::Update(other)) | (Self::Reactivate(one), Self::Reactivate(other)) => {
                same(one, other)
            }
            _ => self == other,
        }
    }
}

/// What is different and can be sent. A userName that differs in case only is the same (RFC 7643 section 4.1.1), and a
/// value that the target did not take is not sent again (S15).
fn changes(desired: &Attributes, account: &OwnedAccount) -> Changes {
    let mut changes = Changes::new();
    for (attribute, to) in desired.iter() {
        let from = account.attributes.value(attribute);
        let same = from.is_some_and(|from| attribute.is_same(from, to));
        if !same && account.refused.value(attribute) != Some(to) {
            changes.insert(attribute, Change { from: from.map(str::to_owned), to: to.to_owned() });
        }
    }
    changes
}

/// Adds the actions on accounts, the skipped people, and the count of unchanged ones.
pub(super) fn plan(today: &World<'_>, others: Others<'_, '_>, plan: &mut Plan) {
    for id in today.people() {
        let decision = today.decide(id);
        let person = PersonRef { user_id: id.clone(), username: today.username(id) };
        if let Some(reason) = decision.skip {
            plan.skipped.push(Skipped { subject: Subject::Person(person.clone()), reason });
        }
        if decision.in_grace {
            plan.in_grace.insert(id.clone());
            if !today.inputs.confirmed.contains(id) {
                plan.unconfirmed.insert(id.clone());
            }
        }
        let cause = if today.adopted.accounts.contains_key(id) {
            Cause::Adoption
        } else if others.before.is_some_and(|before| before.decide(id).change != decision.change) {
            Cause::Configuration
        } else if others.unread.is_some_and(|unread| !unread.decide(id).change.ends_like(&decision.change)) {
            Cause::Drift
        } else {
            Cause::Source
        };
        let reason = reason(today, id, &decision.change, cause);
        let step = match decision.change {
            AccountChange::Nothing => {
                plan.unchanged += usize::from(today.account(id).is_some());
                continue;
            }
            AccountChange::Create(attributes) => Step::Create { person, attributes },
            AccountChange::Update(changes) => Step::Update { person, changes },
            AccountChange::Reactivate(changes) => Step::Reactivate { person, changes },
            AccountChange::Deactivate(departure) => {
                if today.is_to_be_confirmed(id, cause) {
                    plan.unconfirmed.insert(id.clone());
                }
                Step::Deactivate { person, departure }
            }
        };
        plan.actions.push(Action { step, reason, cause });
    }
}

fn reason(world: &World<'_>, id: &PersonId, change: &AccountChange, cause: Cause) -> String {
    let text = match change {
        AccountChange::Nothing => String::new(),
        AccountChange::Create(attributes) => {
            let unmanaged = world.unmanaged_domain(attributes).map_or_else(String::new, |domain| {
                format!("; unmanaged, since {domain} is not in atlassian.verified_domains: later changes of attributes are not sent")
            });
            format!("in {}{unmanaged}", desired_groups(world, id))
        }
        AccountChange::Reactivate(_) => format!("back in {}", desired_groups(world, id)),
        AccountChange::Update(changes) => {
            let paths: Vec<&str> = changes.keys().map(|attribute| attribute.path()).collect();
            let whose = match cause {
                Cause::Adoption | Cause::Drift => "differs in Atlassian:",
                Cause::Source | Cause::Configuration | Cause::Undo => "changed in Duo:",
            };
            format!("{whose} {}", paths.join(", "))
        }
        AccountChange::Deactivate(departure) => {
            let groups: Vec<&str> = world
                .inputs
                .owned
                .groups
                .values()
                .filter(|group| group.members.contains(id))
                .map(|group| group.name.as_str())
                .collect();
            if groups.is_empty() {
                departure.to_string()
            } else {
                format!("{departure} (was in: {})", groups.join(", "))
            }
        }
    };
    let text = if cause == Cause::Configuration { format!("the configuration changed: {text}") } else { text };
    // Whatever it follows from: who decides on it should know that the target was changed as well.
    let told = world.inputs.drift.filter(|_| *change != AccountChange::Nothing).and_then(|drift| drift.told(id));
    told.map_or(text.clone(), |told| format!("{told}; {text}"))
}

fn desired_groups(world: &World<'_>, id: &PersonId) -> String {
    let groups = world.desired.accounts.get(id).map(|desired| &desired.groups);
    let name = |id| world.desired.groups.get(id).map(|group| group.name.as_str());
    let names: Vec<&str> = groups.into_iter().flatten().filter_map(name).collect();
    if names.is_empty() { "scope".to_owned() } else { names.join(", ") }
}
