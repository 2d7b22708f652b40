//! Speaks SCIM 2.0; `scim::atlassian` holds every deviation of Atlassian's service and what it can do.
//!
//! A [`Client`] reads the target and sends one request for each change. It decides nothing: not what to change, not
//! whether to try a write again, and not what follows from a failure.

mod answer;
pub mod atlassian;
mod client;
mod error;
mod filter;
#[cfg(any(test, feature = "fuzzing"))]
pub mod filter_fuzz;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod group;
mod list;
mod patch;
mod reading;
mod schema;
mod settings;
mod user;
mod writing;

pub use client::{Brake, Client};
pub use error::RequestError;
pub use list::ParsePageError;
pub use reading::Service;
pub use schema::ParseResourceError;
pub use settings::{MemberRemoval, Settings};
pub use user::Activity;
pub use writing::Created;
