//! Speaks SCIM 2.0; `scim::atlassian` holds every deviation of Atlassian's service and what it can do.

mod settings;

pub use settings::{MemberRemoval, Settings};
