//! An event as the walk looks at it: borrowed from a row of `ledger.events` or from a line of a file. A ledger has many of them.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::event::{StoredAttachment, StoredEvent};
use super::times::{StoredDate, StoredTime};

/// See [`StoredEvent`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) org: &'a str,
    pub(super) seq: i64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) event_type: &'a str,
    pub(super) caused_by: Option<i64>,
    pub(super) payload: Option<&'a str>,
    pub(super) body: Option<&'a str>,
    pub(super) salt: Option<&'a [u8]>,
    pub(super) payload_digest: &'a [u8],
    pub(super) chain: &'a [u8],
    pub(super) case_id: Option<Uuid>,
    pub(super) request_digest: Option<&'a [u8]>,
    pub(super) outcome: Option<&'a str>,
    pub(super) unit_id: Option<Uuid>,
    pub(super) service_id: Option<Uuid>,
    pub(super) service_category_id: Option<Uuid>,
    pub(super) service_type_id: Option<Uuid>,
    pub(super) cu_index: Option<i32>,
    pub(super) appointment_date: Option<NaiveDate>,
    pub(super) start_minute: Option<i32>,
    pub(super) duration: Option<i32>,
    pub(super) channel: Option<&'a str>,
    pub(super) booked_by: Option<&'a str>,
    pub(super) customer_record_id: Option<Uuid>,
    pub(super) triggered_by_user_email: Option<&'a str>,
    pub(super) cancellation_reason: Option<&'a str>,
    pub(super) policy_kind: Option<&'a str>,
    pub(super) policy_id_from: Option<i64>,
    pub(super) policy_id_to: Option<i64>,
    pub(super) attachment_id: Option<Uuid>,
    pub(super) attachment: Option<Attachment<'a>>,
}

/// See [`StoredAttachment`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Attachment<'a> {
    pub(super) attachment_id: Uuid,
    pub(super) org: &'a str,
    pub(super) payload: Option<&'a str>,
    pub(super) salt: Option<&'a [u8]>,
    pub(super) payload_digest: &'a [u8],
}

impl<'a> Event<'a> {
    /// From a row of `read_events.sql`, by position: a ledger has many rows, and names would be looked up in each.
    pub(super) fn from_row(org: &'a str, row: &'a PgRow) -> Result<Self, sqlx::Error> {
        let attachment_id: Option<Uuid> = row.try_get_unchecked(28)?;
        let attachment_digest: Option<&'a [u8]> = row.try_get_unchecked(32)?;
        let attachment = match (attachment_id, attachment_digest) {
            (Some(attachment_id), Some(payload_digest)) => Some(Attachment {
                attachment_id,
                org: row.try_get_unchecked(29)?,
                payload: row.try_get_unchecked(30)?,
                salt: row.try_get_unchecked(31)?,
                payload_digest,
            }),
            _ => None,
        };
        // Unchecked: the types are those of the statement, always.
        // None of these is null, unless somebody has dropped the table's constraints.
        let time: Option<StoredTime> = row.try_get_unchecked(1)?;
        let date: Option<StoredDate> = row.try_get_unchecked(17)?;
        Ok(Self {
            org,
            seq: row.try_get_unchecked(0)?,
            recorded_at: time.map_or(DateTime::<Utc>::MIN_UTC, Into::into),
            event_type: row
                .try_get_unchecked::<Option<_>, _>(2)?
                .unwrap_or_default(),
            caused_by: row.try_get_unchecked(3)?,
            payload: row.try_get_unchecked(4)?,
            body: row.try_get_unchecked(5)?,
            salt: row.try_get_unchecked(6)?,
            payload_digest: row
                .try_get_unchecked::<Option<_>, _>(7)?
                .unwrap_or_default(),
            chain: row
                .try_get_unchecked::<Option<_>, _>(8)?
                .unwrap_or_default(),
            case_id: row.try_get_unchecked(9)?,
            request_digest: row.try_get_unchecked(10)?,
            outcome: row.try_get_unchecked(11)?,
            unit_id: row.try_get_unchecked(12)?,
            service_id: row.try_get_unchecked(13)?,
            service_category_id: row.try_get_unchecked(14)?,
            service_type_id: row.try_get_unchecked(15)?,
            cu_index: row.try_get_unchecked(16)?,
            appointment_date: date.map(Into::into),
            start_minute: row.try_get_unchecked(18)?,
            duration: row.try_get_unchecked(19)?,
            channel: row.try_get_unchecked(20)?,
            booked_by: row.try_get_unchecked(21)?,
            customer_record_id: row.try_get_unchecked(22)?,
            triggered_by_user_email: row.try_get_unchecked(23)?,
            cancellation_reason: row.try_get_unchecked(24)?,
            policy_kind: row.try_get_unchecked(25)?,
            policy_id_from: row.try_get_unchecked(26)?,
            policy_id_to: row.try_get_unchecked(27)?,
            attachment_id,
            attachment,
        })
    }
}

impl Event<'_> {
    /// The same, owned.
    pub(super) fn to_stored(self) -> StoredEvent {
        StoredEvent {
            org: self.org.to_owned(),
            seq: self.seq,
            recorded_at: self.recorded_at,
            event_type: self.event_type.to_owned(),
            caused_by: self.caused_by,
            payload: self.payload.map(str::to_owned),
            body: self.body.map(str::to_owned),
            salt: self.salt.map(<[u8]>::to_vec),
            payload_digest: self.payload_digest.to_vec(),
            chain: self.chain.to_vec(),
            case_id: self.case_id,
            request_digest: self.request_digest.map(<[u8]>::to_vec),
            outcome: self.outcome.map(str::to_owned),
            unit_id: self.unit_id,
            service_id: self.service_id,
            service_category_id: self.service_category_id,
            service_type_id: self.service_type_id,
            cu_index: self.cu_index,
            appointment_date: self.appointment_date,
            start_minute: self.start_minute,
            duration: self.duration,
            channel: self.channel.map(str::to_owned),
            booked_by: self.booked_by.map(str::to_owned),
            customer_record_id: self.customer_record_id,
            triggered_by_user_email: self.triggered_by_user_email.map(str::to_owned),
            cancellation_reason: self.cancellation_reason.map(str::to_owned),
            policy_kind: self.policy_kind.map(str::to_owned),
            policy_id_from: self.policy_id_from,
            policy_id_to: self.policy_id_to,
            attachment_id: self.attachment_id,
            attachment: self.attachment.map(Attachment::to_stored),
        }
    }
}

impl Attachment<'_> {
    fn to_stored(self) -> StoredAttachment {
        StoredAttachment {
            attachment_id: self.attachment_id,
            org: self.org.to_owned(),
            payload: self.payload.map(str::to_owned),
            salt: self.salt.map(<[u8]>::to_vec),
            payload_digest: self.payload_digest.to_vec(),
        }
    }
}
