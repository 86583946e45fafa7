//! Decisions counted once and for all, a range of ledger numbers at a time: the rows of `ledger.decision_counts`.
//!
//! Of each range a row for each trait: how many decisions have which key, and, because a question may begin or end anywhere and is cut
//! into hours or days of any time zone, which decisions these are, two bytes each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

/// How many numbers are counted together: as many as two bytes tell apart. So few for tests that their ledgers, too, take several.
pub const NUMBERS: i64 = if cfg!(debug_assertions) { 64 } else { 65_536 };

/// By what decisions are counted: first by what each has a key of its own columns for.
pub const TRAITS: [&str; 7] = [
    "outcome",
    "unitId",
    "serviceId",
    "channel",
    "bookedBy",
    QUARTER_HOUR,
    POLICY,
];

/// The quarter hours: time zones differ by whole ones, so that any hour or day begins with one.
pub const QUARTER_HOUR: &str = "quarterHour";
/// Each policy with a verdict and a mode.
pub const POLICY: &str = "policy";

/// The key of decisions that have none.
pub const NONE: &str = "none";

/// In seconds.
pub const QUARTER: i64 = 15 * 60;

/// What of a decision is counted.
#[derive(Debug, Clone, Copy, FromRow)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V1__ledger.sql"
)]
pub struct Traits<'a> {
    pub seq: i64,
    pub recorded_at: DateTime<Utc>,
    pub outcome: Option<&'a str>,
    pub unit_id: Option<Uuid>,
    pub service_id: Option<Uuid>,
    pub channel: Option<&'a str>,
    pub booked_by: Option<&'a str>,
}

impl<'a> Traits<'a> {
    /// The decision's key of each of [`TRAITS`] but the last.
    #[must_use]
    pub fn keys(&self) -> [Cow<'a, str>; TRAITS.len() - 1] {
        let text = |value: Option<&'a str>| Cow::Borrowed(value.unwrap_or(NONE));
        let id = |value: Option<Uuid>| {
            value.map_or(Cow::Borrowed(NONE), |id| Cow::Owned(id.to_string()))
        };
        let seconds = self.recorded_at.timestamp();
        [
            text(self.outcome),
            id(self.unit_id),
            id(self.service_id),
            text(self.channel),
            text(self.booked_by),
            Cow::Owned((seconds - seconds.rem_euclid(QUARTER)).to_string()),
        ]
    }
}

/// The key of a policy that was met.
#[must_use]
pub fn policy_key(kind: &str, id: i64, verdict: &str, mode: &str) -> String {
    format!("{kind} {id} {verdict} {mode}")
}

/// The policy, verdict and mode of such a key.
#[must_use]
pub fn read_policy_key(key: &str) -> Option<(&str, i64, &str, &str)> {
    let mut words = key.splitn(4, ' ');
    let mut word = || words.next();
    Some((word()?, word()?.parse().ok()?, word()?, word()?))
}

/// A range that is being counted.
#[derive(Debug)]
pub struct Counting {
    range: RangeInclusive<i64>,
    seqs: [BTreeMap<String, Vec<i64>>; TRAITS.len()],
}

impl Counting {
    /// Begins with a range.
    #[must_use]
    pub fn new(range: RangeInclusive<i64>) -> Self {
        Self {
            range,
            seqs: Default::default(),
        }
    }

    /// The next decision.
    pub fn decision(&mut self, traits: &Traits<'_>) {
        for (seqs, key) in self.seqs.iter_mut().zip(traits.keys()) {
            match seqs.get_mut(key.as_ref()) {
                Some(seqs) => seqs.push(traits.seq),
                None => {
                    seqs.insert(key.into_owned(), vec![traits.seq]);
                }
            }
        }
    }

    /// The next decisions that met a policy.
    pub fn met(&mut self, policy: String, decisions: &[i64]) {
        if let ([.., policies], false) = (&mut self.seqs, decisions.is_empty()) {
            policies.entry(policy).or_default().extend(decisions);
        }
    }

    /// The rows.
    #[must_use]
    pub fn finish(self) -> Vec<Counted> {
        let range = &self.range;
        let rows = TRAITS.into_iter().zip(self.seqs);
        rows.map(|(counted_by, seqs)| Counted::new(counted_by, range, seqs))
            .collect()
    }
}

/// The decisions of a range by one trait: a row of `ledger.decision_counts`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V7__decision_counts.sql"
)]
pub struct Counted {
    pub counted_by: String,
    pub first_seq: i64,
    pub last_seq: i64,
    pub keys: Vec<String>,
    pub decisions: Vec<i32>,
    pub newest: Vec<i64>,
    pub positions: Vec<u8>,
}

impl Counted {
    /// Of the decisions of each key, ascending.
    #[must_use]
    pub fn new(
        counted_by: &str,
        range: &RangeInclusive<i64>,
        seqs: BTreeMap<String, Vec<i64>>,
    ) -> Self {
        let mut row = Self {
            counted_by: counted_by.to_owned(),
            first_seq: *range.start(),
            last_seq: *range.end(),
            keys: Vec::with_capacity(seqs.len()),
            decisions: Vec::with_capacity(seqs.len()),
            newest: Vec::with_capacity(seqs.len()),
            positions: Vec::new(),
        };
        for (key, seqs) in seqs {
            row.keys.push(key);
            row.decisions
                .push(i32::try_from(seqs.len()).unwrap_or(i32::MAX));
            row.newest.push(seqs.last().copied().unwrap_or_default());
            for seq in seqs {
                let position = u16::try_from(seq - row.first_seq).unwrap_or(u16::MAX);
                row.positions.extend(position.to_be_bytes());
            }
        }
        row
    }

    /// The decisions of each key. None: a row that is not as it is written.
    #[must_use]
    pub fn seqs(&self) -> Option<BTreeMap<String, Vec<i64>>> {
        let seqs = seqs_of_keys(self.first_seq, &self.decisions, &self.positions)?;
        (seqs.len() == self.keys.len()).then(|| self.keys.iter().cloned().zip(seqs).collect())
    }
}

/// The decisions of each key, ascending. None: positions that do not fit these counts.
#[must_use]
pub fn seqs_of_keys(first_seq: i64, decisions: &[i32], positions: &[u8]) -> Option<Vec<Vec<i64>>> {
    let (pairs, []) = positions.as_chunks::<2>() else {
        return None;
    };
    let mut pairs = pairs.iter();
    let seqs = decisions.iter().map(|count| {
        let count = usize::try_from(*count).ok()?;
        let seqs = pairs.by_ref().take(count);
        let seqs: Vec<i64> = seqs
            .map(|pair| first_seq + i64::from(u16::from_be_bytes(*pair)))
            .collect();
        (seqs.len() == count && seqs.is_sorted_by(|left, right| left < right)).then_some(seqs)
    });
    let seqs = seqs.collect::<Option<Vec<_>>>()?;
    pairs.next().is_none().then_some(seqs)
}
