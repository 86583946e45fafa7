//! The lock that gives a ledger its one order.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::digest::Digest;
use crate::org::Org;

/// Where a ledger stands, while its head is locked.
#[derive(Debug, Clone)]
pub struct Head {
    /// Number of the newest event.
    pub last_seq: i64,
    /// Its chain value.
    pub last_chain: Digest,
    /// Number of the newest policy event.
    pub policy_version: i64,
    /// The database's clock, read after the wait for the lock; never before the newest event.
    pub now: DateTime<Utc>,
}

/// Locks the ledger until the transaction ends. None: no such organization.
pub async fn lock(connection: &mut PgConnection, org: &Org) -> Result<Option<Head>, sqlx::Error> {
    let row: Option<(i64, Vec<u8>, i64, DateTime<Utc>)> =
        sqlx::query_as(include_str!("../../sql/queries/lock_head.sql"))
            .bind(org.as_str())
            .fetch_optional(connection)
            .await?;
    row.map(|(last_seq, last_chain, policy_version, now)| {
        let last_chain = last_chain
            .try_into()
            .map_err(|_| sqlx::Error::Decode("ledger.heads.last_chain has not 32 bytes".into()))?;
        Ok(Head {
            last_seq,
            last_chain,
            policy_version,
            now,
        })
    })
    .transpose()
}
