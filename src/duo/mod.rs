//! Signs Admin API calls and reads selected groups and people to the last page, or fails.

mod answer;
mod client;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod line;
mod listing;
mod page;
mod record;
mod roster;
mod settings;
pub mod sign;
#[cfg(any(test, feature = "fuzzing"))]
pub mod sign_fuzz;
mod way;

pub use client::{Client, Probe};
pub use error::ReadError;
pub use listing::{Progress, Stage};
pub use record::PersonWithGroups;
pub use settings::{Settings, SignatureVersion};
