//! The checks of a paged listing (S1). Pure: pages in, a whole listing or a fault out.
//!
//! Duo promises no snapshot while one pages, and its servers may return another number of rows than asked for (Duo
//! staff, `duo_client_python` issue 63). So every page must begin where the last one ended, and the sum must be right.

use std::collections::BTreeMap;

/// One page of a listing.
#[derive(Clone, Debug)]
pub(super) struct Page<T> {
    /// Rows by id, in Duo's order.
    pub(super) rows: Vec<(String, T)>,
    /// Where the next page begins; none on the last.
    pub(super) next_offset: Option<u64>,
    /// How many rows there are in all.
    pub(super) total: Option<u64>,
}

/// What follows a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another page, from this offset.
    At(u64),
    /// Nothing.
    End,
}

/// Why a reading does not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("next_offset {next} does not go on from {offset}")]
    StoodStill { offset: u64, next: u64 },
    #[error("next_offset {next} skips rows: {received} were received")]
    Jumped { received: u64, next: u64 },
    #[error("next_offset {next} goes back: {received} rows were received")]
    WentBack { received: u64, next: u64 },
    #[error("{0} came twice")]
    Repeated(String),
    #[error("{received} rows were received, but Duo counts {total}")]
    Total { received: u64, total: u64 },
    #[error("{0}")]
    Row(String),
}

/// A reading under way.
#[derive(Clone, Debug)]
pub(super) struct Reading<T> {
    rows: BTreeMap<String, T>,
    limit: u64,
    received: u64,
    repeated: Option<String>,
    totals: Option<Totals>,
}

#[derive(Clone, Copy, Debug)]
struct Totals {
    least: u64,
    most: u64,
    last: u64,
}

/// A reading that reached its end.
#[derive(Clone, Debug)]
pub(super) enum Ended<T> {
    /// Everything adds up.
    Whole(BTreeMap<String, T>),
    /// The total moved meanwhile, and that explains what does not add up.
    Moved(BTreeMap<String, T>),
}

impl<T> Reading<T> {
    /// Begins; `limit` rows are asked for at a time.
    pub(super) fn new(limit: u64) -> Self {
        Self { rows: BTreeMap::new(), limit, received: 0, repeated: None, totals: None }
    }

    /// How many different rows there are so far.
    pub(super) fn len(&self) -> u64 {
        count(self.rows.len())
    }

    /// The total as the last page had it.
    pub(super) fn total(&self) -> Option<u64> {
        self.totals.map(|totals| totals.last)
    }

    /// The rows so far.
    pub(super) fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// The ids so far.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.rows.keys()
    }

    /// Takes the page that was asked for at the offset where the last one ended.
    pub(super) fn accept(&mut self, page: Page<T>) -> Result<Next, Fault> {
        let offset = self.received;
        let rows = count(page.rows.len());
        if let Some(total) = page.total {
            let before = self.totals.unwrap_or(Totals { least: total, most: total, last: total });
            self.totals = Some(Totals { least: before.least.min(total), most: before.most.max(total), last: total });
        }
        let mut repeats = 0;
        for (id, row) in page.rows {
            if self.rows.contains_key(&id) {
                repeats += 1;
                self.repeated.get_or_insert_with(|| id.clone());
            }
            self.rows.insert(id, row);
        }
        self.received = offset.saturating_add(rows);
        // A page without anything new is a page that was given twice; it would never end.
        if let (true, Some(id)) = (rows > 0 && repeats == rows, &self.repeated) {
            return Err(Fault::Repeated(id.clone()));
        }
        self.next(offset, rows, page.next_offset)
    }

    fn next(&self, offset: u64, rows: u64, next: Option<u64>) -> Result<Next, Fault> {
        let received = self.received;
        match next {
            Some(next) if next == offset => Err(Fault::StoodStill { offset, next }),
            Some(next) if next > received => Err(Fault::Jumped { received, next }),
            Some(next) if next < received => Err(Fault::WentBack { received, next }),
            Some(next) => Ok(Next::At(next)),
            // Neither a total nor a next page, but a full page: ask on, rather than believe in a round number.
            None if self.totals.is_none() && rows >= self.limit => Ok(Next::At(received)),
            None => Ok(Next::End),
        }
    }

    /// Judges the sum after the last page.
    pub(super) fn end(self) -> Result<Ended<T>, Fault> {
        let Totals { least, most, last } =
            self.totals.unwrap_or(Totals { least: self.received, most: self.received, last: self.received });
        let moved = most.saturating_sub(least);
        if self.received.abs_diff(last) > moved {
            return Err(Fault::Total { received: self.received, total: last });
        }
        match self.repeated {
            _ if moved > 0 => Ok(Ended::Moved(self.rows)),
            Some(id) => Err(Fault::Repeated(id)),
            None => Ok(Ended::Whole(self.rows)),
        }
    }
}

