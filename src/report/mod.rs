//! Renders plans and findings as a document (JSON), text or Markdown. Pure: into strings, never onto a terminal.

mod document;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod markdown;
mod plain;
mod read;
mod text;

pub use document::{
    BaseDocument, FORMAT, ForecastDocument, GuardDocument, Header, PlanDocument, SourceDocument, TargetDocument,
};
pub use markdown::markdown;
pub use plain::plain;
pub use read::ReadPlanError;
pub use text::text;

#[cfg(test)]
mod tests;
