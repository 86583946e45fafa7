//! A policy change that has committed governs the very next booking, on every process, and is on the ledger.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{Server, TestApp, booking, until};

#[tokio::test]
async fn a_change_governs_the_very_next_booking_500_times_on_two_processes() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    for round in 0..500 {
        let closed = round % 2 == 0;
        app.sql(if closed {
            "insert into policy.capacity_caps (max_appointments) values (0)"
        } else {
            "delete from policy.capacity_caps"
        })
        .await;
        let server = if round % 4 < 2 { &app.server } else { &other };
        assert_eq!(
            app.book_at(server, &booking()).await.cancelled(),
            closed,
            "round {round}"
        );
    }
    app.check().await;
}

/// The writer has read what it has to know, and appends as soon as it gets the head: by then it must notice that it knows too little.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_between_the_reading_and_the_append_governs_the_booking() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (100)")
        .await;
    for _ in 0..2 {
        // From the second on, the writer knows where the head is.
        assert!(!app.book(&booking()).await.cancelled());
    }
    let mut psql = app.hold_head().await;
    let late = booking();
    let (asked, ()) = tokio::join!(app.book(&late), async {
        let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%Appends a batch%'
            and datname = current_database()";
        until("the append waits", async || app.number(waits).await > 0).await;
        sqlx::raw_sql("update policy.capacity_caps set max_appointments = 0; commit")
            .execute(&mut psql)
            .await
            .expect("committed");
    });
    assert!(asked.cancelled(), "{}", asked.text);
    assert!(app.book(&booking()).await.cancelled());
    app.check().await;
}

/// The same with another process's booking, which takes the last place.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_taken_between_the_reading_and_the_append_is_taken() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    app.sql("insert into policy.capacity_caps (max_appointments) values (20)")
        .await;
    for round in 0..30 {
        // Two in a row by each: the second at the known head, while the other knows an older one.
        let server = if round % 4 < 2 { &app.server } else { &other };
        let answered = app.book_at(server, &booking()).await;
        assert_eq!(answered.cancelled(), round >= 20, "{round}");
    }
    app.check().await;
}

#[tokio::test]
async fn an_open_transaction_that_changed_policies_delays_no_booking() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (100)")
        .await;
    app.book(&booking()).await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("begin; update policy.capacity_caps set max_appointments = 0; insert into policy.customer_blocklist (customer_record_id) values ('9f86d081-884c-4d63-a1e2-2d1c3b4a5f60')")
        .execute(&mut psql)
        .await
        .expect("an open transaction");

    for _ in 0..10 {
        // Who waited for the open transaction would be answered 503.
        assert!(
            !app.book(&booking()).await.cancelled(),
            "not committed, not in force"
        );
    }
    sqlx::raw_sql("commit")
        .execute(&mut psql)
        .await
        .expect("commit");
    assert!(app.book(&booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn a_change_is_on_the_ledger_with_who_why_old_and_new() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (3)")
        .await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("set application_name = 'psql of Dana'; begin; set local bookwarden.reason = 'holiday'; update policy.capacity_caps set max_appointments = 2; commit")
        .execute(&mut psql)
        .await
        .expect("a change");

    let payload = app.text("select payload from ledger.events where type = 'policy.updated' order by seq desc limit 1").await;
    let payload: Value = serde_json::from_str(&payload).expect("JSON");
    assert_eq!(payload["kind"], "capacity_caps");
    assert_eq!(
        (
            &payload["old"]["max_appointments"],
            &payload["new"]["max_appointments"]
        ),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        (
            &payload["changedBy"]["reason"],
            &payload["changedBy"]["application"]
        ),
        (&json!("holiday"), &json!("psql of Dana"))
    );
    assert!(payload["changedBy"]["user"].is_string());
    app.check().await;
}

#[tokio::test]
async fn a_blocked_customer_is_refused_by_record_and_by_field_in_their_language() {
    let app = TestApp::start().await;
    app.sql(
        "insert into policy.customer_blocklist (field_type_id, field_value, message, translations)
         values ('cd439a62-c78a-413f-bb42-cc4dd720375c', '  DANA@Example.com ', 'Please call us', '{\"he\": \"נא להתקשר\"}')",
    )
    .await;
    let mut hebrew = booking();
    assert_eq!(
        app.book(&hebrew).await.json["cancellationReason"],
        "Please call us"
    );
    hebrew["language"] = json!("he-IL");
    assert_eq!(
        app.book(&hebrew).await.json["cancellationReason"],
        "נא להתקשר"
    );

    app.sql("truncate policy.customer_blocklist").await;
    assert!(!app.book(&booking()).await.cancelled());
    app.sql("insert into policy.customer_blocklist (customer_record_id, active_until) values ('9f86d081-884c-4d63-a1e2-2d1c3b4a5f60', now() + interval '1 hour'), ('9f86d081-884c-4d63-a1e2-2d1c3b4a5f60', now() - interval '1 hour')").await;
    let refused = app.book(&booking()).await;
    assert!(refused.cancelled());
    let (_, decision) = app
        .get(&format!(
            "/v1/decisions/{}",
            refused.decision_id.expect("an id")
        ))
        .await;
    assert_eq!(
        decision["policies"].as_array().map(Vec::len),
        Some(1),
        "only the row in force applied: {decision}"
    );
    app.check().await;
}

#[tokio::test]
async fn thousands_of_rows_in_one_statement_are_captured_in_bounded_events() {
    let app = TestApp::start().await;
    let before = app.number("select count(*) from ledger.events").await;
    app.sql("insert into policy.customer_blocklist (customer_record_id) select gen_random_uuid() from generate_series(1, 2500)").await;
    app.sql("delete from policy.customer_blocklist").await;
    assert_eq!(
        app.number("select count(*) from ledger.events").await - before,
        6
    );
    let rows = "select sum(json_array_length(a.payload::json)) from ledger.events e join ledger.attachments a using (attachment_id)";
    assert_eq!(app.number(rows).await, 5000);
    assert_eq!(
        app.number("select count(*) from policy.staged_changes")
            .await,
        0
    );
    app.check().await;
}

#[tokio::test]
async fn the_ledger_is_append_only_also_for_the_services_own_role_and_the_owner() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    let mut connection = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    for role in ["bookwarden_app", "none"] {
        for statement in [
            "update ledger.events set type = 'x'",
            "delete from ledger.events",
            "truncate ledger.events",
            "update ledger.attachments set payload = ''",
            "update ledger.heads set last_seq = 0",
            "delete from ledger.heads",
        ] {
            let error = sqlx::raw_sql(AssertSqlSafe(format!(
                "begin; set local role {role}; {statement}; commit"
            )))
            .execute(&mut connection)
            .await
            .expect_err(statement);
            let code = error
                .as_database_error()
                .and_then(|error| error.code().map(|code| code.into_owned()));
            assert_eq!(
                code.as_deref(),
                Some("42501"),
                "{role}: {statement}: {error}"
            );
            sqlx::raw_sql("rollback")
                .execute(&mut connection)
                .await
                .expect("rollback");
        }
    }
    app.check().await;
}

