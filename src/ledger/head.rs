//! The lock that gives a ledger its one order.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::digest::Digest;
use crate::org::Org;

/// Where a ledger stands: read under its lock, or as a writer expects it.
#[derive(Debug, Clone)]
pub struct Head {
    /// Number of the newest event.
    pub last_seq: i64,
    /// Its chain value.
    pub last_chain: Digest,
    /// Number of the newest policy event.
    pub policy_version: i64,
    /// The time of a decision made here: the database's clock, read after the wait for the lock or with the facts; never before the newest
    /// event.
    pub now: DateTime<Utc>,
}

const LOCK: &str = include_str!("../../sql/queries/lock_head.sql");

/// Locks the ledger until the transaction ends. None: no such organization.
pub async fn lock(connection: &mut PgConnection, org: &Org) -> Result<Option<Head>, sqlx::Error> {
    let row = sqlx::query(LOCK)
        .bind(org.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| Head::read(&row)).transpose()
}

/// Begins a transaction with these statements and locks the ledger. None: no such organization.
///
/// All in one message, to save round trips; that leaves no place for a bind, and an [`Org`]'s letters need no quoting.
pub async fn begin_and_lock(
    connection: &mut PgConnection,
    org: &Org,
    begin: &str,
) -> Result<Option<Head>, sqlx::Error> {
    let lock = LOCK.replace("$1", &format!("'{org}'"));
    let rows = sqlx::raw_sql(AssertSqlSafe(format!("{begin}\n{lock}")))
        .fetch_all(connection)
        .await?;
    rows.first().map(Head::read).transpose()
}

impl Head {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let last_chain: Vec<u8> = row.try_get("last_chain")?;
        Ok(Self {
            last_seq: row.try_get("last_seq")?,
            last_chain: last_chain.try_into().map_err(|_| {
                sqlx::Error::Decode("ledger.heads.last_chain has not 32 bytes".into())
            })?,
            policy_version: row.try_get("policy_version")?,
            now: row.try_get("now")?,
        })
    }
}
