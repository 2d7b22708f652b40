//! Reads one complete roster of selected groups, by the cheaper of Duo's two ways.

use super::client::{CONCURRENT_MAX, Client};
use super::error::ReadError;
use super::listing::{Begun, Listing, Progress, Read, Stage, Tell, silent};
use super::page::{Next, count};
use super::record::{PersonWithGroups, read_member, read_person};
use super::sign;
use super::way::{Known, MEMBERS_PER_PAGE, PEOPLE_PER_PAGE, Way, everyone_cost, group_cost, ids_cost};
use crate::model::Group;
use crate::model::GroupId;
use crate::model::Person;
use crate::model::PersonId;
use crate::model::Roster;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

/// After so many readings by members, the number of people in the tenant is asked for again.
const USES_MAX: u32 = 50;
/// More people than this, and more than one in ten, between lists and records: that is no coincidence.
const MOVED_MAX: u64 = 10;

/// What the last reading taught.
#[derive(Clone, Debug, Default)]
pub(super) struct Sizes {
    /// People of the tenant.
    people: Option<u64>,
    /// Readings since then.
    uses: u32,
    /// Members of each selected group.
    members: BTreeMap<GroupId, u64>,
    /// Distinct people in them.
    distinct: u64,
}

impl Sizes {
    /// The cheaper way to read these groups with what it would cost by everyone, if all sizes are known.
    fn choose(&self, groups: &[Group]) -> Option<(Way, u64)> {
        let everyone = everyone_cost(self.people.filter(|_| self.uses < USES_MAX)?);
        let mut pages_left = 0_u64;
        for group in groups {
            pages_left = pages_left.saturating_add(group_cost(*self.members.get(&group.id)?));
        }
        let known = Known { pages_left, groups_left: 0, people_at_least: self.distinct };
        Some((known.choose(everyone), everyone))
    }
}

/// What is asked of a roster.
struct Wanted<'a> {
    groups: &'a [Group],
    ids: BTreeSet<GroupId>,
    attributes: &'a BTreeSet<String>,
    progress: &'a (dyn Fn(Progress) + Sync),
}

/// Members of one group.
type Members = BTreeMap<GroupId, BTreeSet<PersonId>>;
/// A row of the list of everyone: nothing is kept of those who are in no selected group.
type Everyone = Option<PersonWithGroups>;

const EVERYONE: Listing<'static> =
    Listing { what: "the list of people", path: "/admin/v1/users", limit: PEOPLE_PER_PAGE };

