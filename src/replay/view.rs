//! An event as the walk looks at it: borrowed from a row of `ledger.events` or from a line of a file. A ledger has many of them.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::copied::{CopyError, Row};
use super::event::{StoredAttachment, StoredEvent};

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
    /// From a row of `read_events.sql`.
    pub(super) fn from_row(org: &'a str, mut row: Row<'a>) -> Result<Self, CopyError> {
        // Neither the time, the type nor the digests are null, unless somebody has dropped the table's constraints.
        let mut event = Self {
            org,
            seq: row.number()?.ok_or(CopyError("an event has no number"))?,
            recorded_at: row.time()?.unwrap_or(DateTime::<Utc>::MIN_UTC),
            event_type: row.text()?.unwrap_or_default(),
            caused_by: row.number()?,
            payload: row.text()?,
            body: row.text()?,
            salt: row.bytes()?,
            payload_digest: row.bytes()?.unwrap_or_default(),
            chain: row.bytes()?.unwrap_or_default(),
            case_id: row.id()?,
            request_digest: row.bytes()?,
            outcome: row.text()?,
            unit_id: row.id()?,
            service_id: row.id()?,
            service_category_id: row.id()?,
            service_type_id: row.id()?,
            cu_index: row.small_number()?,
            appointment_date: row.date()?,
            start_minute: row.small_number()?,
            duration: row.small_number()?,
            channel: row.text()?,
            booked_by: row.text()?,
            customer_record_id: row.id()?,
            triggered_by_user_email: row.text()?,
            cancellation_reason: row.text()?,
            policy_kind: row.text()?,
            policy_id_from: row.number()?,
            policy_id_to: row.number()?,
            attachment_id: row.id()?,
            attachment: None,
        };
        if let Some(attachment_id) = event.attachment_id {
            let (org, payload, salt) = (row.text()?, row.text()?, row.bytes()?);
            let digest = row.bytes()?;
            event.attachment = org.zip(digest).map(|(org, payload_digest)| Attachment {
                attachment_id,
                org,
                payload,
                salt,
                payload_digest,
            });
        }
        Ok(event)
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
