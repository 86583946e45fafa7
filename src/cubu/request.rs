//! The body of `beforeBookAppointment`.

mod error;
mod parse;
mod scalars;
mod wire;

pub use error::{FieldFault, JsonFault, RequestError};
pub use parse::parse;
pub(super) use parse::{parse_wire, required};
pub(super) use scalars::Guid;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// A booking that Cubu asks about. Unknown fields are ignored here and kept in the ledger; a missing optional field is null.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The case to be created.
    pub case_id: Uuid,
    /// Parent case.
    pub parent_case_id: Option<Uuid>,
    /// The case's reference date, as it came.
    pub reference_date: Option<String>,
    /// Where; the service's parent.
    pub unit_id: Uuid,
    /// What for.
    pub service_id: Uuid,
    /// The service's category.
    pub service_category_id: Option<Uuid>,
    /// The service type.
    pub service_type_id: Option<Uuid>,
    /// Target status: an open set.
    pub status: Option<String>,
    /// `FaceToFace`, `Video`, `Phone`: an open set.
    pub channel: Option<String>,
    /// The customer's language, e.g. `en`, `he`.
    pub language: Option<String>,
    /// The ticket.
    pub ticket: Option<Ticket>,
    /// fieldTypeId → value, each value's text exactly as it came.
    pub fields: BTreeMap<String, Box<RawValue>>,
    /// The case's tags.
    pub tag_ids: Vec<Uuid>,
    /// The linked customer.
    pub customer_record_id: Option<Uuid>,
    /// The agent; null when a kiosk or the server-to-server API booked.
    pub triggered_by_user_id: Option<Uuid>,
    /// The agent's e-mail.
    pub triggered_by_user_email: Option<String>,
    /// The appointment.
    pub appointment: Appointment,
}

/// A ticket's number.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Before the number.
    pub prefix: Option<String>,
    /// The number.
    pub number: Option<i64>,
    /// After the number.
    pub suffix: Option<String>,
}

/// When, and in which calendar.
#[derive(Debug, Clone)]
pub struct Appointment {
    /// The calendar's date, no zone.
    pub date: NaiveDate,
    /// The calendar's index; names a calendar only together with service and date.
    pub cu_index: i32,
    /// Minutes past local midnight.
    pub start: i32,
    /// Local time, without zone.
    pub time_local: NaiveDateTime,
    /// The same instant in UTC.
    pub time_utc: DateTime<Utc>,
    /// A Windows or IANA zone name.
    pub time_zone_id: Option<String>,
    /// Minutes.
    pub duration: i32,
    /// Kiosk check-in not allowed.
    pub prevent_self_check_in: bool,
}

/// Who booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BookedBy {
    /// A kiosk, the web, or the server-to-server API: no user triggered it.
    SelfService,
    /// A user of the platform.
    Agent,
}

impl BookedBy {
    /// As the policy tables and the ledger write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SelfService => "self-service",
            Self::Agent => "agent",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::SelfService, Self::Agent]
            .into_iter()
            .find(|by| by.as_str() == word)
    }
}

impl Booking {
    /// Who booked: an agent if a user's id or e-mail is given.
    #[must_use]
    pub fn booked_by(&self) -> BookedBy {
        if self.triggered_by_user_id.is_some() || self.triggered_by_user_email.is_some() {
            BookedBy::Agent
        } else {
            BookedBy::SelfService
        }
    }
}

#[cfg(test)]
mod tests;
