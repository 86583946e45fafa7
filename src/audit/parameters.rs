//! Values of query parameters: what each may be, and what is said when it is not.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// What is wrong with one query parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterFault {
    /// The parameter's name as it came.
    pub name: String,
    /// What is wrong, such as `must be a GUID`.
    pub message: &'static str,
}

impl ParameterFault {
    /// Builds one.
    #[must_use]
    pub fn new(name: &str, message: &'static str) -> Self {
        // A name is repeated to the caller, so it is bounded.
        let name = name.chars().take(100).collect();
        Self { name, message }
    }
}

/// In which order of the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

impl Order {
    pub(super) const fn as_sql(self) -> &'static str {
        match self {
            Self::Newest => " desc",
            Self::Oldest => " asc",
        }
    }
}

pub(super) type Parsed<T> = Result<Option<T>, &'static str>;

pub(super) fn guid(value: &str) -> Parsed<Uuid> {
    Uuid::try_parse(value)
        .map(Some)
        .map_err(|_| "must be a GUID")
}

pub(super) fn time(value: &str) -> Parsed<DateTime<Utc>> {
    parse_time(value).map(Some)
}

/// RFC 3339, or a date: its midnight in UTC. Only years that a timestamp column holds in either form.
///
/// # Errors
/// When it is neither: what it must be.
pub fn parse_time(value: &str) -> Result<DateTime<Utc>, &'static str> {
    let midnight = || Some(date(value).ok()??.and_time(NaiveTime::MIN).and_utc());
    let time = DateTime::parse_from_rfc3339(value).ok();
    let time = time.map(|time| time.to_utc()).or_else(midnight);
    time.filter(|time| in_years(time.date_naive()))
        .ok_or("must be a date or an RFC 3339 time such as 2027-03-09T08:50:00Z")
}

pub(super) fn date(value: &str) -> Parsed<NaiveDate> {
    let date = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok();
    date.filter(|date| value.len() == 10 && in_years(*date))
        .map(Some)
        .ok_or("must be a date such as 2027-03-09")
}

fn in_years(date: NaiveDate) -> bool {
    use chrono::Datelike as _;
    (1..=9999).contains(&date.year())
}

pub(super) fn index(value: &str) -> Parsed<i32> {
    let index = value.parse().ok().filter(|index| *index >= 0);
    index
        .map(Some)
        .ok_or("must be an integer from 0 to 2147483647")
}

pub(super) fn id(value: &str) -> Parsed<i64> {
    let id = value.parse().ok().filter(|id| *id > 0);
    id.map(Some).ok_or("must be a positive integer")
}

/// Administrators may give a policy any number.
pub(super) fn policy_id(value: &str) -> Parsed<i64> {
    value.parse().map(Some).map_err(|_| "must be an integer")
}

pub(super) fn text(value: &str) -> Parsed<String> {
    let length = value.chars().count();
    if (1..=500).contains(&length) && !value.contains('\0') {
        Ok(Some(value.to_owned()))
    } else {
        Err("must be 1 to 500 characters, none of them NUL")
    }
}

/// A policy table's name: also one that this version does not know, as the ledger may hold newer ones.
pub(super) fn kind(value: &str) -> Parsed<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    if (1..=63).contains(&value.len()) && value.chars().all(is_name) {
        Ok(Some(value.to_owned()))
    } else {
        Err("must be a policy table's name such as capacity_caps")
    }
}

/// A policy table's name, of a parameter.
///
/// # Errors
/// When it cannot be one.
pub fn parse_kind(name: &str, value: &str) -> Result<Option<String>, ParameterFault> {
    kind(value).map_err(|message| ParameterFault::new(name, message))
}

pub(super) fn event_type(value: &str) -> Parsed<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    if (1..=63).contains(&value.len()) && value.chars().all(is_name) {
        Ok(Some(value.to_owned()))
    } else {
        Err("must be an event type such as policy.updated")
    }
}

pub(super) fn order(value: &str) -> Result<Order, &'static str> {
    match value {
        "newest" => Ok(Order::Newest),
        "oldest" => Ok(Order::Oldest),
        _ => Err("must be newest or oldest"),
    }
}

/// One of a few words.
pub(super) fn word(
    value: &str,
    words: &[&'static str],
    message: &'static str,
) -> Parsed<&'static str> {
    let found = words.iter().copied().find(|word| *word == value);
    found.map(Some).ok_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_or_a_day() {
        let noon = time("2027-03-09T12:00:00+02:00").unwrap().unwrap();
        assert_eq!(noon.to_rfc3339(), "2027-03-09T10:00:00+00:00");
        let day = time("2027-03-09").unwrap().unwrap();
        assert_eq!(day.to_rfc3339(), "2027-03-09T00:00:00+00:00");
        for text in [
            "",
            "now",
            "2027-3-9",
            "12027-03-09",
            "0000-01-01",
            "2027-03-09 12:00",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_postgres_could_not_take_is_refused_here() {
        assert!(text("a\0b").is_err());
        assert!(text("").is_err());
        assert!(text(&"ü".repeat(501)).is_err());
        assert!(index("-1").is_err());
        assert!(index("2147483648").is_err());
        assert!(id("0").is_err());
        assert!(kind("capacity_caps'--").is_err());
    }
}
