//! Reads a paged listing to its last page, again if it does not add up.

use super::answer::Envelope;
use super::client::{Client, READINGS_MAX, rows};
use super::error::ReadError;
use super::page::{Ended, Fault, Next, Page, Reading};
use serde_json::Value;
use std::collections::BTreeMap;

/// How far a roster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub stage: Stage,
    /// So many are done.
    pub done: u64,
    /// Of so many, when that is known.
    pub total: Option<u64>,
}

/// What is being read; `done` counts these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Groups whose members are read.
    Groups,
    /// People.
    People,
}

/// One listing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing<'a> {
    /// For messages.
    pub(super) what: &'a str,
    /// Percent-encoded.
    pub(super) path: &'a str,
    /// Rows of a page.
    pub(super) limit: u64,
}

/// A listing that was read.
#[derive(Clone, Debug)]
pub(super) struct Read<T> {
    /// Rows by id.
    pub(super) rows: BTreeMap<String, T>,
    /// A sentence about an oddity that did not make it incomplete.
    pub(super) remark: Option<String>,
}

/// A reading that has begun, and where it goes on.
#[derive(Clone, Debug)]
pub(super) struct Begun<T> {
    pub(super) reading: Reading<T>,
    pub(super) next: Next,
}

/// Nobody wants to know how many rows there are so far.
pub(super) fn silent(_rows: u64, _total: Option<u64>) {}

/// Told the rows so far, and the total when it is known.
pub(super) type Tell<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

impl Client {
    /// Reads a listing, from where it was begun or from the start. A reading that does not add up is read again; three
    /// that were only disturbed by a moving total are taken together (S1).
    pub(super) async fn read_listing<T>(
        &self,
        listing: Listing<'_>,
        mut begun: Option<Begun<T>>,
        tell: Tell<'_>,
        parse: impl Fn(&Value) -> Result<(String, T), String>,
    ) -> Result<Read<T>, ReadError> {
        let mut united = BTreeMap::new();
        let mut fault = None;
        for number in 1..=READINGS_MAX {
            match self.read_to_end(listing, begun.take(), tell, &parse).await? {
                Ok(Ended::Whole(rows)) => return Ok(Read { rows, remark: None }),
                Ok(Ended::Moved(rows)) => united.extend(rows),
                Err(found) => fault = Some(found),
            }
            if number < READINGS_MAX {
                self.pause(number).await;
            }
        }
        if let Some(fault) = fault {
            Err(ReadError::incomplete(listing.what, &fault.to_string()))
        } else {
            let remark = format!("{} kept changing while being read; {READINGS_MAX} readings are united", listing.what);
            Ok(Read { rows: united, remark: Some(remark) })
        }
    }

    async fn read_to_end<T>(
        &self,
        listing: Listing<'_>,
        begun: Option<Begun<T>>,
        tell: Tell<'_>,
        parse: &impl Fn(&Value) -> Result<(String, T), String>,
    ) -> Result<Result<Ended<T>, Fault>, ReadError> {
        let Begun { mut reading, mut next } =
            begun.unwrap_or_else(|| Begun { reading: Reading::new(listing.limit), next: Next::At(0) });
        while let Next::At(offset) = next {
            match self.read_page(listing, offset, &mut reading, parse).await? {
                Ok(following) => next = following,
                Err(fault) => return Ok(Err(fault)),
            }
            tell(reading.len(), reading.total());
        }
        Ok(reading.end())
    }

    /// Reads the first page only. `None` when it does not add up: the listing then begins anew.
    pub(super) async fn begin<T>(
        &self,
        listing: Listing<'_>,
        parse: impl Fn(&Value) -> Result<(String, T), String>,
    ) -> Result<Option<Begun<T>>, ReadError> {
        let mut reading = Reading::new(listing.limit);
        let next = self.read_page(listing, 0, &mut reading, &parse).await?;
        Ok(next.ok().map(|next| Begun { reading, next }))
    }

    async fn read_page<T>(
        &self,
        listing: Listing<'_>,
        offset: u64,
        reading: &mut Reading<T>,
        parse: &impl Fn(&Value) -> Result<(String, T), String>,
    ) -> Result<Result<Next, Fault>, ReadError> {
        let params = [("limit", listing.limit.to_string()), ("offset", offset.to_string())];
        let envelope = self.ask(listing.what, listing.path, &params).await?;
        Ok(to_page(&envelope, parse).map_err(Fault::Row).and_then(|page| reading.accept(page)))
    }
}

fn to_page<T>(envelope: &Envelope, parse: &impl Fn(&Value) -> Result<(String, T), String>) -> Result<Page<T>, String> {
    let rows = rows(envelope)?.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { rows, next_offset: envelope.next_offset, total: envelope.total })
}
