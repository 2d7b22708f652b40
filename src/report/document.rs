//! The plan document: a contract, whose names do not change.

use crate::guard::FindingDocument;
use crate::guard::Verdict;
use crate::model::Timestamp;
use crate::plan::ActionDocument;
use crate::plan::Seats;
use crate::plan::SkippedDocument;
use crate::plan::Summary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name and version of the format.
pub const FORMAT: &str = "duo-atlassian-sync.plan/1";

/// Where the desired state comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDocument {
    /// Duo's host.
    pub api_host: String,
    /// Groups in scope.
    pub groups: usize,
    /// People in them.
    pub people: usize,
    /// What reading them cost.
    pub requests: u64,
}

/// Where the plan would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDocument {
    /// The SCIM base URL.
    pub scim_base_url: String,
    /// When the target was last read whole.
    pub last_read_at: Option<Timestamp>,
}

/// What the plan is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseDocument {
    /// The random name of the database.
    pub database_id: String,
    /// Grows whenever the snapshot, the links or the stored rules change.
    pub generation: i64,
    /// Owned accounts.
    pub accounts: usize,
    /// Owned groups.
    pub groups: usize,
    /// Owned memberships.
    pub memberships: usize,
}

/// What sending the plan would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastDocument {
    /// Writing requests.
    pub requests: u64,
    /// At the permitted rate.
    pub seconds: u64,
}

/// The guard's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardDocument {
    /// `approved` or `held`.
    pub verdict: String,
    /// Every reason why it waits.
    pub findings: Vec<FindingDocument>,
}

/// Everything around the actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// When the plan was made.
    pub created_at: Timestamp,
    /// Where the desired state comes from.
    pub source: SourceDocument,
    /// Where it would be sent.
    pub target: TargetDocument,
    /// What it is compared with.
    pub base: BaseDocument,
    /// What it would cost.
    pub forecast: ForecastDocument,
    /// Active accounts before and after.
    pub seats: Seats,
    /// Sentences about the reading, and about what is reported but not acted on.
    pub remarks: Vec<String>,
}

/// A plan as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDocument {
    /// [`FORMAT`].
    pub format: String,
    /// SHA-256 over the canonical actions without their reasons.
    pub fingerprint: String,
    /// When the plan was made.
    pub created_at: Timestamp,
    /// Where the desired state comes from.
    pub source: SourceDocument,
    /// Where it would be sent.
    pub target: TargetDocument,
    /// What it is compared with.
    pub base: BaseDocument,
    /// In numbers.
    pub summary: Summary,
    /// The guard's answer.
    pub guard: GuardDocument,
    /// What it would cost.
    pub forecast: ForecastDocument,
    /// Active accounts before and after.
    pub accounts: Seats,
    /// What it does.
    pub actions: Vec<ActionDocument>,
    /// What is left as it is.
    pub skipped: Vec<SkippedDocument>,
    /// The usernames behind the ids in `join`, `leave` and `members`.
    #[serde(default)]
    pub people: BTreeMap<String, String>,
    /// Sentences about the reading, and about what is reported but not acted on.
    #[serde(default)]
    pub remarks: Vec<String>,
}

impl PlanDocument {
    /// Puts a judged plan and what stands around it together.
    pub fn new(verdict: &Verdict, header: Header) -> Self {
        let plan = verdict.plan();
        let word = match verdict {
            Verdict::Approved(_) => "approved",
            Verdict::Held(_) => "held",
        };
        Self {
            format: FORMAT.to_owned(),
            fingerprint: plan.fingerprint().to_string(),
            created_at: header.created_at,
            source: header.source,
            target: header.target,
            base: header.base,
            summary: plan.summary(),
            guard: GuardDocument {
                verdict: word.to_owned(),
                findings: verdict.findings().iter().map(|finding| finding.document(plan)).collect(),
            },
            forecast: header.forecast,
            accounts: header.seats,
            actions: plan.actions.iter().map(ActionDocument::from).collect(),
            skipped: plan.skipped.iter().map(SkippedDocument::from).collect(),
            people: plan.names.iter().map(|(id, name)| (id.to_string(), name.clone())).collect(),
            remarks: header.remarks,
        }
    }

    /// Twelve digits of the fingerprint: enough for people.
    pub fn short_fingerprint(&self) -> &str {
        self.fingerprint.get(..12).unwrap_or(&self.fingerprint)
    }

    /// Whether the plan waits for a person.
    pub fn is_held(&self) -> bool {
        self.guard.verdict == "held"
    }

    /// The username behind an id; the id where there is none.
    pub(super) fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.people.get(id).map_or(id, String::as_str)
    }
}
