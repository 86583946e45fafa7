//! The lock that gives a ledger its one order.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

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

/// How the statements of a transaction are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plans {
    /// Anew each time: 0.1 to 0.3 ms a statement, and right while the tables are small.
    Fresh,
    /// Kept. A plan that was made while the tables had some thousand rows looks everything up by index, and stays right as they grow.
    Kept,
}

impl Plans {
    fn settings(self) -> &'static str {
        match self {
            Self::Fresh => "",
            Self::Kept => {
                "set local plan_cache_mode = force_generic_plan;
                 set local enable_seqscan = off;
                 set local enable_bitmapscan = off;"
            }
        }
    }
}

/// Begins a transaction and locks the ledger until it ends. None: no such organization.
///
/// Both in one message, to save a round trip; that leaves no place for a bind, and an [`Org`]'s letters need no quoting.
pub async fn begin_and_lock(
    connection: &mut PgConnection,
    org: &Org,
    plans: Plans,
) -> Result<Option<Head>, sqlx::Error> {
    let lock = include_str!("../../sql/queries/lock_head.sql").replace("$1", &format!("'{org}'"));
    let settings = plans.settings();
    let rows = sqlx::raw_sql(AssertSqlSafe(format!("begin; {settings}\n{lock}")))
        .fetch_all(connection)
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let last_chain: Vec<u8> = row.try_get("last_chain")?;
    Ok(Some(Head {
        last_seq: row.try_get("last_seq")?,
        last_chain: last_chain
            .try_into()
            .map_err(|_| sqlx::Error::Decode("ledger.heads.last_chain has not 32 bytes".into()))?,
        policy_version: row.try_get("policy_version")?,
        now: row.try_get("now")?,
    }))
}
