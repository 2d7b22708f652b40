//! Nothing is done twice unless something changed between.

use std::collections::BTreeMap;

/// What was done to whom, in which group.
type Deed = (String, String, Option<String>);

/// What was done, and how often something had changed by then.
#[derive(Debug, Default)]
pub struct Twice {
    touched: BTreeMap<String, u64>,
    everybody: u64,
    done: BTreeMap<Deed, u64>,
}

impl Twice {
    /// Something changed about one person.
    pub fn touch(&mut self, person: &str) {
        *self.touched.entry(person.to_owned()).or_default() += 1;
    }

    /// Something changed that may concern everybody.
    pub const fn touch_everybody(&mut self) {
        self.everybody += 1;
    }

    /// Notes a deed; false when it was done before, and nothing has changed since.
    pub fn is_new(&mut self, what: &str, person: &str, group: Option<&str>) -> bool {
        let changes = self.everybody + self.touched.get(person).copied().unwrap_or(0) + 1;
        let deed = (what.to_owned(), person.to_owned(), group.map(str::to_owned));
        self.done.insert(deed, changes) != Some(changes)
    }
}
