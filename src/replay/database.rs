//! From a database: events, attachments and heads in one read-only snapshot, streamed. Bookings go on meanwhile.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use sqlx::PgConnection;

use super::event::{StoredEvent, StoredHead};
use super::report::Summary;
use super::run::{Reached, Replay, ReplayError, Scope, Start, Watch};
use super::snapshot::Writer;
use super::verify::{Differences, compare};

/// One snapshot for everything that is read. Each event is looked up in the order of its index: a sort would hold the ledger in
/// memory. Texts of rows must be those that the triggers wrote.
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

/// An advance is told every so many events.
const STRIDE: u64 = 1_024;

/// What else is done with each ledger's state.
#[derive(Default)]
pub(super) struct Extras<'a> {
    pub(super) save: Option<&'a mut Writer>,
    pub(super) differences: Option<&'a mut Differences>,
}

pub(super) async fn replay(
    connection: &mut PgConnection,
    scope: Scope,
    starts: BTreeMap<String, Start>,
    mut extras: Extras<'_>,
    watch: &mut dyn Watch,
) -> Result<Summary, ReplayError> {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    let result = read(connection, scope, starts, &mut extras, watch).await;
    sqlx::raw_sql("rollback").execute(&mut *connection).await?;
    result
}

async fn read(
    connection: &mut PgConnection,
    scope: Scope,
    starts: BTreeMap<String, Start>,
    extras: &mut Extras<'_>,
    watch: &mut dyn Watch,
) -> Result<Summary, ReplayError> {
    let mut replay = Replay::new(scope, starts);
    let heads = heads(connection).await?;
    let orgs: Vec<String> = heads.iter().map(|head| head.org.clone()).collect();
    let heads: Vec<StoredHead> = heads
        .into_iter()
        .filter(|head| replay.concerns(&head.org))
        .collect();
    if let (Some(org), true) = (&replay.scope().org, heads.is_empty()) {
        return Err(ReplayError::UnknownOrg(org.clone()));
    }
    watch.total(
        heads
            .iter()
            .filter_map(|head| u64::try_from(head.last_seq).ok())
            .sum(),
    );
    for head in &heads {
        let after = replay.begin(&head.org);
        watch.advance(u64::try_from(after).unwrap_or_default());
        events(connection, &mut replay, &head.org, after, watch).await?;
        let Some(reached) = replay.end(Some(head)) else {
            continue;
        };
        use_state(connection, reached, extras).await?;
    }
    if let Some(differences) = &mut extras.differences {
        differences.find_strays(connection, &orgs).await?;
    }
    Ok(replay.finish())
}

/// The heads of all ledgers.
pub(super) async fn heads(connection: &mut PgConnection) -> Result<Vec<StoredHead>, sqlx::Error> {
    sqlx::query_as(include_str!("../../sql/queries/list_ledgers.sql"))
        .fetch_all(connection)
        .await
}

async fn events(
    connection: &mut PgConnection,
    replay: &mut Replay,
    org: &str,
    after: i64,
    watch: &mut dyn Watch,
) -> Result<(), sqlx::Error> {
    let mut rows = sqlx::query(include_str!("../../sql/queries/read_events.sql"))
        .bind(org)
        .bind(after)
        .bind(replay.scope().to.unwrap_or(i64::MAX))
        .fetch(connection);
    let mut read = 0;
    while let Some(row) = rows.try_next().await? {
        replay.event(&StoredEvent::from_row(org, &row)?);
        read += 1;
        if read % STRIDE == 0 {
            watch.advance(STRIDE);
        }
    }
    watch.advance(read % STRIDE);
    Ok(())
}

async fn use_state(
    connection: &mut PgConnection,
    reached: Reached,
    extras: &mut Extras<'_>,
) -> Result<(), ReplayError> {
    if let Some(writer) = &mut extras.save {
        writer.write(&reached)?;
    }
    if let Some(differences) = &mut extras.differences {
        compare(connection, &reached.org, reached.state, differences).await?;
    }
    Ok(())
}

/// Opens the snapshot in which an export reads.
pub(super) async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(BEGIN).execute(connection).await?;
    Ok(())
}
