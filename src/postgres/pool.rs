//! The service's connections.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use super::said;
use crate::settings::{Settings, SettingsError};

/// A request would rather be answered 503 soon than wait for a database that is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that was idle for longer is asked for a sign of life before it is used; a busy one is spared the round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// Statements are few and fixed; all stay prepared.
const STATEMENT_CACHE: usize = 256;

/// What each connection is told first. As `bookwarden_app`, the ledger's grants bind the service even if its login owns the
/// tables. A forgotten transaction cannot hold a lock for long.
///
/// Whoever reads the policy tables steps back from a lock before Postgres looks for deadlocks (`deadlock_timeout`, 1 s) and might
/// choose an administrator's TRUNCATE of several tables to fail; it is read again a moment later. Only for a ledger's head is the
/// wait longer.
///
/// No plan is compiled: looking one booking up in a blocklist of a million is estimated at a cost of 4,100, so that a batch passes
/// `jit_above_cost`, and takes microseconds. Nor does a statement start workers: that takes longer (7 ms) than a page of a search, and
/// an auditor's long question must leave the other cores to bookings.
const SESSION: &str = "
    set role bookwarden_app;
    set jit = off;
    set max_parallel_workers_per_gather = 0;
    set lock_timeout = '300ms';
    set statement_timeout = '30s';
    set idle_in_transaction_session_timeout = '30s'";

/// Plans are made anew for each execution, from the tables' sizes of that moment and for what is asked: auditors combine filters. Each
/// statement is written for an index; where Postgres' guesses say that reading a whole table is as good, they are wrong.
const FOR_EVERYBODY: &str = "
    set plan_cache_mode = force_custom_plan;
    set enable_seqscan = off";

/// The decider's statements are planned once a connection: planning would be most of a lone booking's time in the database. A plan
/// that is made while tables are empty must stay right when they have grown, so it may only look things up by index, and each
/// statement is written so that only the index that it should lean on fits (`tests/it/plans.rs`).
const FOR_WRITERS: &str = "
    set plan_cache_mode = force_generic_plan;
    set enable_seqscan = off;
    set enable_bitmapscan = off";

/// A pool of the configured database, for everybody but the decider's writers. Connects on first use, so that it recovers by itself
/// when the database was away.
pub fn connect_pool(settings: &Settings) -> Result<PgPool, PoolError> {
    connect(settings, FOR_EVERYBODY)
}

/// A pool for the decider's writers.
pub fn connect_writers(settings: &Settings) -> Result<PgPool, PoolError> {
    connect(settings, FOR_WRITERS)
}

fn connect(settings: &Settings, planning: &'static str) -> Result<PgPool, PoolError> {
    let options = settings
        .require_database_url()?
        .connect_options()?
        .application_name("bookwarden")
        .statement_cache_capacity(STATEMENT_CACHE);
    Ok(PgPoolOptions::new()
        .max_connections(settings.pool_size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                if idle.idle_for > TRUSTED_IDLE {
                    sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SESSION).execute(&mut *connection).await?;
                sqlx::raw_sql(planning).execute(connection).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options))
}

/// Whether a plain connection's login may take on the role that the pools' connections do, and its name.
pub async fn may_act_as_app(connection: &mut PgConnection) -> Result<(bool, String), sqlx::Error> {
    sqlx::query_as(include_str!("../../sql/queries/may_act_as_app.sql"))
        .fetch_one(connection)
        .await
}

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// No database is configured.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The URL cannot be used.
    #[error("DATABASE_URL cannot be used: {text}", text = said(.0))]
    Url(#[from] sqlx::Error),
}
