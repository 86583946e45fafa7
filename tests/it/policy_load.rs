//! Changes of policies at any size and of every kind, while bookings go on.

use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::support::{Server, TestApp, booking};

#[tokio::test]
async fn bookings_are_answered_while_a_large_copy_is_open() {
    let app = TestApp::start().await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("begin; set local bookwarden.reason = 'list of 2027'")
        .execute(&mut psql)
        .await
        .expect("begin");
    let rows = |count: usize| {
        let ids = (0..count).map(|_| format!("{}\n", Uuid::new_v4()));
        ids.collect::<String>().into_bytes()
    };
    let mut copy = psql
        .copy_in_raw("copy policy.customer_blocklist (customer_record_id) from stdin")
        .await
        .expect("copy");
    copy.send(rows(10_000)).await.expect("rows");
    for _ in 0..3 {
        assert!(!app.book(&booking()).await.cancelled(), "within the copy");
    }
    copy.send(rows(10_000)).await.expect("rows");
    copy.send("9f86d081-884c-4d63-a1e2-2d1c3b4a5f60\n".as_bytes())
        .await
        .expect("the sample's customer");
    assert_eq!(copy.finish().await.expect("finished"), 20_001);
    for _ in 0..3 {
        assert!(!app.book(&booking()).await.cancelled(), "before the commit");
    }
    sqlx::raw_sql("commit")
        .execute(&mut psql)
        .await
        .expect("commit");
    assert!(app.book(&booking()).await.cancelled(), "after the commit");

    let reasons = "select count(*) from ledger.events where policy_kind = 'customer_blocklist' and payload::json -> 'changedBy' ->> 'reason' = 'list of 2027'";
    assert_eq!(
        app.number(reasons).await,
        21,
        "an event for each 1,000 rows"
    );
    app.check().await;
}

#[tokio::test]
async fn thousands_of_changed_caps_are_known_to_the_next_booking() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    for server in [&app.server, &other] {
        assert!(!app.book_at(server, &booking()).await.cancelled());
    }
    app.sql("insert into policy.capacity_caps (service_id, cu_index, max_appointments) select gen_random_uuid(), i % 10, 5 from generate_series(1, 5000) i;
             insert into policy.capacity_caps (service_id, max_appointments) values ('3031af97-328d-4df1-a528-cf198e4e7897', 0)").await;
    for server in [&app.server, &other] {
        assert!(app.book_at(server, &booking()).await.cancelled());
    }
    app.sql("update policy.capacity_caps set max_appointments = 9")
        .await;
    for server in [&app.server, &other] {
        assert!(!app.book_at(server, &booking()).await.cancelled());
    }
    app.sql("delete from policy.capacity_caps").await;
    let answered = app.book(&booking()).await;
    let id = answered.decision_id.expect("an id");
    let (_, decision) = app.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(decision["policies"], json!([]));
    app.check().await;
}

/// A policy of each kind that refuses the sample, and how it goes away.
const CHANGES: [(&str, &str); 7] = [
    (
        "insert into policy.rules (cancel) values (true)",
        "truncate policy.rules",
    ),
    (
        "insert into policy.customer_blocklist (customer_record_id) values ('9f86d081-884c-4d63-a1e2-2d1c3b4a5f60')",
        "delete from policy.customer_blocklist",
    ),
    (
        "insert into policy.blackouts (from_date) values ('2027-03-09')",
        "update policy.blackouts set mode = 'off'",
    ),
    (
        "insert into policy.booking_windows (min_notice_minutes) values (527040)",
        "delete from policy.booking_windows",
    ),
    (
        "insert into policy.customer_limits (max_appointments, period) values (0, 'day')",
        "delete from policy.customer_limits",
    ),
    (
        "insert into policy.capacity_caps (max_appointments) values (0)",
        "update policy.capacity_caps set max_appointments = 100000",
    ),
    (
        "insert into policy.blackouts (weekdays) values ('{1,2,3,4,5,6,7}'); insert into policy.rules (cancel) values (true)",
        "update policy.organizations set mode = 'shadow'; delete from policy.blackouts; delete from policy.rules; update policy.organizations set mode = 'enforce'",
    ),
];

#[tokio::test]
async fn a_thousand_steps_of_change_and_booking_over_all_kinds_on_two_processes() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    let alternate = async {
        for round in 0..250 {
            let (close, open) = CHANGES[round % CHANGES.len()];
            let servers = [&app.server, &other];
            app.sql(close).await;
            let refused = app.book_at(servers[round / 2 % 2], &booking()).await;
            assert!(refused.cancelled(), "round {round}: {close}");
            app.sql(open).await;
            let approved = app.book_at(servers[round % 2], &booking()).await;
            assert!(!approved.cancelled(), "round {round}: {open}");
        }
    };
    // Others book all the while, on both, in no step with the changes.
    let others = async |server| {
        loop {
            app.book_at(server, &booking()).await;
        }
    };
    tokio::select! {
        () = alternate => {}
        () = others(&app.server) => {}
        () = others(&other) => {}
    }

    let contradicted = "
        select count(*)
        from (
            select type, payload,
                   max(seq) filter (where policy_kind is not null) over (order by seq) as policy_version
            from ledger.events
        ) e
        where type = 'booking.decided' and (payload::json ->> 'policyVersion')::bigint <> policy_version";
    assert_eq!(app.number(contradicted).await, 0);
    let decided = "select count(*) from ledger.events where type = 'booking.decided'";
    assert!(app.number(decided).await > 1000);
    app.check().await;
}

#[tokio::test]
async fn who_takes_the_ledgers_lock_before_the_commit_cannot_keep_it() {
    let app = TestApp::start().await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    for statement in [
        "begin",
        "insert into policy.capacity_caps (max_appointments) values (0)",
        "set constraints all immediate",
    ] {
        sqlx::raw_sql(statement)
            .execute(&mut psql)
            .await
            .expect(statement);
    }
    let error = sqlx::raw_sql("select pg_sleep(30)")
        .execute(&mut psql)
        .await
        .expect_err("it is cut off");
    assert!(error.to_string().contains("statement timeout"), "{error}");
    assert!(!app.book(&booking()).await.cancelled());
    app.check().await;
}
