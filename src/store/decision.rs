//! Plans that were shown, and what people decided about them (S10).

use super::compact::keep_plans_within;
use super::{CycleId, JournalId, Store, StoreError, to_json};
use crate::guard::Item;
use crate::model::Timestamp;
use rusqlite::{OptionalExtension, Row};
use std::collections::{BTreeMap, BTreeSet};

/// What the guard said of a stored plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanVerdict {
    /// It could run.
    Approved,
    /// It waits.
    Held,
}

/// A plan as it was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRecord {
    /// All digits.
    pub fingerprint: String,
    /// The cycle that made it last.
    pub cycle: CycleId,
    /// When.
    pub created_at: Timestamp,
    /// What the guard said.
    pub verdict: PlanVerdict,
    /// The plan document, as JSON text: a large one is not taken apart unless it is shown.
    pub document: String,
    /// What an approval covers.
    pub risky: BTreeSet<Item>,
}

/// What somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may run.
    Approved,
    /// It may not.
    Rejected,
}

impl Decision {
    /// The word in the database and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The login name of the process.
    pub login: String,
    /// Who called sudo, when somebody did.
    pub sudo_user: Option<String>,
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.sudo_user {
            Some(user) => write!(f, "{user} (as {})", self.login),
            None => f.write_str(&self.login),
        }
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// About which plan.
    pub fingerprint: String,
    /// What was decided.
    pub decision: Decision,
    /// When.
    pub at: Timestamp,
    /// Until when an approval counts.
    pub expires_at: Option<Timestamp>,
    /// By whom.
    pub who: Who,
    /// Why, in their words.
    pub note: String,
    /// What it covers.
    pub risky: BTreeSet<Item>,
}

impl DecisionRecord {
    /// Whether it is about a whole plan with these risky changes: one part of a saved plan can be approved alone.
    pub fn is_about(&self, risky: &BTreeSet<Item>) -> bool {
        self.decision == Decision::Rejected || risky.is_subset(&self.risky)
    }
}

/// All kept plans together are at most so large: the oldest go first, and none that waits for a person.
const PLAN_BYTES_MAX: i64 = 64 << 20;

impl Store {
    /// Keeps a plan so that it can be shown and approved. A plan that was shown before keeps its first moment.
    pub fn record_plan(&mut self, plan: &PlanRecord) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Sqlite { doing: "keep the plan", path: path.clone(), source };
        let verdict = if plan.verdict == PlanVerdict::Held { "held" } else { "approved" };
        let risky = to_json(&plan.risky);
        let bytes = i64::try_from(plan.document.len().saturating_add(risky.len())).unwrap_or(i64::MAX);
        let sql = "INSERT INTO plan (fingerprint, cycle, created_at, verdict, document, risky, bytes) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (fingerprint) \
                   DO UPDATE SET cycle = ?2, verdict = ?4, document = ?5, risky = ?6, bytes = ?7";
        let values =
            (&plan.fingerprint, plan.cycle.0, plan.created_at.seconds(), verdict, &plan.document, risky, bytes);
        let transaction = self.connection.transaction().map_err(&failed)?;
        transaction.prepare_cached(sql).and_then(|mut sql| sql.execute(values)).map_err(&failed)?;
        keep_plans_within(&transaction, PLAN_BYTES_MAX, plan.created_at).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// The plans whose fingerprint begins so; more than one only for too few digits.
    pub fn read_plans(&self, prefix: &str) -> Result<Vec<PlanRecord>, StoreError> {
        let doing = "read a plan";
        let sql = format!("{PLAN} WHERE substr(fingerprint, 1, length(?1)) = ?1 ORDER BY cycle DESC");
        let mut statement = self.connection.prepare(&sql).map_err(self.failed(doing))?;
        let rows = statement.query_map([prefix], plan).map_err(self.failed(doing))?;
        rows.collect::<Result<_, _>>().map_err(self.failed(doing))
    }

