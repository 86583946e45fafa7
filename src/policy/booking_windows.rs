//! `policy.booking_windows`: how soon and how far ahead may be booked.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::kind::Kind;
use super::local_time::{local_now, whole_minutes};
use super::place::Place;
use super::row::{Policy, Terms};
use crate::cubu::request::Booking;
use crate::json::Members;

/// The window.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V4__policy_kinds.sql"
)]
pub struct BookingWindow {
    pub min_notice_minutes: Option<i32>,
    pub max_days_ahead: Option<i32>,
}

impl Terms for BookingWindow {
    const KIND: Kind = Kind::BookingWindows;
}

/// What a window compared: only what it limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Whole minutes from now to the start.
    pub minutes_until_start: Option<i64>,
    /// `min_notice_minutes`
    pub min_notice_minutes: Option<i32>,
    /// Days from today, where the booking is, to the appointment's date.
    pub days_until_date: Option<i64>,
    /// `max_days_ahead`
    pub max_days_ahead: Option<i32>,
}

impl Compared {
    pub(super) fn write(&self, members: &mut Members<'_>) {
        members.optional("minutesUntilStart", self.minutes_until_start);
        members.optional("minNoticeMinutes", self.min_notice_minutes);
        members.optional("daysUntilDate", self.days_until_date);
        members.optional("maxDaysAhead", self.max_days_ahead);
    }
}

impl Policy<BookingWindow> {
    /// Whether the booking is within the window, and what was compared; none if it is not in the policy's scope.
    #[must_use]
    pub fn judge(
        &self,
        booking: &Booking,
        place: &Place,
        now: DateTime<Utc>,
    ) -> Option<(bool, Compared)> {
        if !self.header.scope.contains(place) {
            return None;
        }
        let BookingWindow {
            min_notice_minutes,
            max_days_ahead,
        } = self.terms;
        let minutes = whole_minutes(now, place.starts_at);
        let days = (place.date - local_now(booking, now).date()).num_days();
        let is_within = min_notice_minutes.is_none_or(|min| minutes >= min.into())
            && max_days_ahead.is_none_or(|max| days <= max.into());
        let compared = Compared {
            minutes_until_start: min_notice_minutes.map(|_| minutes),
            min_notice_minutes,
            days_until_date: max_days_ahead.map(|_| days),
            max_days_ahead,
        };
        Some((is_within, compared))
    }
}
