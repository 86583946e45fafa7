//! What came of a simulation: what is recorded, and what would have been decided, beside each other.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::policy::decide::Outcome;
use crate::policy::explanation::Verdict;
use crate::policy::kind::Kind;
use crate::policy::row::Mode;

/// What came of a simulation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Simulated {
    /// The ledger.
    pub org: String,
    /// The first event of the period.
    pub from: i64,
    /// Its last event.
    pub to: i64,
    /// How many policies were held otherwise than they were.
    pub changed_policies: usize,
    /// Bookings that were decided again.
    pub decisions: u64,
    /// Of these, requests that came again and would have got a simulated decision's answer again, because it would stand (promise 4).
    pub answered_again: u64,
    /// Bookings whose request or decision was erased, or cannot be read: they are taken as recorded, and are in none of the sums.
    pub not_decided: u64,
    /// What was decided.
    pub recorded: Outcomes,
    /// What would have been, but for those that would have been answered again.
    pub simulated: Outcomes,
    /// Decisions whose answer differs.
    pub differing: u64,
    /// Of these, those that were booked and would have been cancelled.
    pub newly_cancelled: u64,
    /// Of these, those that were cancelled and would have been booked.
    pub newly_booked: u64,
    /// Verdicts that policies would have given more or less often.
    pub differing_findings: usize,
    /// Those that differ most.
    pub findings: Vec<Finding>,
    /// Policies held otherwise that would have met no booking: off, not active then, or out of scope.
    pub meeting_none: usize,
    /// The first of them.
    pub unmet: Vec<Unmet>,
    /// The first decisions whose answer differs.
    pub differences: Vec<Differing>,
}

/// How many decisions had which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Booked as asked.
    pub approved: u64,
    /// Booked, with changes.
    pub modified: u64,
    /// Not booked.
    pub cancelled: u64,
}

/// How often a policy gave a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The policy's table.
    #[serde(serialize_with = "as_table")]
    pub kind: Kind,
    /// Its row.
    pub id: i64,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How it was evaluated.
    pub mode: Mode,
    /// What it found.
    pub verdict: Verdict,
    /// In how many decisions, as recorded.
    pub recorded: u64,
    /// In how many, as simulated.
    pub simulated: u64,
    /// If its expression fails: how, the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A policy that would have met no booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The policy's table.
    #[serde(serialize_with = "as_table")]
    pub kind: Kind,
    /// Its row.
    pub id: i64,
    /// Its name, if it has one.
    pub name: Option<String>,
}

/// An answer and its explanation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What came of the booking.
    pub outcome: Outcome,
    /// Why it is cancelled, as the person who books is told.
    pub cancellation_reason: Option<String>,
    /// What Cubu is answered.
    pub response: Box<RawValue>,
    /// Every policy that applied, as in `/v1/decisions`.
    pub policies: Box<RawValue>,
}

/// A decision whose answer differs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Differing {
    /// Its number.
    pub decision_id: i64,
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// Of which case.
    pub case_id: Uuid,
    /// The service that was asked for.
    pub service_id: Uuid,
    /// Which of its calendars.
    pub cu_index: i32,
    /// On which date.
    pub appointment_date: NaiveDate,
    /// Minutes past local midnight.
    pub start: i32,
    /// Minutes.
    pub duration: i32,
    /// Of which customer.
    pub customer_record_id: Option<Uuid>,
    /// What is recorded.
    pub recorded: Answer,
    /// What would have been answered.
    pub simulated: WouldBe,
}

/// What would have been answered.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum WouldBe {
    /// As decided.
    Decided(Answer),
    /// As decided the first time.
    #[serde(rename_all = "camelCase")]
    Again {
        /// The number of that decision.
        answered_as: i64,
        /// Whether that one cancels.
        cancelled: bool,
    },
}

impl Outcomes {
    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Approved => self.approved += 1,
            Outcome::Modified => self.modified += 1,
            Outcome::Cancelled => self.cancelled += 1,
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn as_table<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.table())
}
