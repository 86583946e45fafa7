//! `verify` beside administrators who empty tables: it holds nobody up, gets into nobody's way, and raises no false alarm.

use std::time::Duration;

use bookwarden::replay::{Scope, Verified, verify};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;

use crate::replay::eventful;
use crate::support::TestApp;

async fn connect(app: &TestApp) -> PgConnection {
    PgConnection::connect(&app.database_url)
        .await
        .expect("a connection")
}

/// Verifies in a task; with the process id of its backend.
async fn start(app: &TestApp) -> (JoinHandle<Verified>, i32) {
    let mut connection = connect(app).await;
    let pid = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut connection)
        .await
        .expect("a process id");
    let task = tokio::spawn(async move {
        verify(&mut connection, Scope::default(), &mut ())
            .await
            .expect("the ledger can be read")
    });
    (task, pid)
}

/// Waits until a backend waits for a lock. When its transaction began, as text.
async fn until_it_waits(app: &TestApp, pid: i32, not_begun: &str) -> String {
    loop {
        let waits: Option<String> = sqlx::query_scalar(
            "select xact_start::text from pg_stat_activity
             where pid = $1 and wait_event_type = 'Lock' and xact_start::text <> $2",
        )
        .bind(pid)
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
    let (verifying, pid) = start(&app).await;
    until_it_waits(&app, pid, "").await;
    let mut administrator = connect(&app).await;
    sqlx::raw_sql("set lock_timeout = '10s'; lock table policy.organizations, policy.rules, policy.customer_blocklist, policy.blackouts, policy.booking_windows, policy.customer_limits, policy.capacity_caps in access exclusive mode nowait")
        .execute(&mut administrator)
        .await
        .expect("nobody holds a lock");
    held.rollback().await.expect("the lock goes");
    let verified = verifying.await.expect("no panic");
    assert!(verified.holds(), "{verified:#?}");
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
    let (verifying, pid) = start(&app).await;
    // It has its snapshot, and waits for the table.
    until_it_waits(&app, pid, "").await;
    sqlx::raw_sql("truncate policy.capacity_caps")
        .execute(&mut *emptying)
        .await
        .expect("emptied");
    emptying.commit().await.expect("committed");
    let verified = verifying.await.expect("no panic");
    assert!(verified.holds(), "{verified:#?}");
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
    let (verifying, pid) = start(&app).await;
    let first = until_it_waits(&app, pid, "").await;
    // In another transaction: the one before gave up.
    until_it_waits(&app, pid, &first).await;
    locking.rollback().await.expect("the lock goes");
    let verified = verifying.await.expect("no panic");
    assert!(verified.holds(), "{verified:#?}");
    app.check().await;
}

#[tokio::test]
async fn bookings_and_policies_that_come_meanwhile_are_no_differences() {
    let app = eventful().await;
    let (verifying, _) = start(&app).await;
    let mut verifying = verifying;
    let mut turn = 0;
    loop {
        tokio::select! {
            verified = &mut verifying => {
                let verified = verified.expect("no panic");
                assert!(verified.holds(), "{verified:#?}");
                break;
            }
            _ = app.book(&crate::support::booking()) => {
                turn += 1;
                app.sql(&format!("insert into policy.capacity_caps (max_appointments) values ({turn}); delete from policy.capacity_caps where max_appointments = {turn} - 1")).await;
            }
        }
    }
    app.check().await;
}
