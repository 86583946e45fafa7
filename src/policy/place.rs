//! A place: what an approved booking takes up, whatever the policies.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::cubu::request::{BookedBy, Booking};

/// A place in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub unit_id: Uuid,
    /// For what; with date and cuIndex, the calendar.
    pub service_id: Uuid,
    /// The service category.
    pub service_category_id: Option<Uuid>,
    /// The service type.
    pub service_type_id: Option<Uuid>,
    /// The calendar's index.
    pub cu_index: i32,
    /// The calendar's date.
    pub date: NaiveDate,
    /// Minutes past local midnight.
    pub start: i32,
    /// Minutes.
    pub duration: i32,
    /// The start as an instant.
    pub starts_at: DateTime<Utc>,
    /// The channel.
    pub channel: Option<String>,
    /// Who booked.
    pub booked_by: BookedBy,
    /// The customer.
    pub customer_record_id: Option<Uuid>,
}

impl Place {
    /// Whether a case that closes now gives the place back.
    ///
    /// One that closes before its appointment's start can only have been called off. One that closes later was served or missed: its
    /// place was used up, and a cap of the day still counts it.
    #[must_use]
    pub fn is_given_back_at(&self, now: DateTime<Utc>) -> bool {
        now < self.starts_at
    }

    /// The place that a booking asks for.
    #[must_use]
    pub fn of(booking: &Booking) -> Self {
        let appointment = &booking.appointment;
        Self {
            unit_id: booking.unit_id,
            service_id: booking.service_id,
            service_category_id: booking.service_category_id,
            service_type_id: booking.service_type_id,
            cu_index: appointment.cu_index,
            date: appointment.date,
            start: appointment.start,
            duration: appointment.duration,
            starts_at: appointment.time_utc,
            channel: booking.channel.clone(),
            booked_by: booking.booked_by(),
            customer_record_id: booking.customer_record_id,
        }
    }

    /// How many minutes it takes up, seen beside other times: an appointment of no length takes the minute that it starts in.
    #[must_use]
    pub fn minutes_taken(&self) -> i32 {
        self.duration.max(1)
    }
}
