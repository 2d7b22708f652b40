//! A company to test with: people from everywhere, the same ones for the same seed.

mod culture;

use std::collections::BTreeMap;

use super::duo::DuoSim;
use culture::{CULTURES, Culture, Order};

/// A generator of people and groups. It uses no chance but its seed.
#[derive(Clone, Debug)]
pub struct Company {
    state: u64,
    taken: BTreeMap<String, usize>,
}

/// A person before they are put into any directory.
#[derive(Clone, Debug)]
pub struct Employee {
    /// ASCII, `given.family`, with a number where that is taken.
    pub username: String,
    /// The username at `example.com`.
    pub email: String,
    /// The given name as they write it.
    pub given: String,
    /// The family name as they write it.
    pub family: String,
    /// Both, in their order.
    pub full: String,
}

/// What [`Company::fill`] made.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    /// The ids of the groups.
    pub groups: Vec<String>,
    /// The ids of the people.
    pub people: Vec<String>,
}

/// What groups are called; from the second time round with a number.
const TEAMS: [&str; 12] = [
    "engineering",
    "operations",
    "finance",
    "sales",
    "support",
    "design",
    "legal",
    "research",
    "Küche & Café",
    "закупки",
    "営業部",
    "الموارد البشرية",
];

impl Company {
    /// The company of this seed.
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed, taken: BTreeMap::new() }
    }

    /// Hires one more person, with a username that nobody of this company has.
    pub fn hire(&mut self) -> Employee {
        let Some(culture) = self.pick(CULTURES) else {
            return self.employee(("", "nn"), ("", "nn"), Order::GivenFirst);
        };
        let Culture { given, family, order } = culture;
        let given = self.pick(given).copied().unwrap_or_default();
        let family = self.pick(family).copied().unwrap_or_default();
        self.employee(given, family, *order)
    }

    /// Founds so many groups in Duo, and hires so many people into one to three of them each.
    pub fn fill(&mut self, duo: &mut DuoSim, people: usize, groups: usize) -> Filled {
        let mut filled = Filled::default();
        for number in 0..groups {
            let team = TEAMS.into_iter().cycle().nth(number % TEAMS.len()).unwrap_or_default();
            let round = number / TEAMS.len() + 1;
            let name = if round == 1 { team.to_owned() } else { format!("{team} {round}") };
            filled.groups.push(duo.world.add_group(&name));
        }
        for _ in 0..people {
            let employee = self.hire();
            let user_id = duo.world.add_person(&employee.username, &employee.email);
            let person = duo.world.person_mut(&user_id);
            person.realname = Some(employee.full);
            person.firstname = Some(employee.given);
            person.lastname = Some(employee.family);
            for _ in 0..=self.below(3) {
                // The same group twice is once: so a person in one group is more frequent than one in three.
                let at = self.below(groups);
                if let Some(group_id) = filled.groups.get(at) {
                    duo.world.join(&user_id, group_id);
                }
            }
            filled.people.push(user_id);
        }
        filled
    }

    /// A number below this one; 0 below 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(limit).unwrap_or(0)).unwrap_or(0)
    }

    fn employee(&mut self, given: (&str, &str), family: (&str, &str), order: Order) -> Employee {
        let stem = format!("{}.{}", given.1, family.1);
        let taken = self.taken.entry(stem.clone()).or_default();
        *taken += 1;
        let username = if *taken == 1 { stem } else { format!("{stem}{taken}") };
        let full = match order {
            Order::GivenFirst => format!("{} {}", given.0, family.0),
            Order::FamilyFirst => format!("{}{}", family.0, given.0),
        };
        let email = format!("{username}@example.com");
        Employee { username, email, given: given.0.to_owned(), family: family.0.to_owned(), full }
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len());
        from.get(at)
    }

    /// `SplitMix64`: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