impl Client {
    /// Reads these groups' members, and everyone in them with these Duo attributes.
    ///
    /// A group's status and name are taken as given. People of every status are kept, those in the trash too.
    ///
    /// # Errors
    /// Unless every page of every group and every person was read, and all of it adds up (S1).
    pub async fn read_roster(
        &self,
        groups: &[Group],
        attributes: &BTreeSet<String>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Roster, ReadError> {
        let before = self.requests_sent();
        let ids = groups.iter().map(|group| group.id.clone()).collect();
        let wanted = Wanted { groups, ids, attributes, progress };
        if groups.is_empty() {
            return Ok(Roster::default());
        }
        let chosen = self.sizes().choose(groups);
        let mut roster = match chosen {
            Some((Way::Everyone, _)) => self.read_everyone(&wanted, None).await?,
            Some((Way::Members, everyone)) => self.read_by_members(&wanted, (None, Some(everyone)), 0).await?,
            None => self.read_unknown(&wanted).await?,
        };
        roster.requests = self.requests_sent().saturating_sub(before);
        Ok(roster)
    }

    /// Nothing is known yet: the first page of everyone tells what everyone would cost.
    async fn read_unknown(&self, wanted: &Wanted<'_>) -> Result<Roster, ReadError> {
        let begun = self.begin(EVERYONE, |row| read_if_wanted(row, wanted)).await?;
        let Some(begun) = begun else { return self.read_everyone(wanted, None).await };
        let left = match (begun.next, begun.reading.total()) {
            (Next::End, _) => Some(0),
            (Next::At(_), Some(people)) => {
                self.sizes().know_people(people);
                Some(everyone_cost(people.saturating_sub(begun.reading.len())))
            }
            (Next::At(_), None) => None,
        };
        // Whoever is wanted on the first page would be asked for again by id: often that alone decides.
        let people_at_least = count(begun.reading.rows().flatten().count());
        let known = Known { groups_left: count(wanted.groups.len()), people_at_least, ..Known::default() };
        match left {
            Some(left) if known.choose(left) == Way::Everyone => self.read_everyone(wanted, Some(begun)).await,
            left => self.read_by_members(wanted, (Some(begun), left), people_at_least).await,
        }
    }

    /// All people of the tenant with their groups; those in no selected group are dropped on the way.
    async fn read_everyone(&self, wanted: &Wanted<'_>, begun: Option<Begun<Everyone>>) -> Result<Roster, ReadError> {
        let tell: Tell<'_> = &|done, total| (wanted.progress)(Progress { stage: Stage::People, done, total });
        let Read { rows, remark } = self.read_listing(EVERYONE, begun, tell, |row| read_if_wanted(row, wanted)).await?;
        let people_total = count(rows.len());
        let mut roster = empty_roster(wanted);
        for person in rows.into_values().flatten() {
            put(&mut roster, person.person, &person.groups);
        }
        roster.remarks.extend(remark);
        self.sizes().know_people(people_total);
        self.sizes().know_roster(&roster);
        Ok(roster)
    }

    /// The members of each group, then everyone in them by id; or everyone after all, when the groups turn out large.
    async fn read_by_members(
        &self,
        wanted: &Wanted<'_>,
        (everyone, everyone_left): (Option<Begun<Everyone>>, Option<u64>),
        people_at_least: u64,
    ) -> Result<Roster, ReadError> {
        let everyone_left = everyone_left.unwrap_or(u64::MAX);
        let mut begun_groups = Vec::new();
        let mut known = Known { groups_left: count(wanted.groups.len()), people_at_least, ..Known::default() };
        let mut seen = BTreeSet::new();
        for group in wanted.groups {
            let (what, path) = members_of(&group.id);
            let listing = Listing { what: &what, path: &path, limit: MEMBERS_PER_PAGE };
            let begun = self.begin(listing, read_member_row).await?;
            known.groups_left = known.groups_left.saturating_sub(1);
            if let Some(Begun { reading, next }) = &begun {
                let total = reading.total().unwrap_or_else(|| reading.len());
                seen.extend(reading.ids().cloned());
                known.people_at_least = known.people_at_least.max(total).max(count(seen.len()));
                if let Next::At(_) = next {
                    let left = group_cost(total.saturating_sub(reading.len()));
                    known.pages_left = known.pages_left.saturating_add(left);
                }
            }
            begun_groups.push((group.id.clone(), begun));
            if known.choose(everyone_left) == Way::Everyone {
                return self.read_everyone(wanted, everyone).await;
            }
        }
        let (members, remarks) = self.read_members(wanted, begun_groups).await?;
        let distinct: BTreeSet<PersonId> = members.values().flatten().cloned().collect();
        if ids_cost(count(distinct.len())) > everyone_left {
            return self.read_everyone(wanted, everyone).await;
        }
        let mut roster = self.read_records(wanted, &members, distinct).await?;
        roster.remarks.splice(0..0, remarks);
        self.sizes().know_roster(&roster);
        Ok(roster)
    }

    /// The lists of members, each to its end, several at once.
    async fn read_members(
        &self,
        wanted: &Wanted<'_>,
        begun: Vec<(GroupId, Option<Begun<PersonId>>)>,
    ) -> Result<(Members, Vec<String>), ReadError> {
        let total = count(begun.len());
        let mut lists =
            stream::iter(begun).map(|(id, begun)| self.read_group_members(id, begun)).buffered(CONCURRENT_MAX);
        let (mut members, mut remarks) = (Members::new(), Vec::new());
        while let Some((id, read)) = lists.try_next().await? {
            remarks.extend(read.remark);
            members.insert(id, read.rows.into_values().collect());
            (wanted.progress)(Progress { stage: Stage::Groups, done: count(members.len()), total: Some(total) });
        }
        Ok((members, remarks))
    }

    async fn read_group_members(
        &self,
        id: GroupId,
        begun: Option<Begun<PersonId>>,
    ) -> Result<(GroupId, Read<PersonId>), ReadError> {
        let (what, path) = members_of(&id);
        let listing = Listing { what: &what, path: &path, limit: MEMBERS_PER_PAGE };
        let read = self.read_listing(listing, begun, &silent, read_member_row).await?;
        Ok((id, read))
    }

    /// Everyone's record, read after the lists: where they differ, somebody moved meanwhile, and the record is right.
    async fn read_records(
        &self,
        wanted: &Wanted<'_>,
        members: &Members,
        distinct: BTreeSet<PersonId>,
    ) -> Result<Roster, ReadError> {
        let ids: Vec<PersonId> = distinct.into_iter().collect();
        let total = count(ids.len());
        let people = self.read_people(&ids, wanted.attributes).await?;
        (wanted.progress)(Progress { stage: Stage::People, done: total, total: Some(total) });
        let mut roster = empty_roster(wanted);
        let mut moved = 0_u64;
        for (id, person) in people {
            let listed = || members.iter().filter(|(_, list)| list.contains(&id)).map(|(group, _)| group);
            let Some(PersonWithGroups { person, groups }) = person else {
                moved = moved.saturating_add(1);
                continue;
            };
            if !listed().eq(groups.intersection(&wanted.ids)) {
                moved = moved.saturating_add(1);
            }
            put(&mut roster, person, &groups);
        }
        if moved > MOVED_MAX && moved.saturating_mul(10) > total {
            let detail = format!("lists of members and people's own records disagree about {moved} of {total} people");
            return Err(ReadError::incomplete("the selected groups", &detail));
        }
        if moved > 0 {
            roster.remarks.push(format!("{moved} of {total} people changed while being read; their own records count"));
        }
        Ok(roster)
    }

    fn sizes(&self) -> MutexGuard<'_, Sizes> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sizes {
    fn know_people(&mut self, people: u64) {
        self.people = Some(people);
        self.uses = 0;
    }

    fn know_roster(&mut self, roster: &Roster) {
        self.uses = self.uses.saturating_add(1);
        self.distinct = count(roster.people.len());
        self.members = roster.groups.iter().map(|(id, (_, members))| (id.clone(), count(members.len()))).collect();
    }
}

fn members_of(id: &GroupId) -> (String, String) {
    (format!("the members of group {id}"), format!("/admin/v2/groups/{}/users", sign::encode(id.as_str())))
}

fn read_member_row(row: &Value) -> Result<(String, PersonId), String> {
    read_member(row).map(|id| (id.as_str().to_owned(), id))
}

fn read_if_wanted(row: &Value, wanted: &Wanted<'_>) -> Result<(String, Everyone), String> {
    let person = read_person(row, wanted.attributes)?;
    let id = person.person.id.as_str().to_owned();
    let is_wanted = person.groups.intersection(&wanted.ids).next().is_some();
    Ok((id, is_wanted.then_some(person)))
}

/// The groups, with nobody in them yet.
fn empty_roster(wanted: &Wanted<'_>) -> Roster {
    let groups = wanted.groups.iter().map(|group| (group.id.clone(), (group.clone(), BTreeSet::new()))).collect();
    Roster { groups, ..Roster::default() }
}

/// Puts a person into those of the roster's groups that their record names; into none: not into the roster either.
fn put(roster: &mut Roster, person: Person, groups: &BTreeSet<GroupId>) {
    let mut is_in = false;
    for id in groups {
        if let Some((_, members)) = roster.groups.get_mut(id) {
            members.insert(person.id.clone());
            is_in = true;
        }
    }
    if is_in {
        roster.people.insert(person.id.clone(), person);
    }
}

#[cfg(test)]
mod tests {
    use super::{Sizes, USES_MAX, Way};
    use crate::model::Group;
    use crate::model::GroupId;
    use crate::model::GroupStatus;

    fn group(id: &str) -> Group {
        Group { id: GroupId::new(id), name: id.to_owned(), status: GroupStatus::Active }
    }

    #[test]
    fn a_client_that_knows_the_sizes_chooses_without_a_request() {
        let mut sizes = Sizes { distinct: 412, ..Sizes::default() };
        sizes.members.insert(GroupId::new("DG1"), 412);
        assert_eq!(sizes.choose(&[group("DG1")]), None, "the number of people is not known");
        sizes.know_people(10_000);
        assert_eq!(sizes.choose(&[group("DG1")]), Some((Way::Members, 34)));
        assert_eq!(sizes.choose(&[group("DG1"), group("DG2")]), None, "a new group");
        sizes.know_people(900);
        assert_eq!(sizes.choose(&[group("DG1")]), Some((Way::Everyone, 3)));
        sizes.uses = USES_MAX;
        assert_eq!(sizes.choose(&[group("DG1")]), None, "it is asked for again from time to time");
    }
}
