//! Signs Admin API calls and reads selected groups and people to the last page, or fails.

mod settings;

pub use settings::{Settings, SignatureVersion};
