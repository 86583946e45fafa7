//! Compares live tables with a state, row by row, in the snapshot in which the state's ledger ended.
//!
//! Policy tables are read in pieces, each in a savepoint: rolling back to it gives the table's lock back, so that an administrator's
//! TRUNCATE, and the bookings that queue behind it, wait for a piece at most. Whoever waits for such a lock here steps back before
//! Postgres looks for deadlocks.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::counts::{self, Counts};
use super::difference::Differences;
use super::event::StoredHead;
use super::hits::Batches;
use super::places::Reservation;
use super::row::without_nulls;
use super::state::State;
use crate::ledger::counts::Counted;
use crate::policy::kind::Kind;

/// Rows of a policy table that are read under one lock: some milliseconds.
const PIECE: i64 = 5_000;

/// How often a comparison is tried again after the tables were emptied or locked.
pub(super) const MOST_TRIES: u32 = 100;

/// Between two tries.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompareError {
    /// A table was emptied (which snapshots do not show) or is being emptied: a new snapshot is needed.
    #[error("a policy table stayed locked")]
    Stale,
    /// The database failed.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for CompareError {
    fn from(error: sqlx::Error) -> Self {
        const LOCK_NOT_AVAILABLE: &str = "55P03";
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some(LOCK_NOT_AVAILABLE) => Self::Stale,
            _ => Self::Database(error),
        }
    }
}

/// Compares one organization's tables with its state at its ledger's end.
pub(super) async fn compare(
    connection: &mut PgConnection,
    head: &StoredHead,
    state: &State,
) -> Result<Differences, CompareError> {
    let org = &*head.org;
    let mut differences = Differences::default();
    for kind in Kind::ALL {
        policies(connection, org, kind, state, &mut differences).await?;
    }
    reservations(connection, org, state, &mut differences).await?;
    // A copy: the whole comparison may be tried again.
    let mut counts = state.counts.clone();
    hits(connection, head, state, &mut counts, &mut differences).await?;
    decision_counts(connection, org, counts, &mut differences).await?;
    Ok(differences)
}

async fn policies(
    connection: &mut PgConnection,
    org: &str,
    kind: Kind,
    state: &State,
    differences: &mut Differences,
) -> Result<(), CompareError> {
    let table = format!("policy.{kind}");
    let mut folded = state.rows.get(&kind).into_iter().flatten().peekable();
    let mut from = i64::MIN;
    loop {
        let rows = piece(connection, org, kind, from).await?;
        differences.rows += rows.len() as u64;
        for (id, row) in &rows {
            while let Some((id, known)) = folded.next_if(|(known, _)| *known < id) {
                differences.tell(&table, org, id, Some(known.to_string()), None);
            }
            let row = without_nulls(row).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let known = folded.next_if(|(known, _)| *known == id);
            let known = known.map(|(_, known)| known.to_string());
            if known.as_ref() != Some(&row) {
                differences.tell(&table, org, id, known, Some(row));
            }
        }
        match rows.last() {
            Some((last, _)) if rows.len() as i64 == PIECE => from = last.saturating_add(1),
            _ => break,
        }
    }
    for (id, known) in folded {
        differences.tell(&table, org, id, Some(known.to_string()), None);
    }
    Ok(())
}

/// The next rows of a policy table, by id.
async fn piece(
    connection: &mut PgConnection,
    org: &str,
    kind: Kind,
    from: i64,
) -> Result<Vec<(i64, String)>, CompareError> {
    let statement = of_table(include_str!("../../sql/queries/read_policy_rows.sql"), kind);
    locked_shortly(connection, async |connection| {
        let rows = sqlx::query_as(statement)
            .bind(org)
            .bind(from)
            .bind(PIECE)
            .fetch_all(&mut *connection)
            .await?;
        let rewritten: bool =
            sqlx::query_scalar(include_str!("../../sql/queries/is_table_rewritten.sql"))
                .bind(format!("policy.{kind}"))
                .fetch_one(connection)
                .await?;
        if rewritten {
            Err(CompareError::Stale)
        } else {
            Ok(rows)
        }
    })
    .await
}

