//! What a replay found.

use std::fmt;

use serde::{Serialize, Serializer};

/// So many mismatches are told one by one; the rest are counted.
const MOST_TOLD: usize = 100;

/// Texts longer than this are told from shortly before where they differ.
const MOST_TEXT: usize = 600;

/// What of an event does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A number is missing, or comes twice.
    Number,
    /// Time runs backwards, or differs between a request and its decision.
    Time,
    /// The type is not known, or does not fit what the event says.
    Type,
    /// The event that it names as its cause is not the one that led to it.
    Cause,
    /// The content is not the one that was digested.
    PayloadDigest,
    /// The event is not the one that was chained after the one before it.
    Chain,
    /// The payload is not one that this version can read.
    Unreadable,
    /// The payload is not written as the service writes it.
    Payload,
    /// The policies that the decision saw.
    PolicyVersion,
    /// The place that the decision replaced.
    MovedFrom,
    /// The start as an instant.
    StartsAt,
    /// The answer.
    Response,
    /// The explanation.
    Policies,
    /// A query column.
    Column(&'static str),
    /// A request has no decision.
    Undecided,
    /// A repeat of an answer that does not stand, or a decision where the answer stood.
    Repeat,
    /// A policy's row before the change.
    OldRow,
    /// A policy's row after the change.
    NewRow,
    /// The rows of a large change.
    Attachment,
    /// Part of an event was erased, and part of it was not.
    Erasure,
    /// The content of the event was erased.
    Erased,
    /// An event that was noted elsewhere is another now, or gone.
    Noted,
    /// A column of the ledger's head.
    Head(&'static str),
    /// The snapshot that was to be checked.
    Snapshot,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => write!(f, "column {column}"),
            Self::Head(column) => write!(f, "head's {column}"),
            other => f.write_str(match other {
                Self::Number => "number",
                Self::Time => "time",
                Self::Type => "type",
                Self::Cause => "cause",
                Self::PayloadDigest => "payload digest",
                Self::Chain => "chain",
                Self::Unreadable => "readability",
                Self::Payload => "payload",
                Self::PolicyVersion => "policyVersion",
                Self::MovedFrom => "movedFrom",
                Self::StartsAt => "startsAt",
                Self::Response => "response",
                Self::Policies => "policies",
                Self::Undecided => "decision",
                Self::Repeat => "repeat",
                Self::OldRow => "old row",
                Self::NewRow => "new row",
                Self::Attachment => "attachment",
                Self::Erasure => "erasure",
                Self::Erased => "content",
                Self::Noted => "noted event",
                Self::Snapshot => "snapshot",
                Self::Column(_) | Self::Head(_) => "",
            }),
        }
    }
}

impl Serialize for What {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One thing that does not match: where, what, and both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The ledger.
    pub org: String,
    /// The event.
    pub seq: i64,
    /// What of it.
    pub what: What,
    /// What follows from the events before.
    pub expected: String,
    /// What is stored.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            org,
            seq,
            what,
            expected,
            found,
        } = self;
        write!(
            f,
            "{org} event {seq}: {what}\n  expected: {expected}\n  found:    {found}"
        )
    }
}

/// The mismatches of a replay: the first ones, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Mismatches {
    pub(super) told: Vec<Mismatch>,
    pub(super) count: u64,
}

impl Mismatches {
    pub(super) fn push(
        &mut self,
        org: &str,
        seq: i64,
        what: What,
        expected: impl ToString,
        found: impl ToString,
    ) {
        self.count += 1;
        if self.told.len() < MOST_TOLD {
            let (expected, found) = around_difference(&expected.to_string(), &found.to_string());
            self.told.push(Mismatch {
                org: org.to_owned(),
                seq,
                what,
                expected,
                found,
            });
        }
    }
}

/// Long texts are cut to the part where they differ.
pub(super) fn around_difference(expected: &str, found: &str) -> (String, String) {
    if expected.len().max(found.len()) <= MOST_TEXT {
        return (expected.to_owned(), found.to_owned());
    }
    let same = expected
        .bytes()
        .zip(found.bytes())
        .take_while(|(left, right)| left == right)
        .count();
    let cut = |text: &str| {
        let from = text.floor_char_boundary(same.saturating_sub(MOST_TEXT / 4));
        let to = text.floor_char_boundary(from + MOST_TEXT);
        let before = if from > 0 { "…" } else { "" };
        let after = if to < text.len() { "…" } else { "" };
        format!("{before}{}{after}", &text[from..to])
    };
    (cut(expected), cut(found))
}

/// What was read of one ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRead {
    /// The ledger.
    pub org: String,
    /// The event before the first that was read: 0, or the snapshot's.
    pub after: i64,
    /// The first event that was checked: those between were taken as recorded.
    #[serde(rename = "checkedFrom")]
    pub checked_from: i64,
    /// The last event that was read.
    pub last: i64,
    /// Its chain value, in hexadecimal digits: commits to everything up to it.
    pub chain: String,
    /// Whether that is where the ledger ends, as its head says.
    pub complete: bool,
}

/// The outcome of a replay.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Events that were read and checked.
    pub events: u64,
    /// Decisions that were derived again.
    pub decisions: u64,
    /// Requests that got the stored answer.
    pub repeats: u64,
    /// Requests that could not be understood or authenticated.
    pub rejected: u64,
    /// Calls after a booking.
    pub followed: u64,
    /// Policy events.
    pub policy_changes: u64,
    /// Events whose content was erased: their chain was checked, what they said cannot be.
    pub erased: u64,
    /// How many things do not match.
    pub mismatches: u64,
    /// The first of them.
    pub first: Option<Mismatch>,
    /// The first hundred.
    pub told: Vec<Mismatch>,
    /// Every ledger that was read.
    pub orgs: Vec<LedgerRead>,
}

impl Summary {
    /// Whether everything matches.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.mismatches == 0
    }

    pub(super) fn add_mismatch(
        &mut self,
        org: &str,
        seq: i64,
        what: What,
        expected: &str,
        found: &str,
    ) {
        let mut mismatches = Mismatches::default();
        mismatches.push(org, seq, what, expected, found);
        self.add_mismatches(mismatches);
    }

    pub(super) fn add_mismatches(&mut self, mismatches: Mismatches) {
        self.mismatches += mismatches.count;
        self.told.extend(mismatches.told);
        self.told.truncate(MOST_TOLD);
        self.first = self.told.first().cloned();
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        let mismatches = Mismatches {
            count: other.mismatches,
            told: std::mem::take(&mut other.told),
        };
        self.add(other);
        self.add_mismatches(mismatches);
    }

    pub(super) fn add(&mut self, ledger: Self) {
        self.events += ledger.events;
        self.decisions += ledger.decisions;
        self.repeats += ledger.repeats;
        self.rejected += ledger.rejected;
        self.followed += ledger.followed;
        self.policy_changes += ledger.policy_changes;
        self.erased += ledger.erased;
        self.orgs.extend(ledger.orgs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_around_their_difference() {
        let left = format!("{}א1{}", "é".repeat(900), "x".repeat(900));
        let right = format!("{}א2{}", "é".repeat(900), "x".repeat(900));
        let (expected, found) = around_difference(&left, &right);
        assert!(expected.contains("א1x") && found.contains("א2x"));
        assert!(expected.starts_with("…é") && expected.ends_with("x…") && expected.len() < 700);
    }
}
