//! Between batches a writer relies on what it knows of its ledger's head; here that is no longer so.

use crate::support::{Server, TestApp, booking};

/// The ledger as it was after an event, as after a restore or a failover that lost the newest commits. The connections end, too.
async fn restore_to(app: &TestApp, seq: i64) {
    app.sql(&format!(
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
         where e.org = h.org and e.seq = {seq};
         select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'bookwarden' and datname = current_database()"
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
