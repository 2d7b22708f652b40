//! Reads a saved plan, or says why its word is not taken.

use super::document::{FORMAT, PlanDocument};
use super::plain::plain;
use crate::plan::Fingerprint;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why a file is not a plan that can be trusted; goes on after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum ReadPlanError {
    /// It is cut, or no plan at all.
    #[error("is not a whole plan ({})", start_of(&.0.to_string()))]
    NotWhole(serde_json::Error),
    /// A plan of another version of this program, or of another program.
    #[error("has the format {:?}, and this program knows {FORMAT:?}", start_of(.0))]
    Format(String),
    /// Somebody changed the actions, or the fingerprint.
    #[error("was altered: its actions do not have the fingerprint that it states")]
    Altered,
}

/// So much of what a file holds is repeated in a message.
const CHARACTERS_MAX: usize = 200;

/// The start of a text in one line.
fn start_of(text: &str) -> String {
    let start: String = text.chars().take(CHARACTERS_MAX).collect();
    let dots = if start.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", plain(&start))
}

impl PlanDocument {
    /// Reads the JSON of a plan, as [`FORMAT`] has it.
    ///
    /// # Errors
    /// When it is not whole, has another format, or its actions do not have the fingerprint that it states.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadPlanError> {
        let document: Self = serde_json::from_slice(bytes).map_err(ReadPlanError::NotWhole)?;
        if document.format != FORMAT {
            return Err(ReadPlanError::Format(document.format));
        }
        let ids: BTreeSet<&str> = document.actions.iter().map(|action| action.id.as_str()).collect();
        // A name that this program does not know, or one that is missing, would be read as if nothing stood there.
        let entries =
            serde_json::from_slice::<Value>(bytes).ok().and_then(|mut whole| Some(whole.get_mut("actions")?.take()));
        let is_whole = serde_json::to_value(&document.actions).ok() == entries;
        let fingerprint = Fingerprint::of_documents(document.actions.iter().cloned());
        if fingerprint.as_str() != document.fingerprint || ids.len() != document.actions.len() || !is_whole {
            return Err(ReadPlanError::Altered);
        }
        Ok(document)
    }
}
