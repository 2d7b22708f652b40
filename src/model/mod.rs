//! The nouns: ids, people, accounts, groups, and what is known of them on each side.
//!
//! Values only. Whatever exists here is valid; the adapters parse and reject before they build one.

mod attribute;
mod email;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod id;
mod observed;
mod owned;
mod roster;
mod timestamp;

pub use attribute::{Attribute, Attributes, ParseAttributeError};
pub use email::{Email, ParseEmailError};
pub use id::{GroupId, PersonId, ScimId};
pub use observed::{Observed, ObservedAccount, ObservedGroup};
pub use owned::{Owned, OwnedAccount, OwnedGroup};
pub use roster::{Group, GroupStatus, Person, PersonStatus, Roster};
pub use std::time::Duration;
pub use timestamp::{ParseTimestampError, Timestamp};
