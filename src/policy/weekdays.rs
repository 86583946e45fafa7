//! Sets of weekdays.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of ISO weekdays (1 is Monday).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Weekdays(u8);

impl Weekdays {
    /// From ISO numbers; others are ignored.
    #[must_use]
    pub fn from_iso(days: &[i16]) -> Self {
        Self(
            days.iter()
                .filter(|day| (1..=7).contains(*day))
                .fold(0, |set, day| set | 1 << day),
        )
    }

    /// Whether a date's weekday is among them.
    #[must_use]
    pub fn contain(self, date: NaiveDate) -> bool {
        self.0 & (1 << date.weekday().number_from_monday()) != 0
    }

    /// One bit a day: bit 1 is Monday's.
    #[must_use]
    pub fn bits(self) -> i32 {
        self.0.into()
    }

    /// ISO numbers, ascending.
    #[must_use]
    pub fn to_iso(self) -> Vec<i16> {
        (1..=7).filter(|day| self.0 & (1 << day) != 0).collect()
    }
}

impl Serialize for Weekdays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.to_iso())
    }
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|days: Vec<i16>| Self::from_iso(&days))
    }
}
