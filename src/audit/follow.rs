//! Following a ledger live. Asked for at short intervals: a NOTIFY would cost the one writer at every commit (Postgres takes a lock
//! over the whole cluster for it), a look at one row of `heads` costs a follower next to nothing.

use std::time::Duration;

use sqlx::PgPool;

use super::events::{self, EventFilter};
use super::parameters::Order;
use super::{AuditError, Event};
use crate::org::Org;

/// How long a follower waits before it looks again.
pub const INTERVAL: Duration = Duration::from_millis(250);

const AT_ONCE: i64 = 500;

/// The number of an organization's newest event.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn newest(pool: &PgPool, org: &Org) -> Result<i64, AuditError> {
    let newest = sqlx::query_scalar(include_str!("../../sql/queries/read_last_seq.sql"))
        .bind(org.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(newest.unwrap_or(0))
}

/// The events after a number, oldest first; a bounded number of them.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn events_after(pool: &PgPool, org: &Org, seq: i64) -> Result<Vec<Event>, AuditError> {
    let filter = EventFilter {
        order: Order::Oldest,
        ..EventFilter::default()
    };
    let range = seq.saturating_add(1)..i64::MAX;
    let rows = events::find(pool, org, &filter, &range, AT_ONCE).await?;
    rows.into_iter().map(events::read).collect()
}
