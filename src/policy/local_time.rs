//! Now, as the booking's own place sees it. Nothing is looked up in a time zone table: the request brings its offset.

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::cubu::request::Booking;

/// Now at the booking's UTC offset, which is what lies between `timeLocal` and `timeUtc`.
#[must_use]
pub fn local_now(booking: &Booking, now: DateTime<Utc>) -> NaiveDateTime {
    let appointment = &booking.appointment;
    let offset = appointment.time_local - appointment.time_utc.naive_utc();
    // An offset that leaves the calendar is nonsense; UTC then.
    let now = now.naive_utc();
    now.checked_add_signed(offset).unwrap_or(now)
}

/// Whole minutes from one instant to another, rounded down: 59 seconds are not yet a minute, and one second late is minus one.
#[must_use]
pub fn whole_minutes(from: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
    let left = until - from;
    (left.num_seconds() - i64::from(left.subsec_nanos() < 0)).div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_rounded_down() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let noon = at("2027-03-09T12:00:00Z");
        for (until, minutes) in [
            ("2027-03-09T12:00:00Z", 0),
            ("2027-03-09T12:00:59.999Z", 0),
            ("2027-03-09T12:01:00Z", 1),
            ("2027-03-09T11:59:59.999Z", -1),
            ("2027-03-09T11:59:00Z", -1),
            ("2027-03-09T11:58:59.5Z", -2),
        ] {
            assert_eq!(whole_minutes(noon, at(until)), minutes, "{until}");
        }
    }
}
