//! From a database: events, attachments and heads, streamed; read only, and in short snapshots.
//!
//! Events are never changed and come at the end, so whoever reads a ledger in stretches, each in a snapshot of its own, sees what one
//! snapshot at the end would show. One long snapshot would slow bookings down: as long as it is open, Postgres must keep every version
//! of the ledger's head, of which each batch makes one, and every batch walks along them. The last stretch is read together with the
//! head, and with whatever else is to fit the ledger's end.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::compare::{CompareError, MOST_TRIES, PAUSE, compare};
use super::copied::{Stretch, read_events};
use super::counts::Counts;
use super::difference::Differences;
use super::event::StoredHead;
use super::reading::in_snapshot;
use super::report::Summary;
use super::run::{Replay, ReplayError, Scope, Start, Watch};
use super::snapshot::Writer;

/// How many events are read in one snapshot: some tenths of a second. So few for tests that their ledgers, too, take several.
pub(super) const STRETCH: i64 = if cfg!(debug_assertions) { 50 } else { 50_000 };

/// An advance is told about every so many events.
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
    let mut heads = heads(connection).await?;
    let mut replay = Replay::new(scope, starts);
    heads.retain(|head| replay.concerns(&head.org));
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
        ledger(connection, &mut replay, &head.org, &mut extras, watch).await?;
    }
    Ok(replay.finish())
}

/// The heads of all ledgers.
pub(super) async fn heads(connection: &mut PgConnection) -> Result<Vec<StoredHead>, sqlx::Error> {
    sqlx::query_as(include_str!("../../sql/queries/list_ledgers.sql"))
        .fetch_all(connection)
        .await
}

/// The head of one ledger; that of an empty one if somebody took its row away.
pub(super) async fn head(
    connection: &mut PgConnection,
    org: &str,
) -> Result<StoredHead, sqlx::Error> {
    let heads = heads(connection).await?;
    let found = heads.into_iter().find(|head| head.org == org);
    Ok(found.unwrap_or_else(|| StoredHead::missing(org)))
}

async fn ledger(
    connection: &mut PgConnection,
    replay: &mut Replay,
    org: &str,
    extras: &mut Extras<'_>,
    watch: &mut dyn Watch,
) -> Result<(), ReplayError> {
    let mut from = replay.begin(org);
    watch.advance(u64::try_from(from).map_or(0, |from| from.saturating_sub(1)));
    if extras.differences.is_some() {
        let sql = include_str!("../../sql/queries/list_counted_ranges.sql");
        let ranges = sqlx::query_as(sql).bind(org).fetch_all(&mut *connection);
        replay.note_decisions(Counts::new(ranges.await?));
    }
    let mut read = STRETCH;
    while read == STRETCH {
        read = in_snapshot(connection, async |connection| {
            events(connection, replay, org, &mut from, STRETCH, watch).await
        })
        .await?;
    }
    let mut tries = 0;
    let head = loop {
        let ended = in_snapshot(connection, async |connection| {
            end(connection, replay, org, &mut from, extras, watch).await
        })
        .await;
        match ended {
            Err(CompareError::Stale) if tries < MOST_TRIES => tries += 1,
            other => break other?,
        }
        tokio::time::sleep(PAUSE).await;
    };
    if let Some(reached) = replay.end(Some(&head))
        && let Some(writer) = &mut extras.save
    {
        writer.write(&reached)?;
    }
    Ok(())
}

/// The rest of a ledger, its head, and what is to fit them: in one snapshot.
async fn end(
    connection: &mut PgConnection,
    replay: &mut Replay,
    org: &str,
    from: &mut i64,
    extras: &mut Extras<'_>,
    watch: &mut dyn Watch,
) -> Result<StoredHead, CompareError> {
    events(connection, replay, org, from, i64::MAX, watch).await?;
    let head = head(connection, org).await?;
    if let (Some(differences), Some(state)) = (&mut extras.differences, replay.state()) {
        let found = compare(connection, &head, state).await?;
        differences.add(found);
    }
    Ok(head)
}

/// Reads at most so many events from a number on, which becomes that of the next. Answers how many.
async fn events(
    connection: &mut PgConnection,
    replay: &mut Replay,
    org: &str,
    from: &mut i64,
    most: i64,
    watch: &mut dyn Watch,
) -> Result<i64, sqlx::Error> {
    let stretch = Stretch {
        from: *from,
        to: replay.scope().to.unwrap_or(i64::MAX),
        at_most: most,
    };
    let mut untold = 0;
    let read = read_events(connection, org, stretch, |events| {
        replay.events(events);
        if let Some(last) = events.last() {
            *from = last.seq.saturating_add(1);
        }
        untold += events.len() as u64;
        if untold >= STRIDE {
            watch.advance(std::mem::take(&mut untold));
        }
        Ok(())
    })
    .await;
    watch.advance(untold);
    read
}