/// Reads in a savepoint, whose locks go when the reading is done. What fails leaves the transaction to be rolled back.
pub(super) async fn locked_shortly<T>(
    connection: &mut PgConnection,
    read: impl AsyncFnOnce(&mut PgConnection) -> Result<T, CompareError>,
) -> Result<T, CompareError> {
    sqlx::raw_sql("savepoint piece; set local lock_timeout = '300ms'")
        .execute(&mut *connection)
        .await?;
    let done = read(connection).await?;
    sqlx::raw_sql("rollback to savepoint piece; release savepoint piece")
        .execute(connection)
        .await?;
    Ok(done)
}

async fn reservations(
    connection: &mut PgConnection,
    org: &str,
    state: &State,
    differences: &mut Differences,
) -> Result<(), CompareError> {
    const TABLE: &str = "ledger.reservations";
    let place = |case_id: &Uuid| {
        let held = state.places.held(*case_id);
        held.map(|held| Reservation::new(*case_id, held))
    };
    let cases = state.places.cases();
    let mut cases = cases.iter().peekable();
    let statement = include_str!("../../sql/queries/read_reservations.sql");
    let mut rows = sqlx::query_as::<_, Reservation>(statement)
        .bind(org)
        .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        differences.rows += 1;
        while let Some(case_id) = cases.next_if(|case_id| **case_id < row.case_id) {
            differences.tell(
                TABLE,
                org,
                case_id,
                place(case_id).as_ref().map(shown),
                None,
            );
        }
        let known = cases.next_if(|case_id| **case_id == row.case_id);
        let known = known.and_then(place);
        if known.as_ref() != Some(&row) {
            let known = known.as_ref().map(shown);
            differences.tell(TABLE, org, row.case_id, known, Some(shown(&row)));
        }
    }
    for case_id in cases {
        differences.tell(
            TABLE,
            org,
            case_id,
            place(case_id).as_ref().map(shown),
            None,
        );
    }
    Ok(())
}

fn shown(row: &Reservation) -> String {
    let text = serde_json::to_string(row).unwrap_or_default();
    without_nulls(&text).unwrap_or(text)
}

/// What the projection says of a policy's verdicts is what the decisions' explanations, derived again, say.
async fn hits(
    connection: &mut PgConnection,
    head: &StoredHead,
    state: &State,
    counts: &mut Counts,
    differences: &mut Differences,
) -> Result<(), CompareError> {
    let Some(hits) = &state.hits else {
        return Ok(());
    };
    let org = &*head.org;
    let ends = sqlx::query_scalar(include_str!("../../sql/queries/list_batch_ends.sql"))
        .bind(org)
        .fetch_all(&mut *connection)
        .await?;
    let batches = Batches::new(ends, head.last_seq);
    let statement = include_str!("../../sql/queries/read_policy_hits.sql");
    let mut rows = sqlx::query_as(statement).bind(org).fetch(connection);
    let mut table = hits.table(&batches);
    while let Some(row) = rows.try_next().await? {
        differences.rows += 1;
        counts.met(&row);
        if let Err(disorder) = table.add(row) {
            differences.tell(
                "ledger.policy_hits",
                org,
                disorder.key,
                Some(disorder.expected),
                Some(disorder.found),
            );
        }
    }
    for (key, ledger, row) in table.differences() {
        differences.tell("ledger.policy_hits", org, key, ledger, row);
    }
    Ok(())
}

/// What was counted once and for all is what the ledger has.
async fn decision_counts(
    connection: &mut PgConnection,
    org: &str,
    mut counts: Counts,
    differences: &mut Differences,
) -> Result<(), CompareError> {
    const TABLE: &str = "ledger.decision_counts";
    let statement = include_str!("../../sql/queries/read_all_counts.sql");
    let mut rows = sqlx::query_as::<_, Counted>(statement)
        .bind(org)
        .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        differences.rows += 1;
        if let Some((ledger, found)) = counts.compare(&row) {
            let row = counts::name(&row.counted_by, row.first_seq, row.last_seq);
            differences.tell(TABLE, org, row, ledger, Some(found));
        }
    }
    for (row, ledger) in counts.missing() {
        differences.tell(TABLE, org, row, Some(ledger), None);
    }
    Ok(())
}

/// The names are our own, from a closed set.
pub(super) fn of_table(statement: &str, kind: Kind) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement.replace("policy_table", kind.table()))
}
