//! An event as the walk looks at it: borrowed from a row of `ledger.events` or from a line of a file. A ledger has many of them.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};
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
    /// From a row of `read_events.sql`.
    pub(super) fn from_row(org: &'a str, row: &'a PgRow) -> Result<Self, sqlx::Error> {
        let mut values = Values { row, next: 0 };
        // Neither the time, the type nor the digests are null, unless somebody has dropped the table's constraints.
        let mut event = Self {
            org,
            seq: values.number()?.ok_or_else(no_number)?,
            recorded_at: values.time()?.unwrap_or(DateTime::<Utc>::MIN_UTC),
            event_type: values.text()?.unwrap_or_default(),
            caused_by: values.number()?,
            payload: values.text()?,
            body: values.text()?,
            salt: values.bytes()?,
            payload_digest: values.bytes()?.unwrap_or_default(),
            chain: values.bytes()?.unwrap_or_default(),
            case_id: values.id()?,
            request_digest: values.bytes()?,
            outcome: values.text()?,
            unit_id: values.id()?,
            service_id: values.id()?,
            service_category_id: values.id()?,
            service_type_id: values.id()?,
            cu_index: values.small_number()?,
            appointment_date: values.date()?,
            start_minute: values.small_number()?,
            duration: values.small_number()?,
            channel: values.text()?,
            booked_by: values.text()?,
            customer_record_id: values.id()?,
            triggered_by_user_email: values.text()?,
            cancellation_reason: values.text()?,
            policy_kind: values.text()?,
            policy_id_from: values.number()?,
            policy_id_to: values.number()?,
            attachment_id: values.id()?,
            attachment: None,
        };
        if let Some(attachment_id) = event.attachment_id {
            let (org, payload, salt) = (values.text()?, values.text()?, values.bytes()?);
            let digest = values.bytes()?;
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

fn no_number() -> sqlx::Error {
    sqlx::Error::Decode("an event without a number".into())
}

/// The values of a row, in the statement's order and of its types, as Postgres sends them (`send` functions: big-endian). A ledger has
/// many rows, and sqlx's way to a typed value costs several times what reading it does.
struct Values<'a> {
    row: &'a PgRow,
    next: usize,
}

impl<'a> Values<'a> {
    fn bytes(&mut self) -> Result<Option<&'a [u8]>, sqlx::Error> {
        let value = self.row.try_get_raw(self.next)?;
        self.next += 1;
        if value.is_null() {
            return Ok(None);
        }
        value.as_bytes().map(Some).map_err(sqlx::Error::Decode)
    }

    fn text(&mut self) -> Result<Option<&'a str>, sqlx::Error> {
        let text = self.bytes()?.map(std::str::from_utf8).transpose();
        text.map_err(|error| sqlx::Error::Decode(error.into()))
    }

    fn id(&mut self) -> Result<Option<Uuid>, sqlx::Error> {
        Ok(self.fixed()?.map(Uuid::from_bytes))
    }

    fn number(&mut self) -> Result<Option<i64>, sqlx::Error> {
        Ok(self.fixed()?.map(i64::from_be_bytes))
    }

    fn small_number(&mut self) -> Result<Option<i32>, sqlx::Error> {
        Ok(self.fixed()?.map(i32::from_be_bytes))
    }

    fn time(&mut self) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        Ok(self.number()?.map(|time| StoredTime::of(time).into()))
    }

    fn date(&mut self) -> Result<Option<NaiveDate>, sqlx::Error> {
        Ok(self.small_number()?.map(|date| StoredDate::of(date).into()))
    }

    fn fixed<const N: usize>(&mut self) -> Result<Option<[u8; N]>, sqlx::Error> {
        let bytes = self.bytes()?.map(TryInto::try_into).transpose();
        bytes.map_err(|_| sqlx::Error::Decode("a value of another type".into()))
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
