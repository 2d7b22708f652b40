//! Decides whether a plan may run unattended; the only maker of `Approved`.

mod limits;

pub use limits::{FirstPlan, Limit, Limits};
