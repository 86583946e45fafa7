//! Between batches a writer relies on what it knows of its ledger's head; here that is no longer so.

use futures_util::future::join_all;
use reqwest::StatusCode;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio::time::sleep;

use bookwarden::cubu::signature;

use crate::support::{SECRET, Server, TestApp, booking, case_id, until};

/// Makes the ledger what it was after an event, as a restore or a failover that lost the newest commits does.
pub fn undo_after(seq: i64) -> String {
    format!(
        "set local session_replication_role = replica;
         delete from ledger.reservations where decision_seq > {seq};
         delete from ledger.policy_hits where batch_seq > {seq};
         delete from policy.capacity_caps where id in (
             select policy_id_from from ledger.events where seq > {seq} and policy_kind = 'capacity_caps');
         delete from ledger.events where seq > {seq};
         update ledger.heads h
         set last_seq = e.seq, last_chain = e.chain, last_recorded_at = e.recorded_at,
             policy_version = (select max(seq) from ledger.events where policy_kind is not null)
         from ledger.events e
         where e.org = h.org and e.seq = {seq};"
    )
}

/// The same, and the connections end, too.
async fn restore_to(app: &TestApp, seq: i64) {
    app.sql(&format!(
        "{}
         select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'bookwarden' and datname = current_database()",
        undo_after(seq)
    ))
    .await;
}

const LAST_SEQ: &str = "select last_seq from ledger.heads where org = 'default'";

#[tokio::test]
async fn policies_of_a_future_that_a_restore_undid_decide_nothing() {
    let app = TestApp::start().await;
    assert!(!app.book(&booking()).await.cancelled());
    let before = app.number(LAST_SEQ).await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    assert!(app.book(&booking()).await.cancelled());

    restore_to(&app, before).await;

    assert!(!app.book(&booking()).await.cancelled());
    app.check().await;
}

/// The primary ends while a batch is under way, and the one that takes its place lacks the newest policy and goes on with others.
#[tokio::test]
async fn policies_of_a_lost_future_decide_nothing_after_a_batch_of_unknown_outcome() {
    let app = TestApp::start().await;
    assert!(!app.book(&booking()).await.cancelled());
    let before = app.number(LAST_SEQ).await;
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (0, 0)")
        .await;
    let mut refused = booking();
    refused["appointment"]["cuIndex"] = 0.into();
    assert!(app.book(&refused).await.cancelled());
    let lost = app.number(LAST_SEQ).await;

    let holder = app.hold_head().await;
    let stuck = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let unlucky = booking();
    let told = tokio::join!(app.book(&unlucky), async {
        until("the append waits", async || app.number(stuck).await > 0).await;
        app.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").await;
    })
    .0;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    holder.close().await.expect("closed");

    restore_to(&app, before).await;
    while app.number(LAST_SEQ).await <= lost {
        app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (1, 0)")
            .await;
    }

    refused["caseId"] = booking()["caseId"].clone();
    assert!(!app.book(&refused).await.cancelled(), "no such policy");
    let mut elsewhere = booking();
    elsewhere["appointment"]["cuIndex"] = 1.into();
    assert!(app.book(&elsewhere).await.cancelled(), "a new policy");
    app.check().await;
}

#[tokio::test]
async fn another_ledger_with_a_head_of_the_same_number_is_another_ledger() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (0, 2)")
        .await;
    assert!(!app.book(&booking()).await.cancelled());
    let before = app.number(LAST_SEQ).await;
    // In another calendar, so that counts that are kept are wrong, too.
    let mut elsewhere = booking();
    elsewhere["appointment"]["cuIndex"] = 1.into();
    assert!(!app.book(&elsewhere).await.cancelled());
    let lost = app.number(LAST_SEQ).await;

    restore_to(&app, before).await;
    assert!(!app.book_at(&other, &booking()).await.cancelled());
    assert_eq!(app.number(LAST_SEQ).await, lost);

    assert!(
        app.book(&booking()).await.cancelled(),
        "both places are taken"
    );
    app.check().await;
}