    /// The plan that waits for a person, if the newest plan about everybody does. What is done meanwhile to one person,
    /// by a saved plan or by an undo leaves it waiting, unless it did that very plan.
    pub fn read_held_plan(&self) -> Result<Option<PlanRecord>, StoreError> {
        let sql = format!("{PLAN} WHERE fingerprint = ({NEWEST_ABOUT_EVERYBODY})");
        let newest = self.connection.query_row(&sql, [], plan).optional().map_err(self.failed("read the held plan"))?;
        Ok(newest.filter(|plan| plan.verdict == PlanVerdict::Held))
    }

    /// Records what somebody decided.
    pub fn record_decision(&mut self, record: &DecisionRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO decision (fingerprint, decision, at, expires_at, login, sudo_user, note, risky, journal) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (SELECT COALESCE(MAX(id), 0) FROM journal))";
        let values = (
            &record.fingerprint,
            record.decision.as_str(),
            record.at.seconds(),
            record.expires_at.map(Timestamp::seconds),
            &record.who.login,
            &record.who.sudo_user,
            &record.note,
            to_json(&record.risky),
        );
        self.connection.execute(sql, values).map_err(self.failed("record the decision")).map(drop)
    }

    /// Every decision about one plan, oldest first.
    pub fn read_decisions(&self, fingerprint: &str) -> Result<Vec<DecisionRecord>, StoreError> {
        let rest = format!("WHERE fingerprint = {}", quoted(fingerprint));
        Ok(self.decisions(&rest)?.into_iter().map(|(record, _)| record).collect())
    }

    /// What people have approved and what is still valid, less what was rejected after it, and less what was done
    /// since: the same change, planned anew, is judged anew. Where the database is not trusted since a moment, what was
    /// approved before it does not count: who approved it saw another target (S19).
    pub fn read_approved_items(
        &self,
        now: Timestamp,
        untrusted_since: Option<Timestamp>,
    ) -> Result<BTreeSet<Item>, StoreError> {
        let mut items = BTreeSet::new();
        for record in self.read_standing_decisions(now)? {
            match record.decision {
                Decision::Approved if untrusted_since.is_none_or(|since| since <= record.at) => {
                    items.extend(record.risky);
                }
                Decision::Approved => {}
                Decision::Rejected => items.retain(|item| !record.risky.contains(item)),
            }
        }
        Ok(items)
    }

    /// By which approvals these items may be sent: of each, the newest one in force that covers it.
    pub fn read_approvals_of(&self, items: &BTreeSet<Item>, now: Timestamp) -> Result<Vec<DecisionRecord>, StoreError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let decisions = self.read_standing_decisions(now)?;
        let mut covered: BTreeMap<&Item, usize> = BTreeMap::new();
        for (index, record) in decisions.iter().enumerate() {
            let concerned = record.risky.intersection(items);
            match record.decision {
                Decision::Approved => covered.extend(concerned.map(|item| (item, index))),
                Decision::Rejected => covered.retain(|item, _| !record.risky.contains(*item)),
            }
        }
        let used: BTreeSet<usize> = covered.into_values().collect();
        let records = decisions.into_iter().enumerate().filter(|(index, _)| used.contains(index));
        Ok(records.map(|(_, record)| record).collect())
    }

    /// Every decision, oldest first, without approvals that have expired; of the others, without what was done since.
    fn read_standing_decisions(&self, now: Timestamp) -> Result<Vec<DecisionRecord>, StoreError> {
        let mut decisions = self.decisions("ORDER BY id")?;
        let is_in_force = |record: &DecisionRecord| record.expires_at.is_none_or(|until| now < until);
        decisions.retain(|(record, _)| record.decision == Decision::Rejected || is_in_force(record));
        let approvals = || decisions.iter().filter(|(record, _)| record.decision == Decision::Approved);
        let since = (approvals().map(|(_, last)| *last).min(), approvals().map(|(record, _)| record.at).min());
        if let (Some(last), Some(at)) = since {
            let done = self.read_done_since((last, at))?;
            for (record, last) in decisions.iter_mut().filter(|(record, _)| record.decision == Decision::Approved) {
                let at = record.at;
                record.risky.retain(|item| !done.get(item).is_some_and(|done| done.is_after((*last, at))));
            }
        }
        Ok(decisions.into_iter().map(|(record, _)| record).collect())
    }

    /// What people have rejected and what still stands, less what was approved after it.
    pub fn read_rejected_items(&self) -> Result<BTreeSet<Item>, StoreError> {
        let mut items = BTreeSet::new();
        for (record, _) in self.decisions("ORDER BY id")? {
            match record.decision {
                Decision::Rejected if record.expires_at.is_none() => items.extend(record.risky),
                Decision::Rejected => {}
                Decision::Approved => items.retain(|item| !record.risky.contains(item)),
            }
        }
        Ok(items)
    }

    /// Ends the rejections of which nothing is planned any more: the same change, planned anew one day, is judged anew.
    pub fn let_rejections_lapse(&mut self, planned: &BTreeSet<Item>) -> Result<(), StoreError> {
        let standing = self.decisions("WHERE decision = 'rejected' AND expires_at IS NULL")?;
        for (record, _) in standing.iter().filter(|(record, _)| record.risky.is_disjoint(planned)) {
            let sql = "UPDATE decision SET expires_at = at WHERE fingerprint = ?1 AND decision = 'rejected'";
            self.connection.execute(sql, [&record.fingerprint]).map_err(self.failed("end a rejection"))?;
        }
        Ok(())
    }

    /// Decisions, each with the last entry of the journal at its time.
    fn decisions(&self, rest: &str) -> Result<Vec<(DecisionRecord, JournalId)>, StoreError> {
        let doing = "read the decisions";
        let columns = "fingerprint, decision, at, expires_at, login, sudo_user, note, risky, journal";
        let sql = format!("SELECT {columns} FROM decision {rest}");
        let mut statement = self.connection.prepare(&sql).map_err(self.failed(doing))?;
        let mut rows = statement.query([]).map_err(self.failed(doing))?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(self.failed(doing))? {
            let text = |index: usize| row.get::<_, String>(index).map_err(self.failed(doing));
            let expires_at: Option<i64> = row.get(3).map_err(self.failed(doing))?;
            let last = JournalId(row.get(8).map_err(self.failed(doing))?);
            let record = DecisionRecord {
                fingerprint: text(0)?,
                decision: if text(1)? == "approved" { Decision::Approved } else { Decision::Rejected },
                at: Timestamp::from_seconds(row.get(2).map_err(self.failed(doing))?),
                expires_at: expires_at.map(Timestamp::from_seconds),
                who: Who { login: text(4)?, sudo_user: row.get(5).map_err(self.failed(doing))? },
                note: text(6)?,
                risky: self.json("a decision", &text(7)?)?,
            };
            records.push((record, last));
        }
        Ok(records)
    }
}

/// The fingerprint of the newest plan about everybody.
pub(super) const NEWEST_ABOUT_EVERYBODY: &str = "SELECT fingerprint FROM cycle WHERE fingerprint IS NOT NULL \
     AND command NOT IN ('sync --person', 'apply', 'undo', 'undo --dry-run') ORDER BY id DESC LIMIT 1";

const PLAN: &str = "SELECT fingerprint, cycle, created_at, verdict, document, risky FROM plan";

fn plan(row: &Row<'_>) -> rusqlite::Result<PlanRecord> {
    let (verdict, document, risky): (String, String, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
    Ok(PlanRecord {
        fingerprint: row.get(0)?,
        cycle: CycleId(row.get(1)?),
        created_at: Timestamp::from_seconds(row.get(2)?),
        verdict: if verdict == "held" { PlanVerdict::Held } else { PlanVerdict::Approved },
        document,
        risky: serde_json::from_str(&risky).unwrap_or_default(),
    })
}

/// A text as an SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
