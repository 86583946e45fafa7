//! Times and dates as they are stored. Postgres knows some that chrono does not, `infinity` among them; nobody but a forger would write
//! one, and it must be told, not end the program.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

/// Postgres counts from 2000.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// A `timestamptz`; outside of chrono's range the end of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredTime(DateTime<Utc>);

/// A `date`; outside of chrono's range the end of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredDate(NaiveDate);

impl StoredTime {
    /// So many microseconds after the beginning of 2000.
    pub(super) fn of(microseconds: i64) -> Self {
        let time = microseconds
            .checked_add(EPOCH_MICROSECONDS)
            .and_then(DateTime::from_timestamp_micros);
        Self(time.unwrap_or(if microseconds > 0 {
            DateTime::<Utc>::MAX_UTC
        } else {
            DateTime::<Utc>::MIN_UTC
        }))
    }
}

impl StoredDate {
    /// So many days after the first of 2000.
    pub(super) fn of(days: i32) -> Self {
        let date = NaiveDate::from_ymd_opt(2000, 1, 1)
            .and_then(|epoch| epoch.checked_add_signed(TimeDelta::days(days.into())));
        Self(date.unwrap_or(if days > 0 {
            NaiveDate::MAX
        } else {
            NaiveDate::MIN
        }))
    }
}

impl From<StoredTime> for DateTime<Utc> {
    fn from(StoredTime(time): StoredTime) -> Self {
        time
    }
}

impl From<StoredDate> for NaiveDate {
    fn from(StoredDate(date): StoredDate) -> Self {
        date
    }
}

impl Type<Postgres> for StoredTime {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl Type<Postgres> for StoredDate {
    fn type_info() -> PgTypeInfo {
        <NaiveDate as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for StoredTime {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<Postgres>>::decode(value).map(Self::of)
    }
}

impl<'r> Decode<'r, Postgres> for StoredDate {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <i32 as Decode<Postgres>>::decode(value).map(Self::of)
    }
}
