//! The names that an expression may use.

use super::kind::Kind::{self, Boolean, Integer, List, Map, Text};

/// Every name, what it is, and whether it can be null. `docs/expressions.md` says what each means; a test compares.
pub(super) const NAMES: &[(&str, Kind)] = &[
    ("caseId", Text),
    ("parentCaseId", Text),
    ("referenceDate", Text),
    ("unitId", Text),
    ("serviceId", Text),
    ("serviceCategoryId", Text),
    ("serviceTypeId", Text),
    ("status", Text),
    ("channel", Text),
    ("language", Text),
    ("ticket.prefix", Text),
    ("ticket.number", Integer),
    ("ticket.suffix", Text),
    ("fields", Map),
    ("tagIds", List),
    ("customerRecordId", Text),
    ("triggeredByUserId", Text),
    ("triggeredByUserEmail", Text),
    ("appointment.date", Text),
    ("appointment.cuIndex", Integer),
    ("appointment.start", Integer),
    ("appointment.timeLocal", Text),
    ("appointment.timeUtc", Text),
    ("appointment.timeZoneId", Text),
    ("appointment.duration", Integer),
    ("appointment.preventSelfCheckIn", Boolean),
    ("bookedBy", Text),
    ("selfService", Boolean),
    ("minutesUntilStart", Integer),
    ("daysUntilDate", Integer),
    ("weekday", Integer),
    ("minuteOfDay", Integer),
    ("now", Text),
    ("nowWeekday", Integer),
    ("nowMinuteOfDay", Integer),
];

pub(super) const FUNCTIONS_LISTED: &str = "size(x), int(x), double(x), string(x), has(x.y), x.size(), x.contains(text), \
    x.startsWith(text), x.endsWith(text), x.matches('pattern'), x.lowerAscii(), x.trim(), and on lists \
    x.exists(y, …), x.all(y, …), x.exists_one(y, …), x.filter(y, …), x.map(y, …)";

/// A function: its name, whether it is called as `x.f()`, how many arguments it takes besides, and what it gives.
pub(super) const FUNCTIONS: &[(&str, bool, usize, Kind)] = &[
    ("size", false, 1, Integer),
    ("int", false, 1, Integer),
    ("double", false, 1, Kind::Fraction),
    ("string", false, 1, Text),
    ("size", true, 0, Integer),
    ("contains", true, 1, Boolean),
    ("startsWith", true, 1, Boolean),
    ("endsWith", true, 1, Boolean),
    ("matches", true, 1, Boolean),
    ("lowerAscii", true, 0, Kind::Any),
    ("trim", true, 0, Kind::Any),
];

pub(super) fn kind_of(name: &str) -> Option<Kind> {
    NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind)
}

/// Whether names like `object.member` exist.
pub(super) fn is_object(name: &str) -> bool {
    matches!(name, "appointment" | "ticket")
}

pub(super) fn listed() -> String {
    NAMES
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}
