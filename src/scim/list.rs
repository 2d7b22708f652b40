//! Walking a listing to its last row (RFC 7644 section 3.4.2): pure, so that every odd peer can be tried.

use super::atlassian;
use super::schema;
use super::schema::ParseResourceError;
use crate::model::ScimId;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a page is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePageError {
    /// Not a JSON object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// Without it nobody knows whether the listing is complete.
    #[error("it has no `totalResults`")]
    NoTotal,
    /// A row cannot be read.
    #[error("row {row} cannot be read")]
    Row {
        /// Which, from 1 on, on its page.
        row: usize,
        /// Why.
        #[source]
        source: ParseResourceError,
    },
}

/// The listing ended before every row was there: unread, which is not the same as empty (S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incomplete {
    /// Different rows that arrived.
    pub(super) received: u64,
    /// How many there are by `totalResults`.
    pub(super) total: u64,
}

/// How it goes on after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Every row is there.
    Done,
    /// The page that begins at this row is needed.
    Page,
}

/// One page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Page<T> {
    total: u64,
    rows: Vec<(ScimId, T)>,
}

impl<T> Page<T> {
    /// Reads a `ListResponse`. `Resources` may be missing when there are none.
    pub(super) fn parse(
        body: &Value,
        parse_row: fn(&Value) -> Result<(ScimId, T), ParseResourceError>,
    ) -> Result<Self, ParsePageError> {
        let object = body.as_object().ok_or(ParsePageError::NotAnObject)?;
        let total = schema::count(object, "totalResults").ok_or(ParsePageError::NoTotal)?;
        let read = |(at, row)| parse_row(row).map_err(|source| ParsePageError::Row { row: at + 1, source });
        let rows = schema::list(object, "Resources").iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { total, rows })
    }
}

/// A walk through a listing.
#[derive(Debug)]
pub(super) struct Walk<T> {
    found: BTreeMap<ScimId, T>,
    received: u64,
    pages: u32,
}

impl<T> Walk<T> {
    /// Nothing read yet.
    pub(super) const fn new() -> Self {
        Self { found: BTreeMap::new(), received: 0, pages: 0 }
    }

    /// The `startIndex` of the next page, from 1 on: by the rows that came, since a server may give fewer than asked
    /// for.
    pub(super) const fn start_index(&self) -> u64 {
        self.received.saturating_add(1)
    }

    /// How many different rows there are so far.
    pub(super) fn len(&self) -> u64 {
        self.found.len() as u64
    }

    /// Takes a page in. A page without anything new ends the walk, so that a server that ignores `startIndex` and gives
    /// its first page for ever cannot hold it.
    pub(super) fn take(&mut self, page: Page<T>) -> Result<Next, Incomplete> {
        let before = self.len();
        self.pages = self.pages.saturating_add(1);
        self.received = self.received.saturating_add(page.rows.len() as u64);
        self.found.extend(page.rows);
        if self.len() >= page.total {
            return Ok(Next::Done);
        }
        if self.len() == before || self.pages >= atlassian::PAGES_MAX {
            return Err(Incomplete { received: self.len(), total: page.total });
        }
        Ok(Next::Page)
    }

    /// What was found.
    pub(super) fn into_found(self) -> BTreeMap<ScimId, T> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::{Incomplete, Next, Page, ParsePageError, Walk};
    use crate::model::ScimId;
    use crate::scim::atlassian;
    use crate::scim::user;
    use serde_json::json;

    fn page(total: u64, ids: std::ops::Range<u64>) -> Page<()> {
        Page { total, rows: ids.map(|id| (ScimId::new(id.to_string()), ())).collect() }
    }

    /// Walks a server that has `total` rows, gives `cap` at most, and is asked by `startIndex`.
    fn walk(total: u64, cap: u64, place: fn(u64) -> u64) -> (Result<(), Incomplete>, u64, u32) {
        let mut walk = Walk::new();
        loop {
            let from = place(walk.start_index()) - 1;
            let end = match walk.take(page(total, from..(from + cap).min(total).max(from))) {
                Ok(Next::Page) => continue,
                Ok(Next::Done) => Ok(()),
                Err(incomplete) => Err(incomplete),
            };
            return (end, walk.len(), walk.pages);
        }
    }

    #[test]
    fn every_row_is_read_whatever_the_server_caps_a_page_at() {
        assert_eq!(walk(250, 100, |start| start), (Ok(()), 250, 3));
        assert_eq!(walk(250, 7, |start| start), (Ok(()), 250, 36));
        assert_eq!(walk(100, 100, |start| start), (Ok(()), 100, 1));
        assert_eq!(walk(0, 100, |start| start), (Ok(()), 0, 1));
    }

    #[test]
    fn a_server_that_ignores_start_index_ends_the_walk() {
        assert_eq!(walk(50, 100, |_| 1), (Ok(()), 50, 1), "all on one page: nothing is missing");
        assert_eq!(walk(250, 100, |_| 1), (Err(Incomplete { received: 100, total: 250 }), 100, 2));
    }

    #[test]
    fn an_empty_page_before_the_total_is_unread() {
        let mut walk = Walk::new();
        assert_eq!(walk.take(page(3, 0..2)), Ok(Next::Page));
        assert_eq!(walk.take(page(3, 0..0)), Err(Incomplete { received: 2, total: 3 }));
    }

    #[test]
    fn a_row_that_comes_twice_counts_once() {
        let mut walk = Walk::new();
        assert_eq!(walk.take(page(4, 0..2)), Ok(Next::Page));
        assert_eq!(walk.take(page(4, 1..3)), Ok(Next::Page), "a row moved between the pages");
        assert_eq!(walk.start_index(), 5);
        assert_eq!(walk.take(page(4, 4..4)), Err(Incomplete { received: 3, total: 4 }));
    }

    #[test]
    fn a_total_that_always_grows_ends_at_the_cap() {
        let (end, rows, pages) = {
            let mut walk = Walk::new();
            loop {
                let from = walk.start_index() - 1;
                match walk.take(page(from + 2, from..from + 1)) {
                    Ok(Next::Page) => {}
                    end => break (end, walk.len(), walk.pages),
                }
            }
        };
        assert!(end.is_err());
        assert_eq!((rows, pages), (u64::from(atlassian::PAGES_MAX), atlassian::PAGES_MAX));
    }

    #[test]
    fn pages_are_read_leniently_but_not_blindly() {
        let parse = |body: serde_json::Value| Page::parse(&body, user::parse);
        assert_eq!(parse(json!({"totalResults": 0})).unwrap().total, 0);
        assert_eq!(parse(json!({"totalResults": "2", "resources": [{"id": "1"}]})).unwrap().rows.len(), 1);
        assert_eq!(parse(json!({"Resources": []})).unwrap_err(), ParsePageError::NoTotal);
        assert_eq!(parse(json!([])).unwrap_err(), ParsePageError::NotAnObject);
        let error = parse(json!({"totalResults": 1, "Resources": [{"userName": "ana"}]})).unwrap_err();
        assert_eq!(error.to_string(), "row 1 cannot be read");
    }
}
