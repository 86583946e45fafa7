//! What the HTTP layer holds of the decider.

use std::sync::Arc;

use crate::cubu::request::Booking;
use crate::org::Org;

/// A booking at the door: authenticated and parsed, with the exact text that came in.
#[derive(Debug)]
pub struct Submission {
    /// The request body, exactly as it came in.
    pub body: String,
    /// The same, parsed.
    pub booking: Booking,
    /// The `Authorization` header as it came, so that the signature can be checked again; none when the org accepts unsigned calls.
    pub authorization: Option<String>,
    /// The webhook secret that matched.
    pub secret_id: Option<i64>,
}

/// A request that could not be understood or authenticated.
#[derive(Debug)]
pub struct Rejection {
    /// A stable word: the problem's type without its prefix, e.g. `invalid-signature`.
    pub reason: &'static str,
    /// What was wrong, for people; never customer data.
    pub detail: String,
    /// Length of the body in bytes.
    pub size: usize,
    /// SHA-256 of the body.
    pub body_digest: [u8; 32],
    /// The beginning of the body, bounded, with invalid UTF-8 replaced.
    pub excerpt: String,
}

/// The answer to a booking, once it is on the ledger.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The decision's number in its organization's ledger.
    pub decision_id: i64,
    /// The exact response body (JSON with the twelve keys).
    pub body: Arc<str>,
    /// Whether this was a repeat of an earlier request.
    pub repeated: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// Too many bookings are waiting; nothing was recorded.
    #[error("too many bookings are waiting")]
    QueueFull,
    /// The database is away; whether the booking was recorded is unknown, and the same request sent again finds out.
    #[error("the database is not available")]
    Unavailable,
    /// No such organization.
    #[error("no such organization")]
    UnknownOrg,
    /// This one booking could not be recorded; others were not affected.
    #[error("the booking could not be recorded: {0}")]
    Refused(String),
}

/// The decider: cheap to clone, one for each process.
#[derive(Debug, Clone)]
pub struct Decider {}

impl Decider {
    /// Decides a booking and answers once the decision is committed.
    pub async fn decide(&self, _org: &Org, _submission: Submission) -> Result<Answer, DecideError> {
        Err(DecideError::Unavailable)
    }

    /// Records a rejected request. `Ok(false)`: over the rate limit, counted but not recorded.
    pub async fn reject(&self, _org: &Org, _rejection: Rejection) -> Result<bool, DecideError> {
        Err(DecideError::Unavailable)
    }

    /// Stops taking bookings and waits until every accepted one is answered.
    pub async fn shutdown(&self) {}
}
