//! What is known of the form in which members are removed (S15): whether the target does with it what was meant.

use super::open::{read_meta, write_meta};
use super::{Store, StoreError, to_json};
use crate::model::Timestamp;
use serde::{Deserialize, Serialize};

const MEMBER_REMOVAL: &str = "member_removal";

/// What is known of one form of removing members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removals {
    /// Nothing: the next removal goes alone, and what it did is looked at before others follow.
    Untried,
    /// An answer showed that exactly those were removed who were meant.
    Proven,
    /// It removed others as well: nobody is removed in this form any more. The reason.
    Stopped(String),
}

#[derive(Serialize, Deserialize)]
struct Known {
    form: String,
    stopped: Option<String>,
}

impl Store {
    /// What is known of this form of `atlassian.member_removal`. Of another form than the last nothing is.
    pub fn removals(&self, form: &str) -> Result<Removals, StoreError> {
        let known = self.known_removal()?.filter(|known| known.form == form);
        Ok(known.map_or(Removals::Untried, |known| known.stopped.map_or(Removals::Proven, Removals::Stopped)))
    }

    /// Why no members are removed, when they are not, and in which form.
    pub fn removals_stopped(&self) -> Result<Option<(String, String)>, StoreError> {
        Ok(self.known_removal()?.and_then(|known| Some((known.form, known.stopped?))))
    }

    /// Notes that this form does what it should.
    pub fn record_removals_proven(&mut self, form: &str) -> Result<(), StoreError> {
        self.write_removal(Some(&Known { form: form.to_owned(), stopped: None }))
    }

    /// Stops removals in this form, until it is changed in the configuration or somebody lets them go on.
    pub fn stop_removals(&mut self, form: &str, reason: &str, at: Timestamp) -> Result<String, StoreError> {
        let reason = format!("no members are removed from groups since {at}: {reason}");
        self.write_removal(Some(&Known { form: form.to_owned(), stopped: Some(reason.clone()) }))?;
        Ok(reason)
    }

    /// Forgets what is known: the next removal is looked at again.
    pub fn doubt_removals(&mut self) -> Result<(), StoreError> {
        self.write_removal(None)
    }

    /// Lets removals go on. Says whether they were stopped.
    pub fn allow_removals(&mut self) -> Result<bool, StoreError> {
        let was_stopped = self.removals_stopped()?.is_some();
        if was_stopped {
            self.write_removal(None)?;
        }
        Ok(was_stopped)
    }

    fn known_removal(&self) -> Result<Option<Known>, StoreError> {
        let doing = "read how members are removed";
        let text = read_meta(&self.connection, MEMBER_REMOVAL).map_err(self.failed(doing))?;
        text.filter(|text| !text.is_empty()).map(|text| self.json("how members are removed", &text)).transpose()
    }

    fn write_removal(&mut self, known: Option<&Known>) -> Result<(), StoreError> {
        let text = known.map(to_json).unwrap_or_default();
        let doing = "note how members are removed";
        write_meta(&self.connection, MEMBER_REMOVAL, &text).map_err(self.failed(doing))
    }
}
