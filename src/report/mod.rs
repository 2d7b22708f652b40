//! Renders plans and findings as a document (JSON), text or Markdown. Pure: into strings, never onto a terminal.

mod document;
mod markdown;
mod plain;
mod text;

pub use document::{
    BaseDocument, FORMAT, ForecastDocument, GuardDocument, Header, PlanDocument, SourceDocument, TargetDocument,
};
pub use markdown::markdown;
pub use plain::plain;
pub use text::text;

#[cfg(test)]
mod tests;
