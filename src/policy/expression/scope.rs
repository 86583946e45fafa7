//! What an expression can see of a booking.

use std::sync::OnceLock;

use cel::common::types::{CelBool, CelInt, CelList, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, Timelike, Utc};
use uuid::Uuid;

use super::functions::{METER, Meter, PATTERNS, Patterns};
use super::ordered_map::OrderedMap;
use crate::cubu::request::{BookedBy, Booking};

/// A booking and a time, as expressions see them. Cheap to make; the case's fields are read when an expression first asks.
#[derive(Debug)]
pub struct Scope<'a> {
    booking: &'a Booking,
    now: DateTime<Utc>,
    now_local: NaiveDateTime,
    fields: OnceLock<OrderedMap<'a>>,
    tag_ids: OnceLock<CelList<'static>>,
}

impl<'a> Scope<'a> {
    /// What expressions see of this booking at this time. After rules have changed the booking, make a new one.
    #[must_use]
    pub fn new(booking: &'a Booking, now: DateTime<Utc>) -> Self {
        let offset = booking.appointment.time_local - booking.appointment.time_utc.naive_utc();
        // An offset that leaves the calendar is nonsense; UTC then.
        let now_local = now
            .naive_utc()
            .checked_add_signed(offset)
            .unwrap_or(now.naive_utc());
        Self {
            booking,
            now,
            now_local,
            fields: OnceLock::new(),
            tag_ids: OnceLock::new(),
        }
    }

    /// Rounded down, so that 59 seconds are not yet a minute.
    fn minutes_until_start(&self) -> i64 {
        let left = self.booking.appointment.time_utc - self.now;
        (left.num_seconds() - i64::from(left.subsec_nanos() < 0)).div_euclid(60)
    }

    pub(super) fn value<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let booking = self.booking;
        let appointment = &booking.appointment;
        let ticket = booking.ticket.as_ref();
        Some(match name {
            "caseId" => guid(booking.case_id),
            "parentCaseId" => or_null(booking.parent_case_id.map(guid)),
            "referenceDate" => or_null(booking.reference_date.as_deref().map(text)),
            "unitId" => guid(booking.unit_id),
            "serviceId" => guid(booking.service_id),
            "serviceCategoryId" => or_null(booking.service_category_id.map(guid)),
            "serviceTypeId" => or_null(booking.service_type_id.map(guid)),
            "status" => or_null(booking.status.as_deref().map(text)),
            "channel" => or_null(booking.channel.as_deref().map(text)),
            "language" => or_null(booking.language.as_deref().map(text)),
            "ticket.prefix" => {
                or_null(ticket.and_then(|ticket| ticket.prefix.as_deref()).map(text))
            }
            "ticket.number" => or_null(ticket.and_then(|ticket| ticket.number).map(integer)),
            "ticket.suffix" => {
                or_null(ticket.and_then(|ticket| ticket.suffix.as_deref()).map(text))
            }
            "fields" => CowVal::Borrowed(
                self.fields
                    .get_or_init(|| OrderedMap::of_fields(&booking.fields)),
            ),
            "tagIds" => CowVal::Borrowed(self.tag_ids.get_or_init(|| tag_ids(&booking.tag_ids))),
            "customerRecordId" => or_null(booking.customer_record_id.map(guid)),
            "triggeredByUserId" => or_null(booking.triggered_by_user_id.map(guid)),
            "triggeredByUserEmail" => or_null(booking.triggered_by_user_email.as_deref().map(text)),
            "appointment.date" => owned_text(appointment.date.to_string()),
            "appointment.cuIndex" => integer(appointment.cu_index),
            "appointment.start" | "minuteOfDay" => integer(appointment.start),
            "appointment.timeLocal" => owned_text(
                appointment
                    .time_local
                    .format("%Y-%m-%dT%H:%M:%S")
                    .to_string(),
            ),
            "appointment.timeUtc" => instant(appointment.time_utc),
            "appointment.timeZoneId" => or_null(appointment.time_zone_id.as_deref().map(text)),
            "appointment.duration" => integer(appointment.duration),
            "appointment.preventSelfCheckIn" => {
                CowVal::owned(CelBool::from(appointment.prevent_self_check_in))
            }
            "bookedBy" => text(booking.booked_by().as_str()),
            "selfService" => {
                CowVal::owned(CelBool::from(booking.booked_by() == BookedBy::SelfService))
            }
            "minutesUntilStart" => integer(self.minutes_until_start()),
            "daysUntilDate" => integer((appointment.date - self.now_local.date()).num_days()),
            "weekday" => integer(appointment.date.weekday().number_from_monday()),
            "now" => instant(self.now),
            "nowWeekday" => integer(self.now_local.weekday().number_from_monday()),
            "nowMinuteOfDay" => integer(self.now_local.hour() * 60 + self.now_local.minute()),
            _ => return None,
        })
    }
}

/// One evaluation: the scope, and what the compiled expression brings along.
pub(super) struct Evaluation<'e, 's> {
    pub(super) scope: &'e Scope<'s>,
    pub(super) meter: Meter,
    pub(super) patterns: &'e Patterns,
}

impl VariableResolver for Evaluation<'_, '_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        match name {
            METER => Some(CowVal::Borrowed(&self.meter)),
            PATTERNS => Some(CowVal::Borrowed(self.patterns)),
            _ => self.scope.value(name),
        }
    }
}

fn guid<'b>(value: Uuid) -> CowVal<'b, 'b> {
    owned_text(value.to_string())
}

/// To the second, always with `Z`: such texts compare like the instants they name.
fn instant<'b>(value: DateTime<Utc>) -> CowVal<'b, 'b> {
    owned_text(value.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn text(value: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(value))
}

fn owned_text<'b>(value: String) -> CowVal<'b, 'b> {
    CowVal::owned(CelString::from(value))
}

fn integer<'b>(value: impl Into<i64>) -> CowVal<'b, 'b> {
    CowVal::owned(CelInt::from(value.into()))
}

fn or_null<'b>(value: Option<CowVal<'b, 'b>>) -> CowVal<'b, 'b> {
    value.unwrap_or_else(|| CowVal::owned(CelNull))
}

fn tag_ids(ids: &[Uuid]) -> CelList<'static> {
    CelList::from(
        ids.iter()
            .map(|id| Box::new(CelString::from(id.to_string())) as Box<dyn Val>)
            .collect::<Vec<_>>(),
    )
}
