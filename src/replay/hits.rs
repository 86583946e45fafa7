//! Which decisions each policy took part in, as `ledger.policy_hits` has it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Deserialize;
use sqlx::FromRow;

use super::fingerprint::Fingerprint;
use crate::ledger::append::MOST_EVENTS_OF_A_BATCH;
use crate::ledger::event::PolicyMet;

/// A policy with a verdict in a mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Key<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    id: i64,
    #[serde(borrow)]
    verdict: Cow<'a, str>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            id,
            verdict,
            mode,
        } = self;
        write!(f, "{kind} {id} {verdict} {mode}")
    }
}

/// By the ledger.
#[derive(Debug, Default)]
pub(super) struct Hits {
    decisions: BTreeMap<Key<'static>, Fingerprint>,
    // What these said is not known any more.
    erased: HashSet<i64>,
}

impl Hits {
    /// A decision that was derived again.
    pub(super) fn derived(&mut self, seq: i64, policies: impl Iterator<Item = PolicyMet>) {
        for met in policies {
            let key = Key {
                kind: met.kind.into(),
                id: met.id,
                verdict: met.verdict.into(),
                mode: met.mode.into(),
            };
            self.decisions.entry(key).or_default().add(seq);
        }
    }

    /// A decision as it is recorded. None: its content was erased.
    pub(super) fn recorded(&mut self, seq: i64, policies: Option<&str>) {
        let Some(policies) = policies else {
            self.erased.insert(seq);
            return;
        };
        let keys: Vec<Key<'_>> = serde_json::from_str(policies).unwrap_or_default();
        for Key {
            kind,
            id,
            verdict,
            mode,
        } in keys
        {
            let key = Key {
                kind: kind.into_owned().into(),
                id,
                verdict: verdict.into_owned().into(),
                mode: mode.into_owned().into(),
            };
            self.decisions.entry(key).or_default().add(seq);
        }
    }

    /// The table, as far as it is read.
    pub(super) fn table<'a>(&'a self, batches: &'a Batches) -> Table<'a> {
        Table {
            ledger: self,
            batches,
            decisions: BTreeMap::new(),
            last: None,
        }
    }
}

/// Where the batches of a ledger end.
#[derive(Debug)]
pub(super) struct Batches {
    // Ascending.
    ends: Vec<i64>,
    head: i64,
}

impl Batches {
    /// By the rows' own ends, ascending, and the ledger's.
    pub(super) fn new(ends: Vec<i64>, head: i64) -> Self {
        Self { ends, head }
    }

    /// Whether that is where the batch of this decision ends: no other ends between them, nor is it behind the ledger's end.
    fn ends(&self, decision: i64, batch_seq: i64) -> bool {
        // Decisions from before V5 of the schema stand in blocks of 500 numbers, which need not end where batches do.
        let ends_block = |end: i64| (end + 1) % 500 == 0;
        let in_block = ends_block(batch_seq) && decision / 500 == batch_seq / 500;
        let from = self.ends.partition_point(|end| *end < decision);
        let mut ends = self.ends[from..].iter().copied();
        let next = ends.find(|end| *end == batch_seq || !ends_block(*end));
        let is_near = (0..=MOST_EVENTS_OF_A_BATCH).contains(&batch_seq.saturating_sub(decision));
        (in_block || next == Some(batch_seq)) && is_near && batch_seq <= self.head
    }
}

/// A row of `ledger.policy_hits`.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) policy_kind: String,
    pub(super) policy_id: i64,
    pub(super) verdict: String,
    pub(super) mode: String,
    batch_seq: i64,
    pub(super) seqs: Vec<i64>,
}

/// A row whose numbers are not in order.
pub(super) struct Disorder {
    pub(super) key: String,
    pub(super) expected: String,
    pub(super) found: String,
}

/// By the table.
pub(super) struct Table<'a> {
    ledger: &'a Hits,
    batches: &'a Batches,
    decisions: BTreeMap<Key<'static>, Fingerprint>,
    last: Option<(Key<'static>, i64)>,
}

impl Table<'_> {
    /// The next row, in the order of the table's key.
    pub(super) fn add(&mut self, row: Row) -> Result<(), Disorder> {
        let key = Key {
            kind: row.policy_kind.into(),
            id: row.policy_id,
            verdict: row.verdict.into(),
            mode: row.mode.into(),
        };
        let before = match &self.last {
            Some((last, batch_seq)) if *last == key => *batch_seq,
            _ => 0,
        };
        let ascend = row.seqs.is_sorted_by(|left, right| left < right);
        let within = row.seqs.first().is_some_and(|first| before < *first)
            && (row.seqs.last()).is_some_and(|last| self.batches.ends(*last, row.batch_seq));
        let decisions = self.decisions.entry(key.clone()).or_default();
        row.seqs
            .iter()
            .filter(|seq| !self.ledger.erased.contains(seq))
            .for_each(|seq| decisions.add(*seq));
        let told = format!("{key} batch {}", row.batch_seq);
        self.last = Some((key, row.batch_seq));
        if ascend && within {
            return Ok(());
        }
        Err(Disorder {
            key: told,
            expected: format!("ascending numbers from {} to the batch's end", before + 1),
            found: format!("{:?} of a batch that ends at {}", row.seqs, row.batch_seq),
        })
    }

    /// Policies whose decisions differ: by the ledger, and by the table.
    pub(super) fn differences(
        self,
    ) -> impl Iterator<Item = (String, Option<String>, Option<String>)> {
        let keys: Vec<Key<'static>> = (self.ledger.decisions.keys())
            .chain(
                self.decisions
                    .keys()
                    .filter(|key| !self.ledger.decisions.contains_key(key)),
            )
            .cloned()
            .collect();
        keys.into_iter().filter_map(move |key| {
            let ledger = self.ledger.decisions.get(&key);
            // A row of erased decisions only.
            let table = self
                .decisions
                .get(&key)
                .filter(|decisions| !decisions.is_empty());
            (ledger != table).then(|| {
                (
                    key.to_string(),
                    ledger.map(ToString::to_string),
                    table.map(ToString::to_string),
                )
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_where_its_decisions_next_batch_does() {
        // Of a policy that was gone before V5 there is a block that ends at 1499, in the middle of a batch.
        let batches = Batches::new(vec![499, 1234, 1499, 1510, 1520, 40_000], 40_000);
        for (decision, end) in [
            (400, 499),
            (1230, 1234),
            (1236, 1499),
            (1495, 1510),
            (1511, 1520),
        ] {
            assert!(batches.ends(decision, end), "{decision} {end}");
        }
        for (decision, end) in [
            (1230, 1510),
            (1495, 1520),
            (1515, 1510),
            // Nothing between them, and further than any batch goes.
            (1521, 40_000),
            (1521, 40_001),
            (i64::MIN, 499),
        ] {
            assert!(!batches.ends(decision, end), "{decision} {end}");
        }
    }
}
