//! `verify` beside administrators who empty tables: it holds nobody up, gets into nobody's way, and raises no false alarm.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;

use crate::replay::eventful;
use crate::support::{BOOKWARDEN, TestApp, booking};

async fn connect(app: &TestApp) -> PgConnection {
    PgConnection::connect(&app.database_url)
        .await
        .expect("a connection")
}

/// Verifies in a process of its own: whether all holds, and what it printed.
fn start(app: &TestApp) -> JoinHandle<(bool, String)> {
    let mut command = tokio::process::Command::new(BOOKWARDEN);
    command
        .args(["verify", "--json"])
        .env("DATABASE_URL", &app.database_url);
    tokio::spawn(async move {
        let output = command.output().await.expect("bookwarden starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text)
    })
}

async fn ended(verifying: JoinHandle<(bool, String)>) {
    let (holds, printed) = verifying.await.expect("no panic");
    assert!(holds, "{printed}");
}

/// Waits until it waits for a lock, in another transaction than one. When its transaction began, as text.
async fn until_it_waits(app: &TestApp, not_begun: &str) -> String {
    loop {
        let waits: Option<String> = sqlx::query_scalar(
            "select xact_start::text from pg_stat_activity
             where datname = current_database() and application_name = 'bookwarden cli'
               and wait_event_type = 'Lock' and xact_start::text <> $1",
        )
        .bind(not_begun)
        .fetch_optional(&app.database)
        .await
        .expect("an answer");
        if let Some(begun) = waits {
            return begun;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_policy_table_is_locked_only_while_it_is_read() {
    let app = eventful().await;
    let mut blocker = connect(&app).await;
    let mut held = blocker.begin().await.expect("a transaction");
    sqlx::raw_sql("lock table ledger.reservations in access exclusive mode")
        .execute(&mut *held)
        .await
        .expect("a lock");
    // The policy tables are read by now; their snapshot is still open.
    let verifying = start(&app);
    until_it_waits(&app, "").await;
    let mut administrator = connect(&app).await;
    sqlx::raw_sql("set lock_timeout = '10s'; lock table policy.organizations, policy.rules, policy.customer_blocklist, policy.blackouts, policy.booking_windows, policy.customer_limits, policy.capacity_caps in access exclusive mode nowait")
        .execute(&mut administrator)
        .await
        .expect("nobody holds a lock");
    held.rollback().await.expect("the lock goes");
    ended(verifying).await;
    app.check().await;
}

#[tokio::test]
async fn a_table_that_is_emptied_after_the_snapshot_is_no_difference() {
    let app = eventful().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (300)")
        .await;
    let mut administrator = connect(&app).await;
    let mut emptying = administrator.begin().await.expect("a transaction");
    sqlx::raw_sql("lock table policy.capacity_caps in access exclusive mode")
        .execute(&mut *emptying)
        .await
        .expect("a lock");
    let verifying = start(&app);
    // It has its snapshot, and waits for the table.
    until_it_waits(&app, "").await;
    sqlx::raw_sql("truncate policy.capacity_caps")
        .execute(&mut *emptying)
        .await
        .expect("emptied");
    emptying.commit().await.expect("committed");
    ended(verifying).await;
    app.check().await;
}

#[tokio::test]
async fn a_snapshot_from_before_a_truncate_is_recognized() {
    let app = eventful().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (300)")
        .await;
    let mut connection = connect(&app).await;
    let mut reading = connection.begin().await.expect("a transaction");
    sqlx::raw_sql("set transaction isolation level repeatable read; select from ledger.heads")
        .execute(&mut *reading)
        .await
        .expect("a snapshot");
    app.sql("truncate policy.capacity_caps").await;
    let rows: i64 = sqlx::query_scalar("select count(*) from policy.capacity_caps")
        .fetch_one(&mut *reading)
        .await
        .expect("a number");
    assert_eq!(rows, 0, "Postgres' manual, 13.6: TRUNCATE is not MVCC-safe");
    for (table, expected) in [("policy.capacity_caps", true), ("policy.rules", false)] {
        let rewritten: bool =
            sqlx::query_scalar(include_str!("../../sql/queries/is_table_rewritten.sql"))
                .bind(table)
                .fetch_one(&mut *reading)
                .await
                .expect("an answer");
        assert_eq!(rewritten, expected, "{table}");
    }
    drop(reading);
    app.check().await;
}

#[tokio::test]
async fn who_waits_for_a_lock_steps_back_and_tries_again() {
    let app = eventful().await;
    let mut administrator = connect(&app).await;
    let mut locking = administrator.begin().await.expect("a transaction");
    sqlx::raw_sql("lock table policy.rules in access exclusive mode")
        .execute(&mut *locking)
        .await
        .expect("a lock");
    let verifying = start(&app);
    let first = until_it_waits(&app, "").await;
    // In another transaction: the one before gave up.
    until_it_waits(&app, &first).await;
    locking.rollback().await.expect("the lock goes");
    ended(verifying).await;
    app.check().await;
}

#[tokio::test]
async fn bookings_and_policies_that_come_meanwhile_are_no_differences() {
    let app = eventful().await;
    let verifying = start(&app);
    let mut turn = 0;
    while !verifying.is_finished() {
        turn += 1;
        app.book(&booking()).await;
        app.sql(&format!("insert into policy.capacity_caps (max_appointments) values ({turn}); delete from policy.capacity_caps where max_appointments = {turn} - 1")).await;
    }
    ended(verifying).await;
    app.check().await;
}
