//! Decisions as `ledger.decision_counts` counts them: of each range and trait, the many numbers with their keys.

use super::fingerprint::Fingerprint;
use super::hits::Row as Hit;
use super::view::Event;
use crate::ledger::counts::{Counted, TRAITS, Traits, policy_key};

/// A range, and its decisions by each of [`TRAITS`].
#[derive(Debug, Clone)]
struct Range {
    first_seq: i64,
    last_seq: i64,
    // None: compared.
    keyed: [Option<Fingerprint>; TRAITS.len()],
}

/// By the ledger: the ranges that were counted when reading it began.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    ranges: Vec<Range>,
    /// Where the last range began, whether it follows the others or not.
    last_begun: i64,
}

impl Counts {
    /// Of these ranges, those that follow each other from number 1 on.
    pub(super) fn new(begun: Vec<(i64, i64)>) -> Self {
        let mut ranges = Vec::new();
        let mut next = 1;
        let last_begun = begun.last().map_or(i64::MIN, |(first_seq, _)| *first_seq);
        for (first_seq, last_seq) in begun {
            if first_seq == next && last_seq >= first_seq {
                ranges.push(Range {
                    first_seq,
                    last_seq,
                    keyed: [Some(Fingerprint::default()); TRAITS.len()],
                });
                next = last_seq.saturating_add(1);
            }
        }
        Self { ranges, last_begun }
    }

    fn range(&mut self, seq: i64) -> Option<&mut Range> {
        let at = self.ranges.partition_point(|range| range.last_seq < seq);
        self.ranges
            .get_mut(at)
            .filter(|range| range.first_seq <= seq)
    }

    /// A decision. Its columns are compared elsewhere.
    pub(super) fn decision(&mut self, event: &Event<'_>) {
        let Some(range) = self.range(event.seq) else {
            return;
        };
        let traits = Traits {
            seq: event.seq,
            recorded_at: event.recorded_at,
            outcome: event.outcome,
            unit_id: event.unit_id,
            service_id: event.service_id,
            channel: event.channel,
            booked_by: event.booked_by,
        };
        for (keyed, key) in range.keyed.iter_mut().zip(traits.keys()) {
            keyed.get_or_insert_default().add((&*key, event.seq));
        }
    }

    /// Decisions that met a policy. They are compared with what the decisions say elsewhere.
    pub(super) fn met(&mut self, hit: &Hit) {
        let key = policy_key(&hit.policy_kind, hit.policy_id, &hit.verdict, &hit.mode);
        for seq in &hit.seqs {
            if let Some(Range {
                keyed: [.., policies],
                ..
            }) = self.range(*seq)
            {
                policies.get_or_insert_default().add((&*key, *seq));
            }
        }
    }

    /// What differs between the next row of the table and the ledger, as both sides.
    pub(super) fn compare(&mut self, row: &Counted) -> Option<(Option<String>, String)> {
        // It was counted after the reading began.
        if row.first_seq > self.last_begun {
            return None;
        }
        let keyed = keyed(row);
        let shown = keyed.map_or_else(
            || {
                let Counted {
                    keys, decisions, ..
                } = row;
                format!("not as it is written: {decisions:?} decisions of {keys:?}")
            },
            |keyed| keyed.to_string(),
        );
        let by = TRAITS.iter().position(|by| *by == row.counted_by);
        let range = self
            .range(row.first_seq)
            .filter(|range| (range.first_seq, range.last_seq) == (row.first_seq, row.last_seq));
        let known = match (range, by) {
            (Some(range), Some(by)) => range.keyed[by].take(),
            _ => None,
        };
        (known.is_none() || known != keyed)
            .then(|| (known.as_ref().map(ToString::to_string), shown))
    }

    /// What was not compared with any row.
    pub(super) fn missing(&self) -> impl Iterator<Item = (String, String)> {
        self.ranges.iter().flat_map(|range| {
            let by = TRAITS.iter().zip(&range.keyed);
            by.filter_map(|(by, keyed)| {
                let row = name(by, range.first_seq, range.last_seq);
                keyed.map(|keyed| (row, keyed.to_string()))
            })
        })
    }
}

/// How a row is named.
pub(super) fn name(counted_by: &str, first_seq: i64, last_seq: i64) -> String {
    format!("{counted_by} {first_seq} to {last_seq}")
}

/// None: a row that is not as it is written.
fn keyed(row: &Counted) -> Option<Fingerprint> {
    let seqs = row.seqs()?;
    let mut keyed = Fingerprint::default();
    for (key, seqs) in &seqs {
        seqs.iter().for_each(|seq| keyed.add((&**key, *seq)));
    }
    let range = row.first_seq..=row.last_seq;
    (Counted::new(&row.counted_by, &range, seqs) == *row).then_some(keyed)
}
