//! The values of Cubu's fields, each read strictly and described in the words that a refusal uses ("must be …").

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use uuid::Uuid;

/// A value that is written as a JSON string.
pub(super) trait FromText: Sized {
    const EXPECTED: &'static str;
    fn from_text(text: &str) -> Option<Self>;
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

macro_rules! deserialize_from_text {
    ($($name:ty),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }
    )*};
}
deserialize_from_text!(Guid, Text, Date, LocalTime, UtcTime);

/// A GUID in any case.
pub(in crate::cubu) struct Guid(pub(in crate::cubu) Uuid);

impl FromText for Guid {
    const EXPECTED: &'static str = "a GUID";

    fn from_text(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

/// Text that Postgres can store in a column and find by index: no U+0000, and far below the 2,704 bytes of a B-tree entry
/// (PostgreSQL manual, "B-Tree Indexes"). Nothing that Cubu documents comes near.
pub(super) struct Text(pub(super) String);

const LONGEST_TEXT: usize = 1_000;

impl FromText for Text {
    const EXPECTED: &'static str = "text of at most 1,000 bytes without U+0000";

    fn from_text(text: &str) -> Option<Self> {
        let fits = text.len() <= LONGEST_TEXT && !text.contains('\0');
        fits.then(|| Self(text.to_owned()))
    }
}

/// `2027-03-09` or `2027-03-09T00:00:00`; the time and a zone, if any, say nothing about a calendar's date.
pub(super) struct Date(pub(super) NaiveDate);

impl FromText for Date {
    const EXPECTED: &'static str = "a date such as 2027-03-09 or 2027-03-09T00:00:00";

    fn from_text(text: &str) -> Option<Self> {
        let (date, time) = split_date(text)?;
        if let Some(time) = time {
            let time = time.strip_suffix(['Z', 'z']).unwrap_or(time);
            parse_time(time)?;
        }
        Some(Self(date))
    }
}

/// `2027-03-09T10:50:00`, with or without a fraction.
pub(super) struct LocalTime(pub(super) NaiveDateTime);

impl FromText for LocalTime {
    const EXPECTED: &'static str = "a date and time without zone, such as 2027-03-09T10:50:00";

    fn from_text(text: &str) -> Option<Self> {
        let (date, time) = split_date(text)?;
        Some(Self(date.and_time(parse_time(time?)?)))
    }
}

/// `2027-03-09T08:50:00Z`; another offset is converted, and none is read as UTC, as the field's name says.
pub(super) struct UtcTime(pub(super) DateTime<Utc>);

impl FromText for UtcTime {
    const EXPECTED: &'static str = "a UTC date and time such as 2027-03-09T08:50:00Z";

    fn from_text(text: &str) -> Option<Self> {
        let utc = |text| LocalTime::from_text(text).map(|local| local.0.and_utc());
        let usual = text.strip_suffix('Z').filter(|text| text.len() == 19);
        let instant = match usual.and_then(utc) {
            Some(instant) => instant,
            None => match DateTime::parse_from_rfc3339(text) {
                Ok(instant) => instant.to_utc(),
                Err(_) => utc(text.strip_suffix('Z').unwrap_or(text))?,
            },
        };
        (1..=9999)
            .contains(&instant.year())
            .then_some(Self(instant))
    }
}

/// The date, and what follows the `T`. Four digits a year, two a month and a day.
fn split_date(text: &str) -> Option<(NaiveDate, Option<&str>)> {
    let (date, rest) = text.split_at_checked(10)?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date.as_bytes() else {
        return None;
    };
    let year = 100 * two_digits(y1, y2)? + two_digits(y3, y4)?;
    if year == 0 {
        return None;
    }
    let time = match rest {
        "" => None,
        rest => Some(rest.strip_prefix(['T', 't'])?),
    };
    let year = i32::try_from(year).ok()?;
    let date = NaiveDate::from_ymd_opt(year, two_digits(m1, m2)?, two_digits(d1, d2)?)?;
    Some((date, time))
}

/// The usual form by itself: every booking has four of these, and chrono reads its formats anew each time.
fn parse_time(text: &str) -> Option<NaiveTime> {
    if let &[h1, h2, b':', m1, m2, b':', s1, s2] = text.as_bytes()
        && let (Some(hour), Some(minute), Some(second)) =
            (two_digits(h1, h2), two_digits(m1, m2), two_digits(s1, s2))
        && let Some(time) = NaiveTime::from_hms_opt(hour, minute, second)
    {
        return Some(time);
    }
    ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| char::from(byte).to_digit(10);
    Some(10 * digit(tens)? + digit(ones)?)
}

/// An integer from 0 to `MAX`.
pub(super) struct UpTo<const MAX: i32>(pub(super) i32);

struct UpToVisitor<const MAX: i32>;

impl<const MAX: i32> Visitor<'_> for UpToVisitor<MAX> {
    type Value = UpTo<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an integer from 0 to {MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        match i32::try_from(number) {
            Ok(number) if number <= MAX => Ok(UpTo(number)),
            _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

impl<'de, const MAX: i32> Deserialize<'de> for UpTo<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(UpToVisitor)
    }
}
