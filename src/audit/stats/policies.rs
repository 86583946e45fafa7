//! How often each policy was met, and what it did.

use std::collections::HashMap;
use std::ops::Range;

use sqlx::PgPool;

use super::PolicyCounts;
use super::counted::{Decisions, add_counted};
use crate::audit::AuditError;
use crate::ledger::append::MOST_EVENTS_OF_A_BATCH;
use crate::ledger::counts::{POLICY, policy_key};
use crate::org::Org;

/// The policies in force at the end of a part of the ledger, and those that its decisions met.
pub(super) async fn count_policies(
    pool: &PgPool,
    org: &Org,
    range: &Range<i64>,
) -> Result<Vec<PolicyCounts>, AuditError> {
    // How many decisions met it, and the last of them.
    let mut met = HashMap::<String, (i64, i64)>::new();
    let mut add = |key: String, count: i64, newest: i64| {
        let (met, last) = met.entry(key).or_default();
        *met += count;
        *last = newest.max(*last);
    };
    let add_row =
        |_, Decisions { key, count, newest }: Decisions<'_>| add(key.to_owned(), count, newest);
    let rest = add_counted(pool, org, POLICY, range, &[range.start], add_row).await?;
    for (kind, id, verdict, mode, count, newest) in count_hits(pool, org, rest..range.end).await? {
        add(policy_key(&kind, id, &verdict, &mode), count, newest);
    }
    let (keys, met): (Vec<String>, Vec<(i64, i64)>) = met.into_iter().unzip();
    let (met, last): (Vec<i64>, Vec<i64>) = met.into_iter().unzip();
    let policies = sqlx::query_as(include_str!("../../../sql/queries/list_policy_counts.sql"))
        .persistent(false)
        .bind(org.as_str())
        .bind(range.end)
        .bind(keys)
        .bind(met)
        .bind(last)
        .fetch_all(pool)
        .await?;
    Ok(policies)
}

/// What is not counted yet: kind, id, verdict, mode, how many decisions and the last of them.
async fn count_hits(
    pool: &PgPool,
    org: &Org,
    range: Range<i64>,
) -> Result<Vec<(String, i64, String, String, i64, i64)>, AuditError> {
    let rows = sqlx::query_as(include_str!("../../../sql/queries/count_hits.sql"))
        .persistent(false)
        .bind(org.as_str())
        .bind(range.start)
        .bind(range.end)
        .bind(range.end.saturating_add(MOST_EVENTS_OF_A_BATCH))
        .fetch_all(pool)
        .await?;
    Ok(rows)
}
