//! What notices told already, and what was found out about the key, kept over restarts.

use super::open::{read_meta, write_meta};
use super::{Store, StoreError, to_json};
use crate::model::Timestamp;
use crate::notice::Ledger;
use serde::{Deserialize, Serialize};

const TOLD: &str = "notices";
const KEY: &str = "atlassian_key";

/// When the key of the target was last tried without need, and what came of it (S21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTrial {
    /// When.
    pub at: Timestamp,
    /// Why it is no good; none: it opens the directory.
    pub dead: Option<String>,
}

impl Store {
    /// What was told already.
    pub fn read_told(&self) -> Result<Ledger, StoreError> {
        let text = read_meta(&self.connection, TOLD).map_err(self.failed("read what was told"))?;
        Ok(text.map(|text| self.json("what was told", &text)).transpose()?.unwrap_or_default())
    }

    /// Notes what was told.
    pub fn record_told(&mut self, ledger: &Ledger) -> Result<(), StoreError> {
        write_meta(&self.connection, TOLD, &to_json(ledger)).map_err(self.failed("note what was told"))
    }

    /// The last trial of the key.
    pub fn read_key_trial(&self) -> Result<Option<KeyTrial>, StoreError> {
        let text = read_meta(&self.connection, KEY).map_err(self.failed("read the last trial of the key"))?;
        text.map(|text| self.json("the last trial of the key", &text)).transpose()
    }

    /// Notes a trial of the key.
    pub fn record_key_trial(&mut self, trial: &KeyTrial) -> Result<(), StoreError> {
        write_meta(&self.connection, KEY, &to_json(trial)).map_err(self.failed("note the trial of the key"))
    }
}
