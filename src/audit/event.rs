//! An event as auditors get it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::FromRow;
use uuid::Uuid;

use super::AuditError;
use super::decision::in_microseconds;

/// An event of the ledger.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its number in the organization's ledger.
    pub event_id: i64,
    /// The organization.
    pub org: String,
    /// By the database's clock, in microseconds.
    #[serde(serialize_with = "in_microseconds")]
    pub recorded_at: DateTime<Utc>,
    /// What happened, in the past tense.
    pub r#type: String,
    /// The earlier event that led to it.
    pub caused_by: Option<i64>,
    /// The Cubu case.
    pub case_id: Option<Uuid>,
    /// `policy.*`: the policy table.
    pub policy_kind: Option<String>,
    /// `policy.*`: the lowest policy id that it covers.
    pub policy_id_from: Option<i64>,
    /// `policy.*`: the highest policy id that it covers.
    pub policy_id_to: Option<i64>,
    /// `policy.*`: where the rows of a large change are.
    pub attachment_id: Option<Uuid>,
    /// What it says; null once erased.
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Box<RawValue>>,
    /// The body of the call that led to it: `booking.requested`, `booking.confirmed`, `booking.released`, `case.closed`. Null once erased.
    #[schema(value_type = Option<Object>)]
    pub request: Option<Box<RawValue>>,
    /// SHA-256 of its salt and content, in hexadecimal.
    pub payload_digest: String,
    /// Commits to this event and all before it, in hexadecimal.
    pub chain: String,
}

#[derive(Debug, FromRow)]
pub(super) struct EventRow {
    pub(super) seq: i64,
    org: String,
    recorded_at: DateTime<Utc>,
    r#type: String,
    caused_by: Option<i64>,
    case_id: Option<Uuid>,
    policy_kind: Option<String>,
    policy_id_from: Option<i64>,
    policy_id_to: Option<i64>,
    attachment_id: Option<Uuid>,
    payload: Option<String>,
    body: Option<String>,
    payload_digest: Vec<u8>,
    chain: Vec<u8>,
}

impl EventRow {
    pub(super) fn read(self) -> Result<Event, AuditError> {
        let Self { org, seq, .. } = self;
        let json = |text: Option<String>| {
            let json = text.map(RawValue::from_string).transpose();
            json.map_err(|source| AuditError::Unreadable {
                org: org.clone(),
                seq,
                source,
            })
        };
        Ok(Event {
            payload: json(self.payload)?,
            request: json(self.body)?,
            event_id: seq,
            recorded_at: self.recorded_at,
            r#type: self.r#type,
            caused_by: self.caused_by,
            case_id: self.case_id,
            policy_kind: self.policy_kind,
            policy_id_from: self.policy_id_from,
            policy_id_to: self.policy_id_to,
            attachment_id: self.attachment_id,
            payload_digest: hex::encode(self.payload_digest),
            chain: hex::encode(self.chain),
            org,
        })
    }
}
