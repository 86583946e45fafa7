//! `policy.capacity_caps`: at most so many appointments or minutes in a bucket.

use serde::Deserialize;

use super::bucket::{Bucket, CountedPer, Period};
use super::kind::Kind;
use super::place::Place;
use super::row::{Policy, Terms};
use super::tallies::Tally;
use super::weekdays::Weekdays;
use crate::json::Members;

/// What a cap says.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V2__policy.sql"
)]
pub struct CapacityCap {
    pub max_appointments: Option<i64>,
    pub max_minutes: Option<i64>,
    pub counted_per: CountedPer,
    pub period: Period,
    pub weekdays: Option<Weekdays>,
    pub from_minute: Option<i32>,
    pub to_minute: Option<i32>,
}

impl Terms for CapacityCap {
    const KIND: Kind = Kind::CapacityCaps;
}

/// What a cap compared: places and minutes taken by others before this booking, and the most that there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What was counted.
    pub bucket: Bucket,
    /// Appointments in the bucket, this case's own place aside.
    pub used: i64,
    /// `max_appointments`
    pub max: Option<i64>,
    /// Minutes in the bucket.
    pub used_minutes: Option<i64>,
    /// `max_minutes`
    pub max_minutes: Option<i64>,
}

impl Compared {
    pub(super) fn write(&self, members: &mut Members<'_>) {
        self.bucket.write(members.key("bucket"));
        members.value("used", self.used);
        members.optional("max", self.max);
        members.optional("usedMinutes", self.used_minutes);
        members.optional("maxMinutes", self.max_minutes);
    }
}

impl Policy<CapacityCap> {
    /// Whether it judges bookings for this place.
    #[must_use]
    pub fn concerns(&self, place: &Place) -> bool {
        let cap = &self.terms;
        self.header.scope.contains(place)
            && cap.weekdays.is_none_or(|days| days.contain(place.date))
            && cap.from_minute.is_none_or(|minute| minute <= place.start)
            && cap.to_minute.is_none_or(|minute| place.start < minute)
    }

    /// What it counts for this place.
    #[must_use]
    pub fn bucket(&self, place: &Place) -> Bucket {
        let cap = &self.terms;
        Bucket::around(
            place,
            &self.header.scope,
            cap.counted_per,
            cap.period,
            (cap.from_minute, cap.to_minute),
            cap.weekdays,
        )
    }

    /// Whether there is room in its [`bucket`](Self::bucket), of which others use so much, and what was compared.
    #[must_use]
    pub fn judge(&self, bucket: Bucket, used: Tally, place: &Place) -> (bool, Compared) {
        let with_this = used.with(place);
        let cap = &self.terms;
        let has_room = cap
            .max_appointments
            .is_none_or(|max| with_this.appointments <= max)
            && cap.max_minutes.is_none_or(|max| with_this.minutes <= max);
        let compared = Compared {
            bucket,
            used: used.appointments,
            max: cap.max_appointments,
            used_minutes: cap.max_minutes.map(|_| used.minutes),
            max_minutes: cap.max_minutes,
        };
        (has_room, compared)
    }
}
