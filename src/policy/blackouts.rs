//! `policy.blackouts`: closed at these dates and minutes.

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use super::kind::Kind;
use super::place::Place;
use super::row::{Policy, Terms};
use super::weekdays::Weekdays;
use crate::json::Members;

const DAY: i32 = 24 * 60;

/// When it is closed. On each closed day the same minutes are.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V4__policy_kinds.sql"
)]
pub struct Blackout {
    pub from_date: Option<NaiveDate>,
    pub to_date: Option<NaiveDate>,
    pub weekdays: Option<Weekdays>,
    pub from_minute: Option<i32>,
    pub to_minute: Option<i32>,
}

impl Terms for Blackout {
    const KIND: Kind = Kind::Blackouts;
}

/// The closed time that a booking would run into, the first if there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The closed date.
    pub closed_date: NaiveDate,
    /// Closed on that date from this minute on.
    pub from_minute: i32,
    /// Open again from this minute on.
    pub to_minute: i32,
}

impl Compared {
    pub(super) fn write(&self, members: &mut Members<'_>) {
        members.date("closedDate", self.closed_date);
        members.value("fromMinute", self.from_minute);
        members.value("toMinute", self.to_minute);
    }
}

impl Blackout {
    fn closes(&self, date: NaiveDate) -> bool {
        self.from_date.is_none_or(|from| from <= date)
            && self.to_date.or(self.from_date).is_none_or(|to| date <= to)
            && self.weekdays.is_none_or(|days| days.contain(date))
    }
}

impl Policy<Blackout> {
    /// The closed time that the place has a minute in. A policy that is open then says nothing.
    #[must_use]
    pub fn closed(&self, place: &Place) -> Option<Compared> {
        if !self.header.scope.contains(place) {
            return None;
        }
        let blackout = &self.terms;
        let from_minute = blackout.from_minute.unwrap_or(0);
        let to_minute = blackout.to_minute.unwrap_or(DAY);
        let end = place.start + place.minutes_taken();
        // Past midnight the minutes are the next day's; a place may run for days.
        (place.start / DAY..=(end - 1) / DAY).find_map(|day| {
            let days = Days::new(u64::try_from(day).unwrap_or(0));
            let date = place.date.checked_add_days(days)?;
            let midnight = day * DAY;
            let overlaps = place.start < midnight + to_minute && midnight + from_minute < end;
            (overlaps && blackout.closes(date)).then_some(Compared {
                closed_date: date,
                from_minute,
                to_minute,
            })
        })
    }
}
