//! Counts decisions once and for all (`ledger.decision_counts`), so that an auditor who asks how many there were does not wait for
//! millions of them to be counted again.
//!
//! A task beside the decider, which never waits for it. A range of ledger numbers is counted when the head has passed it: numbers are
//! given in order, so that nothing can come into it any more. What is not counted yet, the one who asks counts: an answer is right
//! however far this task is.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{FromRow as _, PgConnection, PgPool};
use tokio::time::{Instant, sleep};

use crate::ledger::append::MOST_EVENTS_OF_A_BATCH;
use crate::ledger::counts::{Counted, Counting, NUMBERS, Traits, policy_key};
use crate::org::Org;
use crate::telemetry::Metrics;

/// How often is looked whether a range has filled up.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A ledger that has much to be counted gets at most a quarter of the time: the rest is for bookings.
const REST: u32 = 3;

/// The number of our advisory lock: the bytes of "bookcoun". Of several processes one counts.
const LOCK: i64 = 0x626f_6f6b_636f_756e;

/// Starts the task. It ends with the pool.
pub fn start(pool: PgPool, metrics: Arc<Metrics>) {
    tokio::spawn(async move {
        let mut closed = pool.close_event();
        // Cut short, a range is counted by the next process.
        let _ = closed.do_until(run(&pool, &metrics)).await;
    });
}

async fn run(pool: &PgPool, metrics: &Metrics) {
    loop {
        let started = Instant::now();
        let pause = match count_a_range(pool, metrics).await {
            Ok(true) => started.elapsed() * REST,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                tracing::warn!(%error, "decisions could not be counted; trying again");
                LOOK_EVERY
            }
        };
        sleep(pause).await;
    }
}

/// Counts the next range of the ledger that has the most to be counted. Whether there was one, and nobody else is counting.
async fn count_a_range(pool: &PgPool, metrics: &Metrics) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let sql = "select pg_try_advisory_xact_lock($1)";
    let alone: bool = sqlx::query_scalar(sql)
        .bind(LOCK)
        .fetch_one(&mut *transaction)
        .await?;
    // After the lock: what another process has counted is seen.
    let sql = include_str!("../../sql/queries/list_uncounted.sql");
    let heads: Vec<(String, i64, i64)> = sqlx::query_as(sql).fetch_all(&mut *transaction).await?;
    for (name, last_seq, counted) in &heads {
        if let Ok(org) = name.parse::<Org>() {
            metrics.uncounted_events(&org, last_seq - counted);
        }
    }
    let uncounted = heads.iter().max_by_key(|(_, last, counted)| last - counted);
    let Some((org, _, counted)) =
        uncounted.filter(|(_, last, counted)| alone && last - counted >= NUMBERS)
    else {
        return Ok(false);
    };
    let range = counted + 1..=counted + NUMBERS;
    for row in count(&mut transaction, org, range).await? {
        insert(&mut transaction, org, &row).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

async fn count(
    connection: &mut PgConnection,
    org: &str,
    range: RangeInclusive<i64>,
) -> Result<Vec<Counted>, sqlx::Error> {
    let mut counting = Counting::new(range.clone());
    let mut rows = sqlx::query(include_str!("../../sql/queries/read_traits.sql"))
        .bind(org)
        .bind(range.start())
        .bind(range.end())
        .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        counting.decision(&Traits::from_row(&row)?);
    }
    drop(rows);
    let sql = include_str!("../../sql/queries/read_hits_within.sql");
    let mut rows = sqlx::query_as::<_, (String, i64, String, String, Vec<i64>)>(sql)
        .bind(org)
        .bind(range.start())
        .bind(range.end() + MOST_EVENTS_OF_A_BATCH)
        .fetch(connection);
    while let Some((kind, id, verdict, mode, mut seqs)) = rows.try_next().await? {
        // The first batch and the last may have others, too.
        seqs.retain(|seq| range.contains(seq));
        counting.met(policy_key(&kind, id, &verdict, &mode), &seqs);
    }
    Ok(counting.finish())
}

async fn insert(
    connection: &mut PgConnection,
    org: &str,
    row: &Counted,
) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("../../sql/queries/insert_counts.sql"))
        .bind(org)
        .bind(&row.counted_by)
        .bind(row.first_seq)
        .bind(row.last_seq)
        .bind(&row.keys)
        .bind(&row.decisions)
        .bind(&row.newest)
        .bind(&row.positions)
        .execute(connection)
        .await?;
    Ok(())
}