/// A length as a number of rows.
pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Ended, Fault, Next, Page, Reading};

    /// A page with the ids `from..to`.
    fn page(from: u64, to: u64, next_offset: Option<u64>, total: Option<u64>) -> Page<()> {
        Page { rows: (from..to).map(|n| (format!("DU{n:03}"), ())).collect(), next_offset, total }
    }

    fn read(pages: Vec<Page<()>>) -> Result<Ended<()>, Fault> {
        let mut reading = Reading::new(10);
        for page in pages {
            if reading.accept(page)? == Next::End {
                return reading.end();
            }
        }
        panic!("the pages came to an end before the listing did");
    }

    fn whole(pages: Vec<Page<()>>) -> usize {
        match read(pages) {
            Ok(Ended::Whole(rows)) => rows.len(),
            other => panic!("{other:?}"),
        }
    }

    fn moved(pages: Vec<Page<()>>) -> usize {
        match read(pages) {
            Ok(Ended::Moved(rows)) => rows.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_listing_that_adds_up_is_whole() {
        assert_eq!(whole(vec![page(0, 0, None, Some(0))]), 0);
        assert_eq!(whole(vec![page(0, 10, Some(10), Some(13)), page(10, 13, None, Some(13))]), 13);
        assert_eq!(whole(vec![page(0, 7, Some(7), Some(9)), page(7, 9, None, None)]), 9, "a limit is a wish");
        assert_eq!(whole(vec![page(0, 25, None, Some(25))]), 25, "in the other direction too");
        assert_eq!(whole(vec![page(0, 10, Some(10), Some(10)), page(0, 0, None, Some(10))]), 10, "an empty last page");
        assert_eq!(whole(vec![page(0, 3, None, None)]), 3);
    }

    #[test]
    fn a_full_page_without_any_metadata_is_not_believed_to_be_the_last() {
        assert_eq!(whole(vec![page(0, 10, None, None), page(10, 12, None, None)]), 12);
        assert_eq!(whole(vec![page(0, 10, None, None), page(0, 0, None, None)]), 10);
        let ignored_offset = read(vec![page(0, 10, None, None), page(0, 10, None, None)]);
        assert_eq!(ignored_offset.unwrap_err(), Fault::Repeated("DU000".into()));
    }

    #[test]
    fn an_offset_that_does_not_go_on_is_a_fault() {
        let first = || page(0, 10, Some(10), Some(30));
        let second = |next| read(vec![first(), page(10, 20, Some(next), Some(30))]).unwrap_err();
        assert_eq!(second(10), Fault::StoodStill { offset: 10, next: 10 });
        assert_eq!(second(0), Fault::WentBack { received: 20, next: 0 });
        assert_eq!(second(15), Fault::WentBack { received: 20, next: 15 });
        assert_eq!(second(25), Fault::Jumped { received: 20, next: 25 });
        let empty = read(vec![first(), page(0, 0, Some(10), Some(30))]).unwrap_err();
        assert_eq!(empty, Fault::StoodStill { offset: 10, next: 10 });
    }

    #[test]
    fn a_sum_that_does_not_agree_is_a_fault() {
        let total = |received, total| Fault::Total { received, total };
        assert_eq!(read(vec![page(0, 10, None, Some(30))]).unwrap_err(), total(10, 30));
        assert_eq!(read(vec![page(0, 0, None, Some(951))]).unwrap_err(), total(0, 951), "an empty list that lies");
        assert_eq!(read(vec![page(0, 10, None, Some(9))]).unwrap_err(), total(10, 9));
        let short = vec![page(0, 10, Some(10), Some(30)), page(10, 20, None, Some(29))];
        assert_eq!(read(short).unwrap_err(), total(20, 29), "a total that moved by one does not explain nine");
    }

    #[test]
    fn an_id_that_comes_twice_is_a_fault() {
        let again = vec![page(0, 10, Some(10), Some(19)), page(9, 18, None, Some(19))];
        assert_eq!(read(again).unwrap_err(), Fault::Repeated("DU009".into()));
        let page_again = vec![page(0, 10, Some(10), Some(20)), page(0, 10, Some(20), Some(20))];
        assert_eq!(read(page_again).unwrap_err(), Fault::Repeated("DU000".into()));
    }

    #[test]
    fn a_total_that_moves_is_told_apart() {
        // One was removed from the first page: the second begins one row later, and one person is missed.
        assert_eq!(moved(vec![page(0, 10, Some(10), Some(20)), page(11, 20, None, Some(19))]), 19);
        // One was added before: the last of the first page comes again.
        assert_eq!(moved(vec![page(0, 10, Some(10), Some(19)), page(9, 19, None, Some(20))]), 19);
    }
}
