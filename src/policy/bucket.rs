//! What a counting policy counts for one booking.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::place::Place;
use super::scope::Scope;
use super::weekdays::Weekdays;
use crate::cubu::request::BookedBy;
use crate::json::Members;

/// Over what a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountedPer {
    /// Service and cuIndex.
    Calendar,
    /// The service.
    Service,
    /// The unit.
    Unit,
}

/// Over what time a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// Same date and start.
    Slot,
    /// The appointment's date.
    Day,
    /// ISO week, from Monday.
    Week,
    /// Calendar month.
    Month,
}

impl Period {
    /// First day, and the day after the last.
    #[must_use]
    pub fn days(self, date: NaiveDate) -> (NaiveDate, NaiveDate) {
        // Dates come from requests with years 1–9999, far from the ends of what NaiveDate can hold: the fall-backs are never taken.
        let plus_days = |from: NaiveDate, days| {
            from.checked_add_days(Days::new(days))
                .unwrap_or(NaiveDate::MAX)
        };
        match self {
            Self::Slot | Self::Day => (date, plus_days(date, 1)),
            Self::Week => {
                let monday = date
                    .checked_sub_days(Days::new(date.weekday().num_days_from_monday().into()))
                    .unwrap_or(NaiveDate::MIN);
                (monday, plus_days(monday, 7))
            }
            Self::Month => {
                let first = date.with_day(1).unwrap_or(date);
                (
                    first,
                    first
                        .checked_add_months(Months::new(1))
                        .unwrap_or(NaiveDate::MAX),
                )
            }
        }
    }
}

/// A set of places to count. Two policies that count the same have equal buckets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// In this unit.
    pub unit_id: Option<Uuid>,
    /// Of this service.
    pub service_id: Option<Uuid>,
    /// Of this service category.
    pub service_category_id: Option<Uuid>,
    /// Of this service type.
    pub service_type_id: Option<Uuid>,
    /// In calendars with this index.
    pub cu_index: Option<i32>,
    /// Of this channel.
    pub channel: Option<String>,
    /// By whom booked.
    pub booked_by: Option<BookedBy>,
    /// First date.
    pub from: NaiveDate,
    /// The date after the last.
    pub until: NaiveDate,
    /// Starting at or after this minute of the day.
    pub from_minute: Option<i32>,
    /// Starting before this minute of the day.
    pub to_minute: Option<i32>,
    /// On these weekdays.
    pub weekdays: Option<Weekdays>,
}

impl Bucket {
    /// As an object of an explanation.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut members = Members::begin(out);
        members.optional_id("unitId", self.unit_id);
        members.optional_id("serviceId", self.service_id);
        members.optional_id("serviceCategoryId", self.service_category_id);
        members.optional_id("serviceTypeId", self.service_type_id);
        members.optional("cuIndex", self.cu_index);
        members.optional("channel", self.channel.as_deref());
        if let Some(booked_by) = self.booked_by {
            members.word("bookedBy", booked_by.as_str());
        }
        members.date("from", self.from);
        members.date("until", self.until);
        members.optional("fromMinute", self.from_minute);
        members.optional("toMinute", self.to_minute);
        members.optional("weekdays", self.weekdays);
        members.end();
    }

    /// The bucket that a place falls into: the scope's places, per what is counted, in the period around the place.
    #[must_use]
    pub fn around(
        place: &Place,
        scope: &Scope,
        counted_per: CountedPer,
        period: Period,
        minutes: (Option<i32>, Option<i32>),
        weekdays: Option<Weekdays>,
    ) -> Self {
        let (from, until) = period.days(place.date);
        let (from_minute, to_minute) = match period {
            Period::Slot => (Some(place.start), Some(place.start + 1)),
            _ => minutes,
        };
        Self {
            unit_id: match counted_per {
                CountedPer::Unit => Some(place.unit_id),
                _ => scope.unit_id,
            },
            service_id: match counted_per {
                CountedPer::Calendar | CountedPer::Service => Some(place.service_id),
                CountedPer::Unit => scope.service_id,
            },
            service_category_id: scope.service_category_id,
            service_type_id: scope.service_type_id,
            cu_index: match counted_per {
                CountedPer::Calendar => Some(place.cu_index),
                _ => scope.cu_index,
            },
            channel: scope.channel.clone(),
            booked_by: scope.booked_by,
            from,
            until,
            from_minute,
            to_minute,
            weekdays,
        }
    }

    /// Whether a place is in it.
    #[must_use]
    pub fn contains(&self, place: &Place) -> bool {
        self.service_id.is_none_or(|id| id == place.service_id)
            && self.unit_id.is_none_or(|id| id == place.unit_id)
            && self.cu_index.is_none_or(|index| index == place.cu_index)
            && self.from <= place.date
            && place.date < self.until
            && self.from_minute.is_none_or(|minute| minute <= place.start)
            && self.to_minute.is_none_or(|minute| place.start < minute)
            && self
                .service_category_id
                .is_none_or(|id| Some(id) == place.service_category_id)
            && self
                .service_type_id
                .is_none_or(|id| Some(id) == place.service_type_id)
            && (self.channel.is_none() || self.channel == place.channel)
            && self.booked_by.is_none_or(|by| by == place.booked_by)
            && self.weekdays.is_none_or(|days| days.contain(place.date))
    }
}
