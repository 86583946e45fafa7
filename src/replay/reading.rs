//! Read-only transactions, each one snapshot.

use sqlx::PgConnection;

/// Each event is looked up in the order of its index: a sort would hold the ledger in memory. Texts of rows must be those that the
/// triggers wrote.
const BEGIN: &str = "
    begin isolation level repeatable read read only;
    set local statement_timeout = 0;
    set local timezone = 'UTC';
    set local datestyle = 'ISO';
    set local enable_sort = off;
    set local enable_seqscan = off;
    set local enable_bitmapscan = off;
    set local max_parallel_workers_per_gather = 0;
    set local jit = off";

/// Does some reading in one snapshot.
pub(super) async fn in_snapshot<T, E: From<sqlx::Error>>(
    connection: &mut PgConnection,
    read: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    let result = read(connection).await;
    let ended = sqlx::raw_sql("rollback").execute(connection).await;
    // What failed first says more: a COPY that was broken off leaves the connection unusable.
    let result = result?;
    ended?;
    Ok(result)
}
