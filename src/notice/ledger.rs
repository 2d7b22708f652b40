//! What was told already, and what is to be told now. Pure.

use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// While somebody waits to lose access, it is said again so often (S10).
const REMINDER_SECONDS: i64 = 4 * 3_600;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A plan waits for a person.
    Held,
    /// In the plan that waits, somebody is to lose access.
    LeaverWaits,
    /// Three cycles in a row failed.
    Failing,
    /// The API key expires soon.
    KeyExpires,
    /// A service refuses its key.
    KeyDead,
    /// Duo's directory sync has stopped, or lost people.
    DirectorySync,
    /// Something that was told is over.
    Recovered,
}

/// Something that is the case now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is about.
    pub event: Event,
    /// What makes it another one of its kind: a fingerprint, a number of days.
    pub instance: String,
    /// One or two sentences for people, without names.
    pub message: String,
    /// What to do, as commands or menus.
    pub next: Vec<String>,
    /// Who is concerned; sent only when the configuration asks for it.
    pub people: Vec<String>,
}

/// One notice to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about; with [`Event::Recovered`], a condition that is over.
    pub event: Event,
    /// What is the case, or was.
    pub condition: Condition,
    /// 0 for the first, then counted.
    pub reminder: u32,
}

/// What was told. Kept in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    told: BTreeMap<Event, Told>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    instance: String,
    message: String,
    first_at: Timestamp,
    last_at: Timestamp,
    reminders: u32,
}

impl Ledger {
    /// What is to be told now: what is new, what is due again, what is over.
    pub fn due(&self, conditions: &[Condition], now: Timestamp) -> Vec<Notice> {
        let news = conditions.iter().filter_map(|condition| {
            let notice = |reminder| Notice { event: condition.event, condition: condition.clone(), reminder };
            match self.told.get(&condition.event).filter(|told| told.instance == condition.instance) {
                None => Some(notice(0)),
                Some(told) if condition.event == Event::LeaverWaits => {
                    // A clock that was set back must not silence it.
                    let age = now.seconds_since(told.last_at);
                    (!(0..REMINDER_SECONDS).contains(&age)).then(|| notice(told.reminders.saturating_add(1)))
                }
                Some(_) => None,
            }
        });
        let is_over = |event: &Event| !conditions.iter().any(|condition| condition.event == *event);
        // A plan that was decided on needs no all-clear; what was broken does.
        let overs = self.told.iter().filter(|(event, _)| is_over(event) && event.is_trouble()).map(|(event, told)| {
            let condition = Condition {
                event: *event,
                instance: told.instance.clone(),
                message: format!("well again; it was: {}", told.message),
                next: Vec::new(),
                people: Vec::new(),
            };
            Notice { event: Event::Recovered, condition, reminder: 0 }
        });
        news.chain(overs).collect()
    }

    /// Notes that a notice arrived.
    pub fn record(&mut self, notice: &Notice, now: Timestamp) {
        let condition = &notice.condition;
        if notice.event == Event::Recovered {
            self.told.remove(&condition.event);
            return;
        }
        let first_at = match self.told.get(&condition.event) {
            Some(told) if told.instance == condition.instance => told.first_at,
            Some(_) | None => now,
        };
        let told = Told {
            instance: condition.instance.clone(),
            message: condition.message.clone(),
            first_at,
            last_at: now,
            reminders: notice.reminder,
        };
        self.told.insert(condition.event, told);
    }

    /// Forgets what is over and needs no all-clear, so that it is told anew when it comes again.
    pub fn forget_over(&mut self, conditions: &[Condition]) {
        let is_there = |event: &Event| conditions.iter().any(|condition| condition.event == *event);
        self.told.retain(|event, _| event.is_trouble() || is_there(event));
    }
}

impl Event {
    /// Whether somebody wants to hear that it is over.
    const fn is_trouble(self) -> bool {
        match self {
            Self::Failing | Self::KeyDead | Self::DirectorySync => true,
            Self::Held | Self::LeaverWaits | Self::KeyExpires | Self::Recovered => false,
        }
    }

    /// The word in the notice.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::LeaverWaits => "leaver_waits",
            Self::Failing => "failing",
            Self::KeyExpires => "key_expires",
            Self::KeyDead => "key_dead",
            Self::DirectorySync => "directory_sync",
            Self::Recovered => "recovered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Event, Ledger, Timestamp};

    fn condition(event: Event, instance: &str) -> Condition {
        let message = format!("{} {instance}", event.as_str());
        Condition { event, instance: instance.to_owned(), message, next: Vec::new(), people: Vec::new() }
    }

    /// Tells everything that is due, and says what it was.
    fn tell(ledger: &mut Ledger, conditions: &[Condition], hours: i64) -> Vec<String> {
        let now = Timestamp::from_seconds(hours * 3_600);
        let due = ledger.due(conditions, now);
        for notice in &due {
            ledger.record(notice, now);
        }
        ledger.forget_over(conditions);
        due.iter().map(|n| format!("{} {} {}", n.event.as_str(), n.condition.message, n.reminder)).collect()
    }

    #[test]
    fn an_event_is_told_once_and_again_when_it_is_another_one() {
        let mut ledger = Ledger::default();
        let held = |plan| [condition(Event::Held, plan)];
        assert_eq!(tell(&mut ledger, &held("a1"), 0), ["held held a1 0"]);
        assert!(tell(&mut ledger, &held("a1"), 100).is_empty());
        assert_eq!(tell(&mut ledger, &held("b2"), 101), ["held held b2 0"]);
        assert!(tell(&mut ledger, &[], 102).is_empty(), "a decided plan needs no all-clear");
        assert_eq!(tell(&mut ledger, &held("b2"), 103), ["held held b2 0"], "it came back");
    }

    #[test]
    fn while_somebody_waits_to_lose_access_it_is_said_again_every_four_hours() {
        let mut ledger = Ledger::default();
        let waits = [condition(Event::LeaverWaits, "a1")];
        assert_eq!(tell(&mut ledger, &waits, 0).len(), 1);
        assert!(tell(&mut ledger, &waits, 3).is_empty());
        assert_eq!(tell(&mut ledger, &waits, 4), ["leaver_waits leaver_waits a1 1"]);
        assert!(tell(&mut ledger, &waits, 7).is_empty());
        assert_eq!(tell(&mut ledger, &waits, 9), ["leaver_waits leaver_waits a1 2"]);
        assert_eq!(tell(&mut ledger, &waits, 1).len(), 1, "the clock was set back");
    }

    #[test]
    fn what_was_broken_is_said_to_be_well_again() {
        let mut ledger = Ledger::default();
        assert_eq!(tell(&mut ledger, &[condition(Event::Failing, "")], 0).len(), 1);
        assert_eq!(tell(&mut ledger, &[], 1), ["recovered well again; it was: failing  0"]);
        assert!(tell(&mut ledger, &[], 2).is_empty());
    }

    #[test]
    fn what_did_not_arrive_is_due_again() {
        let mut ledger = Ledger::default();
        let dead = [condition(Event::KeyDead, "atlassian")];
        let now = Timestamp::from_seconds(0);
        assert_eq!(ledger.due(&dead, now).len(), 1);
        assert_eq!(ledger.due(&dead, now).len(), 1, "nothing was recorded");
        tell(&mut ledger, &dead, 0);
        assert_eq!(ledger.due(&[], now).len(), 1, "the all-clear too");
        assert_eq!(ledger.due(&[], now).len(), 1);
    }
}
