//! What comes in to be decided or recorded, and what is answered.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::cubu::after::After;
use crate::cubu::request::Booking;
use crate::ledger::booking::Signed;
use crate::ledger::digest::Digest;

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

/// A submission with the SHA-256 of its body, by which a repeat is recognized.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) submission: Submission,
    pub(super) digest: Digest,
}

impl Submitted {
    /// How it was signed.
    pub(super) fn signed(&self) -> Signed<'_> {
        Signed {
            authorization: self.authorization.as_deref(),
            secret_id: self.secret_id,
        }
    }
}

impl Deref for Submitted {
    type Target = Submission;

    fn deref(&self) -> &Submission {
        &self.submission
    }
}

/// What Cubu tells after a booking: authenticated and parsed.
#[derive(Debug)]
pub struct FollowUp {
    /// What happened.
    pub after: After,
    /// To which case.
    pub case_id: Uuid,
    /// The request body, exactly as it came in.
    pub body: String,
    /// The `Authorization` header as it came.
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
    /// The database is away or too slow; whether the booking was recorded is unknown, and the same request sent again finds out.
    #[error("the database is not available")]
    Unavailable,
    /// No such organization.
    #[error("no such organization")]
    UnknownOrg,
    /// This one booking could not be recorded; others were not affected.
    #[error("the booking could not be recorded: {0}")]
    Refused(String),
}

/// Bounds of the decider.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bookings that may wait, for each organization.
    pub queue: usize,
    /// Bookings that are decided in one transaction.
    pub batch: usize,
    /// The longest that a booking waits for its answer.
    pub timeout: Duration,
    /// Rejections recorded a second, for each organization.
    pub rejections_per_second: u32,
    /// Rejections recorded at once.
    pub rejections_burst: u32,
}

/// What waits for the writer.
#[derive(Debug)]
pub(super) enum Command {
    Decide(Box<Submitted>, oneshot::Sender<Result<Answer, DecideError>>),
    Follow(Box<FollowUp>, oneshot::Sender<Result<(), DecideError>>),
    Reject(Rejection, u64, oneshot::Sender<Result<(), DecideError>>),
}

impl Command {
    /// Whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Decide(_, reply) => reply.is_closed(),
            // Recorded for the ledger's sake, not for the sender's.
            Self::Follow(..) | Self::Reject(..) => false,
        }
    }
}
