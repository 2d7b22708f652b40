//! Tells somebody elsewhere, by a webhook, that a person is needed, and when all is well again.
//!
//! Each event is told once, with reminders only while somebody waits to lose access (S10). What was not delivered is
//! told after the next cycle. No person is named unless the configuration asks for it.

mod ledger;
mod webhook;

pub use ledger::{Condition, Event, Ledger, Notice};
pub use webhook::{People, SendNoticeError, Settings, Webhook};
