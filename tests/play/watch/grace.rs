//! Whether a grace period is given, once and whole.

use super::{Arrived, Promise, Running, Watch};
use crate::play::config::Config;
use crate::play::truth::Should;
use std::collections::BTreeSet;
use std::time::Duration;

impl Watch {
    /// A cycle has compared: who was back in scope all the time, by every list that it can have read, was seen there.
    /// That somebody was back between two cycles only, nobody can know. Who is in no action, by a list or since an
    /// undo, has the whole period ahead once that ends: switching a list off deactivates nobody (S7).
    pub fn compared(&mut self, now: Duration, pinned: &BTreeSet<String>, config: &Config) {
        let mut left_since = std::mem::take(&mut self.left_since);
        left_since.retain(|person, _| self.was_ever_or_shown(person, |should| should.may_lose));
        self.perhaps_compared(pinned, config);
        if config.rules.grace_hours > 0 {
            let noticed: Vec<&String> = left_since.keys().filter(|person| self.is_noticed(person, pinned)).collect();
            for person in noticed {
                self.noticed_by.entry(person.clone()).or_insert(now);
            }
        }
        self.left_since = left_since;
    }

    /// A cycle came to nothing, and may have compared before: who was seen in scope has the whole period ahead, and so
    /// has everybody where none is given.
    pub fn perhaps_compared(&mut self, pinned: &BTreeSet<String>, config: &Config) {
        let mut noticed_by = std::mem::take(&mut self.noticed_by);
        noticed_by.retain(|person, _| config.rules.grace_hours > 0 && self.is_noticed(person, pinned));
        self.noticed_by = noticed_by;
    }

    fn is_noticed(&self, person: &str, pinned: &BTreeSet<String>) -> bool {
        let is_back = |should: &Should| !should.only_left || should.left_alone;
        !pinned.contains(person) && !self.was_ever_or_shown(person, is_back)
    }

    /// Whether somebody should have lost the account in this cycle, by every list that it can have read.
    pub fn is_due(&self, person: &str, config: &Config) -> bool {
        let grace = Duration::from_hours(u64::from(config.rules.grace_hours));
        let is_over = self.noticed_by.get(person).is_some_and(|by| *by + grace <= self.began);
        self.truths.iter().chain(&self.shown).all(|truth| {
            let should = truth.should(person);
            should.may_lose && !should.left_alone && should.perhaps.is_empty() && (!should.only_left || is_over)
        })
    }

    /// The time of grace begins when the program first notices, which is later than it was so.
    pub(super) fn has_had_grace(&mut self, arrived: &Arrived<'_>, person: &str) {
        let grace = Duration::from_hours(u64::from(arrived.config.rules.grace_hours));
        let is_delayed = self.truths.iter().all(|truth| truth.should(person).only_left);
        let since = self.left_since.get(person).copied().unwrap_or_default();
        if is_delayed && self.running == Running::Sync && since + grace > arrived.now {
            self.blame(Promise::GraceIsGiven, || format!("{person} left at {since:?} and had no {grace:?}"));
        }
    }
}
