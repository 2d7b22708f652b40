//! Which of Duo's two ways to read a roster costs fewer requests. Pure.
//!
//! By members: each selected group's members by 500 (at least one request a group), then the distinct people of all of
//! them by 100, since a member object is not known to carry more than an id. By everyone: all people of the tenant by
//! 300, each with the groups they are in. Page sizes: Duo's client `duo_client_python` 5.7.0 and Duo's Postman
//! collection.
//!
//! What is not known is found by readings that are part of a way anyway: the first page of all people tells their
//! number, the first page of a group tells its size. So choosing costs one request (that first page) when the way by
//! members is taken, none when the way by everyone is taken at once, and those of the groups looked at when they turn
//! out to be large. A client that has read the same groups before knows the numbers and chooses without any.

/// Rows of a page of all groups. The documented maximum is disputed (100 or 500); 100 is safe.
pub(super) const GROUPS_PER_PAGE: u64 = 100;
/// Rows of a page of a group's members.
pub(super) const MEMBERS_PER_PAGE: u64 = 500;
/// Rows of a page of all people.
pub(super) const PEOPLE_PER_PAGE: u64 = 300;
/// Ids of one `user_id_list`.
pub(super) const IDS_PER_REQUEST: u64 = 100;

/// One of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Members of each group, then people by id.
    Members,
    /// All people, with their groups.
    Everyone,
}

/// Requests for all people of a tenant.
pub(super) fn everyone_cost(people: u64) -> u64 {
    people.div_ceil(PEOPLE_PER_PAGE).max(1)
}

/// Requests for one group's members.
pub(super) fn group_cost(members: u64) -> u64 {
    members.div_ceil(MEMBERS_PER_PAGE).max(1)
}

/// Requests for so many people by id.
pub(super) fn ids_cost(people: u64) -> u64 {
    people.div_ceil(IDS_PER_REQUEST)
}

/// What is known of the way by members while its groups are being looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// Pages still to be read of groups whose size is known.
    pub(super) pages_left: u64,
    /// Groups not yet looked at.
    pub(super) groups_left: u64,
    /// There are at least so many distinct people in them.
    pub(super) people_at_least: u64,
}

impl Known {
    /// The fewest requests that the way by members can still cost.
    pub(super) fn least_left(self) -> u64 {
        self.pages_left.saturating_add(self.groups_left).saturating_add(ids_cost(self.people_at_least))
    }

    /// The cheaper way from here on, when the way by everyone would still cost so much. On a tie the way by everyone:
    /// its records are read once, so nothing has to be compared.
    pub(super) fn choose(self, everyone_left: u64) -> Way {
        if self.least_left() < everyone_left { Way::Members } else { Way::Everyone }
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Way, everyone_cost, group_cost, ids_cost};

    /// The cost of the way by members when all is known.
    fn members_cost(groups: &[u64], distinct: u64) -> u64 {
        groups.iter().map(|members| group_cost(*members)).sum::<u64>() + ids_cost(distinct)
    }

    #[test]
    fn pages_are_counted_up_and_an_empty_list_is_one_page() {
        assert_eq!([0, 1, 300, 301, 10_000].map(everyone_cost), [1, 1, 1, 2, 34]);
        assert_eq!([0, 1, 500, 501].map(group_cost), [1, 1, 1, 2]);
        assert_eq!([0, 1, 100, 101].map(ids_cost), [0, 1, 1, 2]);
        assert_eq!(members_cost(&[412, 90, 0], 412), 8);
    }

    #[test]
    fn few_people_of_a_large_tenant_are_read_by_members() {
        // 10,000 people are 34 pages, the first of which was read to learn their number.
        let nothing_seen = Known { groups_left: 3, ..Known::default() };
        assert_eq!(nothing_seen.choose(33), Way::Members);
        let one_seen = Known { pages_left: 0, groups_left: 2, people_at_least: 412 };
        assert_eq!(one_seen.least_left(), 7);
        assert_eq!(one_seen.choose(33), Way::Members);
    }

    #[test]
    fn more_groups_than_pages_need_no_look_at_any_group() {
        let nothing_seen = |groups_left| Known { groups_left, ..Known::default() };
        assert_eq!(nothing_seen(100).choose(33), Way::Everyone);
        assert_eq!(nothing_seen(33).choose(33), Way::Everyone);
        assert_eq!(nothing_seen(1).choose(0), Way::Everyone, "the first page was the last");
    }

    #[test]
    fn a_large_group_turns_the_choice_at_its_first_page() {
        // Everyone is in one group: 19 more pages of members and 100 requests by id, against 33 pages.
        let seen = Known { pages_left: 19, groups_left: 0, people_at_least: 10_000 };
        assert_eq!(seen.least_left(), 119);
        assert_eq!(seen.choose(33), Way::Everyone);
    }
}
