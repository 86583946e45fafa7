//! An event as it is stored: a row of `ledger.events`, or a line of an exported file. Nothing of it is trusted yet.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

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
    /// From a row of `read_events.sql`, by position: a ledger has many rows, and names would be looked up in each.
    pub(super) fn from_row(org: &str, row: &PgRow) -> Result<Self, sqlx::Error> {
        let attachment_id: Option<Uuid> = row.try_get(28)?;
        let attachment_digest: Option<Vec<u8>> = row.try_get(32)?;
        let attachment = match (attachment_id, attachment_digest) {
            (Some(attachment_id), Some(payload_digest)) => Some(StoredAttachment {
                attachment_id,
                org: row.try_get(29)?,
                payload: row.try_get(30)?,
                salt: row.try_get(31)?,
                payload_digest,
            }),
            _ => None,
        };
        Ok(Self {
            org: org.to_owned(),
            seq: row.try_get(0)?,
            recorded_at: row.try_get(1)?,
            event_type: row.try_get(2)?,
            caused_by: row.try_get(3)?,
            payload: row.try_get(4)?,
            body: row.try_get(5)?,
            salt: row.try_get(6)?,
            payload_digest: row.try_get(7)?,
            chain: row.try_get(8)?,
            case_id: row.try_get(9)?,
            request_digest: row.try_get(10)?,
            outcome: row.try_get(11)?,
            unit_id: row.try_get(12)?,
            service_id: row.try_get(13)?,
            service_category_id: row.try_get(14)?,
            service_type_id: row.try_get(15)?,
            cu_index: row.try_get(16)?,
            appointment_date: row.try_get(17)?,
            start_minute: row.try_get(18)?,
            duration: row.try_get(19)?,
            channel: row.try_get(20)?,
            booked_by: row.try_get(21)?,
            customer_record_id: row.try_get(22)?,
            triggered_by_user_email: row.try_get(23)?,
            cancellation_reason: row.try_get(24)?,
            policy_kind: row.try_get(25)?,
            policy_id_from: row.try_get(26)?,
            policy_id_to: row.try_get(27)?,
            attachment_id,
            attachment,
        })
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
