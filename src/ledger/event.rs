//! An event on its way into the ledger.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::digest::{Digest, Header, Salt, Salts, chain, payload_digest};
use super::head::Head;

/// A booking was asked about; the body is what came in.
pub const BOOKING_REQUESTED: &str = "booking.requested";
/// It was decided; caused by the request.
pub const BOOKING_DECIDED: &str = "booking.decided";
/// The same request came again and got the stored answer; caused by that decision.
pub const BOOKING_REPEATED: &str = "booking.repeated";
/// Cubu has put the appointment into its calendar; caused by the decision that approved it, if one holds a place.
pub const BOOKING_CONFIRMED: &str = "booking.confirmed";
/// The case closed before its appointment's start, so its place is free again; caused by the decision that had given it.
pub const BOOKING_RELEASED: &str = "booking.released";
/// The case closed without freeing a place: it held none, or its appointment had begun.
pub const CASE_CLOSED: &str = "case.closed";
/// A request could not be understood or authenticated.
pub const REQUEST_REJECTED: &str = "request.rejected";

/// Decisions or events went out as a file.
pub const AUDIT_EXPORTED: &str = "audit.exported";
/// A token of the audit API was made.
pub const TOKEN_CREATED: &str = "token.created";
/// A token of the audit API was revoked.
pub const TOKEN_REVOKED: &str = "token.revoked";
/// A webhook secret was added.
pub const SECRET_ADDED: &str = "secret.added";
/// A webhook secret was given an end.
pub const SECRET_EXPIRED: &str = "secret.expired";
/// Webhook calls need no signature any more.
pub const SIGNATURE_WAIVED: &str = "signature.waived";
/// Webhook calls need a signature again.
pub const SIGNATURE_REQUIRED: &str = "signature.required";

/// The typed columns that queries filter by. Each is also derivable from the payloads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V1__ledger.sql"
)]
pub struct Columns {
    pub case_id: Option<Uuid>,
    pub request_digest: Option<Digest>,
    pub outcome: Option<&'static str>,
    pub unit_id: Option<Uuid>,
    pub service_id: Option<Uuid>,
    pub service_category_id: Option<Uuid>,
    pub service_type_id: Option<Uuid>,
    pub cu_index: Option<i32>,
    pub appointment_date: Option<NaiveDate>,
    pub start_minute: Option<i32>,
    pub duration: Option<i32>,
    pub channel: Option<String>,
    pub booked_by: Option<&'static str>,
    pub customer_record_id: Option<Uuid>,
    pub triggered_by_user_email: Option<String>,
    pub cancellation_reason: Option<String>,
}

impl Columns {
    /// Those of an event that says only which case it concerns.
    #[must_use]
    pub fn of_case(case_id: Uuid) -> Self {
        Self {
            case_id: Some(case_id),
            ..Self::default()
        }
    }
}

/// A policy that a decision met, for the projection `ledger.policy_hits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyMet {
    /// The policy's table.
    pub kind: &'static str,
    /// Its row.
    pub id: i64,
    /// What it found.
    pub verdict: &'static str,
    /// The mode in which it was evaluated.
    pub mode: &'static str,
}

/// What an event says, before it has a number.
#[derive(Debug, Clone)]
pub struct Content {
    /// One of this module's constants.
    pub event_type: &'static str,
    /// The earlier event that led to this one.
    pub caused_by: Option<i64>,
    /// JSON with a version.
    pub payload: String,
    /// The body of the call, exactly as it came in, where one led to the event.
    pub body: Option<String>,
    /// What queries filter by.
    pub columns: Columns,
    /// The policies that a decision met.
    pub policies: Vec<PolicyMet>,
}

/// An event with its number, time and proof.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its number.
    pub seq: i64,
    /// Its time.
    pub recorded_at: DateTime<Utc>,
    /// What it says.
    pub content: Content,
    /// 16 random bytes.
    pub salt: Salt,
    /// See [`payload_digest`].
    pub payload_digest: Digest,
    /// See [`chain`].
    pub chain: Digest,
}

/// Numbers events after a head.
#[derive(Debug)]
pub struct Numbering<'a> {
    org: &'a str,
    recorded_at: DateTime<Utc>,
    last_seq: i64,
    last_chain: Digest,
    events: Vec<Event>,
    salts: Salts,
}

impl<'a> Numbering<'a> {
    /// Starts after the head.
    #[must_use]
    pub fn after(org: &'a str, head: &Head) -> Self {
        Self {
            org,
            recorded_at: head.now,
            last_seq: head.last_seq,
            last_chain: head.last_chain,
            events: Vec::new(),
            salts: Salts::default(),
        }
    }

    /// Numbers an event and returns its number.
    pub fn push(&mut self, content: Content) -> i64 {
        let salt = self.salts.draw();
        let digest = payload_digest(&salt, &content.payload, content.body.as_deref());
        self.last_seq += 1;
        self.last_chain = chain(
            &self.last_chain,
            &digest,
            &Header {
                org: self.org,
                seq: self.last_seq,
                event_type: content.event_type,
                recorded_at: self.recorded_at,
                caused_by: content.caused_by,
            },
        );
        self.events.push(Event {
            seq: self.last_seq,
            recorded_at: self.recorded_at,
            content,
            salt,
            payload_digest: digest,
            chain: self.last_chain,
        });
        self.last_seq
    }

    /// The numbered events.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }
}
