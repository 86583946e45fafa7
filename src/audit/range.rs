//! A time range and a cursor, as a range of ledger numbers.

use std::ops::Range;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::AuditError;
use super::parameters::Order;
use crate::org::Org;

/// The numbers of a time range. Time never runs backwards within a ledger, so a range of one is a range of the other.
pub(super) async fn between(
    pool: &PgPool,
    org: &Org,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<Range<i64>, AuditError> {
    if from.is_none() && until.is_none() {
        return Ok(1..i64::MAX);
    }
    let (first, after): (Option<i64>, Option<i64>) =
        sqlx::query_as(include_str!("../../sql/queries/read_seq_range.sql"))
            .bind(org.as_str())
            .bind(from)
            .bind(until)
            .fetch_one(pool)
            .await?;
    // What comes while the pages are read belongs to a range without an end.
    let after = if until.is_none() {
        i64::MAX
    } else {
        after.unwrap_or(1)
    };
    Ok(first.unwrap_or(1)..after)
}

/// What is left of a range after an event.
pub(super) fn after(range: Range<i64>, seq: Option<i64>, order: Order) -> Range<i64> {
    match (seq, order) {
        (None, _) => range,
        (Some(seq), Order::Newest) => range.start..range.end.min(seq),
        (Some(seq), Order::Oldest) => range.start.max(seq.saturating_add(1))..range.end,
    }
}
