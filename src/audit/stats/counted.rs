//! What is counted already (`ledger.decision_counts`): of a year's decisions some hundred rows.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use sqlx::{FromRow, PgPool};

use crate::ledger::counts::seqs_of_keys;
use crate::org::Org;

/// A range of the ledger by one trait.
#[derive(Debug, FromRow)]
struct Row {
    first_seq: i64,
    last_seq: i64,
    keys: Vec<String>,
    decisions: Vec<i32>,
    newest: Vec<i64>,
    bucket: i32,
    // Only if it is to be cut.
    positions: Option<Vec<u8>>,
}

/// Decisions of one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decisions<'a> {
    pub(super) key: &'a str,
    pub(super) count: i64,
    pub(super) newest: i64,
}

/// Adds up what is counted of a part of the ledger, by bucket (1 is the first). Answers the number from which on nothing is counted,
/// or no more in one piece: the rest is to be counted now.
pub(super) async fn add_counted(
    pool: &PgPool,
    org: &Org,
    by: &str,
    range: &Range<i64>,
    buckets: &[i64],
    mut add: impl FnMut(i32, Decisions<'_>),
) -> Result<i64, sqlx::Error> {
    let mut rows = sqlx::query_as::<_, Row>(include_str!("../../../sql/queries/read_counts.sql"))
        .bind(org.as_str())
        .bind(by)
        .bind(range.start)
        .bind(range.end)
        .bind(buckets)
        .fetch(pool);
    let mut next = range.start;
    while let Some(row) = rows.try_next().await? {
        let begins = next == range.start && row.first_seq < next;
        if !(begins || row.first_seq == next) || !add_row(&row, range, buckets, &mut add) {
            break;
        }
        next = row.last_seq + 1;
    }
    Ok(next)
}

/// Whether it could be read.
fn add_row(
    row: &Row,
    range: &Range<i64>,
    buckets: &[i64],
    add: &mut impl FnMut(i32, Decisions<'_>),
) -> bool {
    if row.keys.len() != row.decisions.len() || row.keys.len() != row.newest.len() {
        return false;
    }
    let Some(positions) = &row.positions else {
        for ((key, count), newest) in row.keys.iter().zip(&row.decisions).zip(&row.newest) {
            let decisions = Decisions {
                key,
                count: i64::from(*count),
                newest: *newest,
            };
            add(row.bucket, decisions);
        }
        return true;
    };
    let Some(seqs) = seqs_of_keys(row.first_seq, &row.decisions, positions) else {
        return false;
    };
    for (key, seqs) in row.keys.iter().zip(&seqs) {
        let from = seqs.partition_point(|seq| *seq < range.start);
        let mut rest = &seqs[from..seqs.partition_point(|seq| *seq < range.end).max(from)];
        while let Some(first) = rest.first() {
            let bucket = buckets.partition_point(|start| start <= first);
            let of_bucket = match buckets.get(bucket) {
                Some(next) => rest.partition_point(|seq| seq < next),
                None => rest.len(),
            };
            let (here, later) = rest.split_at(of_bucket);
            let decisions = Decisions {
                key,
                count: i64::try_from(here.len()).unwrap_or(i64::MAX),
                newest: here.last().copied().unwrap_or(*first),
            };
            add(i32::try_from(bucket).unwrap_or(i32::MAX), decisions);
            rest = later;
        }
    }
    true
}
