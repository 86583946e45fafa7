//! An event as it is stored: a row of `ledger.events`, or a line of an exported file. Nothing of it is trusted yet.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::times::StoredTime;
use super::view::{Attachment, Event};
use crate::ledger::digest::GENESIS;

/// Every column of `ledger.events`, with the attachment that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V1__ledger.sql"
)]
pub struct StoredEvent {
    pub org: String,
    pub seq: i64,
    pub recorded_at: DateTime<Utc>,
    #[serde(rename = "type")]
    pub event_type: String,
    pub caused_by: Option<i64>,
    pub payload: Option<String>,
    pub body: Option<String>,
    #[serde(with = "optional_hex")]
    pub salt: Option<Vec<u8>>,
    #[serde(with = "hex")]
    pub payload_digest: Vec<u8>,
    #[serde(with = "hex")]
    pub chain: Vec<u8>,
    pub case_id: Option<Uuid>,
    #[serde(with = "optional_hex")]
    pub request_digest: Option<Vec<u8>>,
    pub outcome: Option<String>,
    pub unit_id: Option<Uuid>,
    pub service_id: Option<Uuid>,
    pub service_category_id: Option<Uuid>,
    pub service_type_id: Option<Uuid>,
    pub cu_index: Option<i32>,
    pub appointment_date: Option<NaiveDate>,
    pub start_minute: Option<i32>,
    pub duration: Option<i32>,
    pub channel: Option<String>,
    pub booked_by: Option<String>,
    pub customer_record_id: Option<Uuid>,
    pub triggered_by_user_email: Option<String>,
    pub cancellation_reason: Option<String>,
    pub policy_kind: Option<String>,
    pub policy_id_from: Option<i64>,
    pub policy_id_to: Option<i64>,
    pub attachment_id: Option<Uuid>,
    /// The attachment, if the ledger has it.
    #[serde(skip)]
    pub attachment: Option<StoredAttachment>,
}

/// A row of `ledger.attachments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V1__ledger.sql"
)]
pub struct StoredAttachment {
    pub attachment_id: Uuid,
    pub org: String,
    pub payload: Option<String>,
    #[serde(with = "optional_hex")]
    pub salt: Option<Vec<u8>>,
    #[serde(with = "hex")]
    pub payload_digest: Vec<u8>,
}

/// A row of `ledger.heads`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V1__ledger.sql"
)]
pub struct StoredHead {
    pub org: String,
    pub last_seq: i64,
    #[serde(with = "hex")]
    pub last_chain: Vec<u8>,
    #[sqlx(try_from = "StoredTime")]
    pub last_recorded_at: DateTime<Utc>,
    pub policy_version: i64,
}

impl StoredHead {
    /// That of a ledger which has none.
    pub(super) fn missing(org: &str) -> Self {
        Self {
            org: org.to_owned(),
            last_seq: 0,
            last_chain: GENESIS.to_vec(),
            last_recorded_at: DateTime::UNIX_EPOCH,
            policy_version: 0,
        }
    }
}

impl StoredEvent {
    /// The same, borrowed.
    pub(super) fn view(&self) -> Event<'_> {
        Event {
            org: &self.org,
            seq: self.seq,
            recorded_at: self.recorded_at,
            event_type: &self.event_type,
            caused_by: self.caused_by,
            payload: self.payload.as_deref(),
            body: self.body.as_deref(),
            salt: self.salt.as_deref(),
            payload_digest: &self.payload_digest,
            chain: &self.chain,
            case_id: self.case_id,
            request_digest: self.request_digest.as_deref(),
            outcome: self.outcome.as_deref(),
            unit_id: self.unit_id,
            service_id: self.service_id,
            service_category_id: self.service_category_id,
            service_type_id: self.service_type_id,
            cu_index: self.cu_index,
            appointment_date: self.appointment_date,
            start_minute: self.start_minute,
            duration: self.duration,
            channel: self.channel.as_deref(),
            booked_by: self.booked_by.as_deref(),
            customer_record_id: self.customer_record_id,
            triggered_by_user_email: self.triggered_by_user_email.as_deref(),
            cancellation_reason: self.cancellation_reason.as_deref(),
            policy_kind: self.policy_kind.as_deref(),
            policy_id_from: self.policy_id_from,
            policy_id_to: self.policy_id_to,
            attachment_id: self.attachment_id,
            attachment: self.attachment.as_ref().map(StoredAttachment::view),
        }
    }
}

impl StoredAttachment {
    fn view(&self) -> Attachment<'_> {
        Attachment {
            attachment_id: self.attachment_id,
            org: &self.org,
            payload: self.payload.as_deref(),
            salt: self.salt.as_deref(),
            payload_digest: &self.payload_digest,
        }
    }
}

mod optional_hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::ref_option, reason = "the signature that serde's `with` calls")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&hex::encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| hex::decode(text).map_err(D::Error::custom))
            .transpose()
    }
}