#[tokio::test]
async fn another_ledger_that_is_longer_is_another_ledger() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (0, 3)")
        .await;
    assert!(!app.book(&booking()).await.cancelled());
    let before = app.number(LAST_SEQ).await;
    // A place that will not have been taken, and a policy that will not have been.
    assert!(!app.book(&booking()).await.cancelled());
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (1, 0)")
        .await;
    let mut elsewhere = booking();
    elsewhere["appointment"]["cuIndex"] = 1.into();
    assert!(app.book(&elsewhere).await.cancelled());
    let lost = app.number(LAST_SEQ).await;

    restore_to(&app, before).await;
    while app.number(LAST_SEQ).await <= lost {
        let mut far = booking();
        far["appointment"]["cuIndex"] = 2.into();
        assert!(!app.book_at(&other, &far).await.cancelled());
    }
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (9, 0)")
        .await;

    elsewhere["caseId"] = booking()["caseId"].clone();
    assert!(!app.book(&elsewhere).await.cancelled(), "no such policy");
    assert!(!app.book(&booking()).await.cancelled(), "the second place");
    assert!(!app.book(&booking()).await.cancelled(), "the third place");
    assert!(app.book(&booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn who_was_told_503_while_all_connections_were_busy_is_not_booked_later() {
    let app = TestApp::start().await;
    let server = Server::start_with(
        &app.database_url,
        &[
            ("BOOKWARDEN_POOL_SIZE", "3"),
            ("BOOKWARDEN_DECISION_TIMEOUT_MS", "1000"),
        ],
    );
    let orgs = ["a", "b", "c", "d", "e", "f"];
    for org in orgs {
        app.found(org).await;
    }
    // Its head is known from now on.
    assert!(!app.book_at(&server, &booking()).await.cancelled());
    let post = async |org: String, body: String, after: u64| {
        sleep(Duration::from_millis(after)).await;
        let path = format!("{org}/service/actions/beforeBookAppointment");
        let authorization = signature::sign(SECRET, body.as_bytes());
        let posted = app.post(&server, &path, body, Some(authorization)).await;
        posted.expect("an answer").status
    };

    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("begin; select from ledger.heads where org <> 'default' for update")
        .execute(&mut psql)
        .await
        .expect("locked");
    // Three hold the connections for a second, then three others, who are let go while nobody waits for the last any more.
    let others = orgs.iter().enumerate().map(|(i, org)| {
        let after = if i < 3 { 0 } else { 100 };
        post(format!("/{org}"), booking().to_string(), after)
    });
    let late = booking();
    let letting_go = async {
        sleep(Duration::from_millis(1500)).await;
        sqlx::raw_sql("rollback").execute(&mut psql).await
    };
    let (_, told, let_go) = tokio::join!(
        join_all(others),
        post(String::new(), late.to_string(), 200),
        letting_go
    );
    let_go.expect("let go");

    // Whoever is decided after it, is; a busy machine may still answer 503.
    while app.book_at(&server, &booking()).await.status != StatusCode::OK {}
    let recorded = format!(
        "select count(*) from ledger.events where case_id = '{}'",
        case_id(&late)
    );
    let recorded = app.number(&recorded).await;
    assert_eq!(recorded > 0, told == StatusCode::OK, "told {told}");
    app.check().await;
}

#[tokio::test]
async fn what_fails_as_late_as_the_commit_is_not_answered() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (2)")
        .await;
    // Its head is known from now on: the next append commits by itself.
    assert!(!app.book(&booking()).await.cancelled());
    app.sql(
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
         create constraint trigger refuse after insert on ledger.events deferrable initially deferred
         for each row execute function refuse()",
    )
    .await;
    assert_ne!(app.book(&booking()).await.status, StatusCode::OK);
    assert_ne!(app.book(&booking()).await.status, StatusCode::OK);
    app.sql("drop function refuse cascade").await;

    assert!(!app.book(&booking()).await.cancelled());
    assert!(app.book(&booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn time_in_a_ledger_does_not_run_backwards_with_the_databases_clock() {
    let app = TestApp::start().await;
    // Found before that of pg_catalog, by whoever connects from now on.
    app.sql(
        "create schema skewed;
         create table skewed.clock as select interval '1 hour' as ahead;
         create function skewed.clock_timestamp() returns timestamptz language sql volatile
             return pg_catalog.clock_timestamp() + (select ahead from skewed.clock);
         grant usage on schema skewed to public;
         grant select on skewed.clock to public;
         do $$ begin
             execute format('alter database %I set search_path = skewed, pg_catalog', current_database());
         end $$",
    )
    .await;
    let server = Server::start(&app.database_url);
    for (ahead, change) in [
        ("1 hour", "select"),
        ("-1 hour", "select"),
        (
            "-2 hours",
            "insert into policy.capacity_caps (max_appointments) values (9)",
        ),
        ("2 hours", "select"),
        (
            "1 hour",
            "update policy.capacity_caps set max_appointments = 0",
        ),
    ] {
        app.sql(&format!(
            "update skewed.clock set ahead = '{ahead}'; {change}"
        ))
        .await;
        let closed = change.ends_with(" = 0");
        for _ in 0..2 {
            let answered = app.book_at(&server, &booking()).await;
            assert_eq!(answered.cancelled(), closed, "{ahead}");
        }
    }
    let backwards = "select count(*) from (
        select recorded_at < lag(recorded_at) over (order by seq) as back from ledger.events) e where back";
    assert_eq!(app.number(backwards).await, 0);
    let ahead =
        "select count(*) from ledger.events where recorded_at > now() + interval '100 minutes'";
    assert!(app.number(ahead).await > 0, "the clock was skewed at all");
    app.check().await;
}
