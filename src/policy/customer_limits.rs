//! `policy.customer_limits`: how many appointments one customer may have, and how close together.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::bucket::Period;
use super::facts::{CustomerSpan, Facts};
use super::kind::Kind;
use super::local_time::{local_now, whole_minutes};
use super::place::Place;
use super::row::{Policy, Terms};
use crate::cubu::request::Booking;
use crate::json::Members;

/// In which time a customer's appointments are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitPeriod {
    /// The appointment's date.
    Day,
    /// ISO week, from Monday.
    Week,
    /// Calendar month.
    Month,
    /// All that start now or later.
    Upcoming,
}

impl LimitPeriod {
    fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Upcoming => "upcoming",
        }
    }
}

/// The limit.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V4__policy_kinds.sql"
)]
pub struct CustomerLimit {
    pub max_appointments: Option<i64>,
    pub period: LimitPeriod,
    pub gap_minutes: Option<i64>,
    pub forbid_overlap: bool,
}

impl Terms for CustomerLimit {
    const KIND: Kind = Kind::CustomerLimits;
}

/// How many days a place can be away from its calendar's date: it may start a week past midnight and last a week
/// (`cubu::request` takes no more), and the date is a local one.
const REACH_DAYS: u64 = 15;

/// What a limit compared. The case's own place is never among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Whose appointments: said in the first version of `booking.decided` only, for the decision has its customer.
    pub customer_record_id: Option<Uuid>,
    /// Other appointments in the period.
    pub used: Option<i64>,
    /// `max_appointments`
    pub max: Option<i64>,
    /// `period`
    pub period: Option<LimitPeriod>,
    /// `gap_minutes`
    pub gap_minutes: Option<i64>,
    /// Whole minutes to the nearest other appointment, if it matters how near one is; negative for an overlap.
    pub nearest_minutes: Option<i64>,
    /// The case that holds the nearest.
    pub nearest_case_id: Option<Uuid>,
}

impl Compared {
    pub(super) fn write(&self, members: &mut Members<'_>) {
        members.optional_id("customerRecordId", self.customer_record_id);
        members.optional("used", self.used);
        members.optional("max", self.max);
        if let Some(period) = self.period {
            members.word("period", period.as_str());
        }
        members.optional("gapMinutes", self.gap_minutes);
        members.optional("nearestMinutes", self.nearest_minutes);
        members.optional_id("nearestCaseId", self.nearest_case_id);
    }
}

impl CustomerLimit {
    fn looks_at_neighbours(&self) -> bool {
        self.gap_minutes.is_some() || self.forbid_overlap
    }

    /// The dates that are counted: first, and the one after the last.
    fn counted_dates(&self, place: &Place, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        match self.period {
            LimitPeriod::Day => Period::Day.days(place.date),
            LimitPeriod::Week => Period::Week.days(place.date),
            LimitPeriod::Month => Period::Month.days(place.date),
            LimitPeriod::Upcoming => (days_before(today, REACH_DAYS), NaiveDate::MAX),
        }
    }

    /// The dates on which a neighbour could be near enough.
    fn neighbouring_dates(&self, place: &Place) -> (NaiveDate, NaiveDate) {
        let gap_days = self.gap_minutes.unwrap_or(0) / (24 * 60) + 1;
        let days = REACH_DAYS + u64::try_from(gap_days).unwrap_or(0);
        (days_before(place.date, days), days_after(place.date, days))
    }

    /// Whether `max_appointments` says anything of this place: one that has started is not upcoming.
    fn counts(&self, place: &Place, now: DateTime<Utc>) -> Option<i64> {
        self.max_appointments
            .filter(|_| self.period != LimitPeriod::Upcoming || now <= place.starts_at)
    }
}

impl Policy<CustomerLimit> {
    /// Whose places, on which dates, have to be known; none if it does not judge this booking.
    #[must_use]
    pub fn needs(
        &self,
        booking: &Booking,
        place: &Place,
        now: DateTime<Utc>,
    ) -> Option<CustomerSpan> {
        let customer = place.customer_record_id?;
        if !self.header.scope.contains(place) {
            return None;
        }
        let limit = &self.terms;
        let today = local_now(booking, now).date();
        let counted = limit
            .counts(place, now)
            .map(|_| limit.counted_dates(place, today));
        let neighbouring = limit
            .looks_at_neighbours()
            .then(|| limit.neighbouring_dates(place));
        let spans = counted.into_iter().chain(neighbouring);
        spans
            .map(|(from, until)| CustomerSpan {
                customer,
                from,
                until,
            })
            .reduce(CustomerSpan::covering)
    }

    /// Whether the customer may have this place too, and what was compared. Of a booking that it judges: one for which it has
    /// [`needs`](Self::needs).
    #[must_use]
    pub fn judge(
        &self,
        booking: &Booking,
        place: &Place,
        now: DateTime<Utc>,
        facts: &Facts<'_>,
    ) -> (bool, Compared) {
        let limit = &self.terms;
        let others = || {
            let places = facts.customer_places.iter().copied();
            places.filter(|(case_id, other)| {
                *case_id != booking.case_id && self.header.scope.contains(other)
            })
        };
        let max = limit.counts(place, now);
        let used = max.map(|_| {
            let (from, until) = limit.counted_dates(place, local_now(booking, now).date());
            let counted = others().filter(|(_, other)| {
                (from..until).contains(&other.date)
                    && (limit.period != LimitPeriod::Upcoming || now <= other.starts_at)
            });
            i64::try_from(counted.count()).unwrap_or(i64::MAX)
        });
        let nearest = limit.looks_at_neighbours().then(|| {
            let (from, until) = limit.neighbouring_dates(place);
            let near = others().filter(|(_, other)| (from..until).contains(&other.date));
            near.map(|(case_id, other)| (minutes_between(place, other), case_id))
                .min()
        });
        let nearest = nearest.flatten();
        let has_room = max.zip(used).is_none_or(|(max, used)| used < max);
        let least = limit.gap_minutes.unwrap_or(0);
        let has_distance = nearest.is_none_or(|(minutes, _)| minutes >= least);
        let compared = Compared {
            customer_record_id: None,
            used,
            max,
            period: max.map(|_| limit.period),
            gap_minutes: limit.gap_minutes,
            nearest_minutes: nearest.map(|(minutes, _)| minutes),
            nearest_case_id: nearest.map(|(_, case_id)| case_id),
        };
        (has_room && has_distance, compared)
    }
}

/// Whole minutes from the end of the earlier to the start of the later; negative if they overlap. By the instants, so that
/// midnight, clock changes and time zones do not matter.
fn minutes_between(place: &Place, other: &Place) -> i64 {
    let end = |place: &Place| {
        let length = TimeDelta::minutes(place.minutes_taken().into());
        place
            .starts_at
            .checked_add_signed(length)
            .unwrap_or(place.starts_at)
    };
    whole_minutes(end(place), other.starts_at).max(whole_minutes(end(other), place.starts_at))
}

fn days_before(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days))
        .unwrap_or(NaiveDate::MIN)
}

fn days_after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days))
        .unwrap_or(NaiveDate::MAX)
}