/// A connection that runs one statement after another, as psql does.
async fn psql(app: &TestApp, statements: &[&str]) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(&app.database_url).await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe((*statement).to_owned()))
            .execute(&mut connection)
            .await?;
    }
    Ok(())
}

const POLICY_EVENTS: &str =
    "select count(*) from ledger.events where policy_kind = 'capacity_caps'";

#[tokio::test]
async fn what_changes_after_constraints_are_immediate_is_captured_too() {
    let app = TestApp::start().await;
    let cap = |cu_index| {
        format!(
            "insert into policy.capacity_caps (cu_index, max_appointments) values ({cu_index}, 0)"
        )
    };
    psql(
        &app,
        &[
            "begin",
            &cap(0),
            "set constraints all immediate",
            &cap(1),
            &cap(2),
            "commit",
        ],
    )
    .await
    .expect("committed");
    assert_eq!(app.number(POLICY_EVENTS).await, 3);
    let mut booking = booking();
    for cu_index in [0, 1, 2] {
        booking["appointment"]["cuIndex"] = cu_index.into();
        assert!(app.book(&booking).await.cancelled(), "{cu_index}");
    }
    let left = "select count(*) from policy.staged_changes";
    assert_eq!(app.number(left).await, 0);
    app.check().await;
}

/// TRUNCATE goes by what is there, and not by what an older snapshot shows.
#[tokio::test]
async fn a_table_is_not_truncated_at_a_level_that_hides_its_rows() {
    let app = TestApp::start().await;
    for level in ["repeatable read", "serializable"] {
        let begin = format!("begin isolation level {level}");
        let statements = [&begin, "truncate policy.capacity_caps", "commit"];
        let error = psql(&app, &statements).await.expect_err("refused");
        assert!(error.to_string().contains(level), "{error}");
    }
    // Deleting sees what it sees, and says so if that is not all.
    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    let begin = "begin isolation level repeatable read";
    psql(&app, &[begin, "delete from policy.capacity_caps", "commit"])
        .await
        .expect("committed");
    assert_eq!(app.number(POLICY_EVENTS).await, 2);
    app.check().await;
}

/// Equal to Postgres, and another answer to Cubu.
#[tokio::test]
async fn a_number_that_is_written_otherwise_is_a_change() {
    let app = TestApp::start().await;
    let field = "4848ba2d-a80a-4f3c-b170-578d19899e2f";
    app.sql(&format!(
        "insert into policy.rules (condition, set_fields) values ('true', '{{\"{field}\": 1}}')"
    ))
    .await;
    let answered = app.book(&booking()).await;
    assert!(
        answered.text.contains(&format!("\"{field}\":1,")),
        "{}",
        answered.text
    );
    app.sql(&format!(
        "update policy.rules set set_fields = '{{\"{field}\": 1.0}}'"
    ))
    .await;
    let answered = app.book(&booking()).await;
    assert!(
        answered.text.contains(&format!("\"{field}\":1.0,")),
        "{}",
        answered.text
    );
    let events = "select count(*) from ledger.events where policy_kind = 'rules'";
    assert_eq!(app.number(events).await, 2);
    // The same again is none.
    app.sql("update policy.rules set set_fields = set_fields")
        .await;
    assert_eq!(app.number(events).await, 2);
    app.check().await;
}
