//! Buckets of time, as ledger numbers.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::StatsQuery;
use super::counted::{Decisions, add_counted};
use crate::audit::AuditError;
use crate::ledger::counts::{QUARTER, QUARTER_HOUR};
use crate::org::Org;

/// The names of the buckets that a part of the ledger touches, and a number of each: no decision of the part before it is from before
/// the bucket's beginning, none from there on is.
pub(super) async fn find_buckets(
    pool: &PgPool,
    org: &Org,
    query: &StatsQuery,
    range: &Range<i64>,
) -> Result<(Vec<String>, Vec<i64>), AuditError> {
    let (names, starts): (Vec<String>, Vec<DateTime<Utc>>) =
        sqlx::query_as(include_str!("../../../sql/queries/find_buckets.sql"))
            .persistent(false)
            .bind(org.as_str())
            .bind(range.start)
            .bind(range.end)
            .bind(query.bucket())
            .bind(query.time_zone())
            .fetch_one(pool)
            .await?;
    let seqs = find_seqs(pool, org, range, &starts).await?;
    Ok((names, seqs))
}

async fn find_seqs(
    pool: &PgPool,
    org: &Org,
    range: &Range<i64>,
    starts: &[DateTime<Utc>],
) -> Result<Vec<i64>, sqlx::Error> {
    let quarters = Quarters::read(pool, org, range).await?;
    let known: Vec<Option<i64>> = (starts.iter())
        .map(|start| quarters.seq_at(start.timestamp()))
        .collect();
    let others: Vec<DateTime<Utc>> = (starts.iter().zip(&known))
        .filter(|(_, known)| known.is_none())
        .map(|(start, _)| *start)
        .collect();
    let mut others = if others.is_empty() {
        Vec::new()
    } else {
        sqlx::query_scalar::<_, Vec<i64>>(include_str!("../../../sql/queries/find_seqs.sql"))
            .bind(org.as_str())
            .bind(others)
            .fetch_one(pool)
            .await?
    }
    .into_iter();
    // What is known is the number after a decision, else it is the number of an event: never back.
    let mut last = 0;
    let seqs = known.into_iter().map(|known| {
        last = last.max(known.or_else(|| others.next()).unwrap_or(last));
        last
    });
    Ok(seqs.collect())
}

/// The last decision of each quarter hour that has decisions, as far as they are counted.
struct Quarters {
    first_seq: i64,
    starts: Vec<i64>,
    newest: Vec<i64>,
}

impl Quarters {
    async fn read(pool: &PgPool, org: &Org, range: &Range<i64>) -> Result<Self, sqlx::Error> {
        let mut quarters = BTreeMap::new();
        let add = |_, Decisions { key, newest, .. }: Decisions<'_>| {
            if let Ok(start) = key.parse::<i64>() {
                quarters.insert(start, newest);
            }
        };
        add_counted(pool, org, QUARTER_HOUR, range, &[range.start], add).await?;
        let (starts, newest) = quarters.into_iter().unzip();
        Ok(Self {
            first_seq: range.start,
            starts,
            newest,
        })
    }

    /// The number after the last decision before a quarter hour. None: that may be one which is not counted yet.
    fn seq_at(&self, start: i64) -> Option<i64> {
        let before = self.starts.partition_point(|quarter| *quarter < start);
        if start % QUARTER != 0 || before == self.starts.len() {
            return None;
        }
        match before.checked_sub(1) {
            Some(last) => self.newest.get(last).map(|newest| newest + 1),
            None => Some(self.first_seq),
        }
    }
}
