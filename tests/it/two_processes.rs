//! Two processes on one ledger: each keeps its counts true by what the other has written.

use bookwarden::cubu::signature;
use bookwarden::ledger::event::TOKEN_REVOKED;
use bookwarden::ledger::record::record;
use bookwarden::org::Org;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::replay::behind_the_triggers_back;
use crate::support::{Answered, SECRET, Server, TestApp, booking, until};

/// A booking of the day's calendar with this index.
fn at(cu_index: i32) -> Value {
    let mut booking = booking();
    booking["appointment"]["cuIndex"] = cu_index.into();
    booking
}

/// How many more bookings a calendar takes.
async fn room(app: &TestApp, cu_index: i32) -> usize {
    let mut room = 0;
    while !app.book(&at(cu_index)).await.cancelled() {
        room += 1;
    }
    room
}

/// Two calendars of ten places, in which the first process knows of one booking each; then the other fills, moves and gives back.
async fn filled_by_another() -> TestApp {
    let app = TestApp::start().await;
    app.sql(
        "insert into policy.capacity_caps (max_appointments, counted_per) values (10, 'calendar')",
    )
    .await;
    let other = Server::start(&app.database_url);
    assert!(!app.book(&at(2)).await.cancelled());
    for cu_index in [0, 1] {
        // Who finds another's booking stays with the lock, and with its counts.
        assert!(!app.book_at(&other, &at(2)).await.cancelled());
        assert!(!app.book(&at(cu_index)).await.cancelled());
    }
    let [mut moved, closed, kept] = [at(0), at(0), at(0)];
    for booking in [&moved, &closed, &kept] {
        assert!(!app.book_at(&other, booking).await.cancelled());
    }
    moved["appointment"]["cuIndex"] = 1.into();
    assert!(!app.book_at(&other, &moved).await.cancelled());
    let body = json!({ "caseId": closed["caseId"] }).to_string();
    let authorization = signature::sign(SECRET, body.as_bytes());
    let path = "/service/actions/afterClose";
    let told = app.post(&other, path, body, Some(authorization)).await;
    assert_eq!(told.expect("an answer").status, StatusCode::NO_CONTENT);
    app
}

#[tokio::test]
async fn places_that_another_process_took_moved_and_gave_back_are_counted() {
    let app = filled_by_another().await;
    assert_eq!((room(&app, 0).await, room(&app, 1).await), (8, 8));
    app.check().await;
}

#[tokio::test]
async fn what_was_erased_meanwhile_is_counted_all_the_same() {
    let app = filled_by_another().await;
    behind_the_triggers_back(
        &app,
        "update ledger.events set payload = null, body = null, salt = null where type in ('booking.requested', 'booking.decided')",
    )
    .await;
    assert_eq!((room(&app, 0).await, room(&app, 1).await), (8, 8));
}

/// Waits until so many of the processes' batches wait for the head.
async fn wait_for_batches(app: &TestApp, batches: i64) {
    let waiting = "select count(*) from pg_stat_activity
        where datname = current_database() and application_name = 'bookwarden' and wait_event_type = 'Lock'";
    until("batches wait for the head", async || {
        app.number(waiting).await == batches
    })
    .await;
}

/// Each finds the other's bookings, so that both look up what they can before they lock the head.
async fn get_to_know_each_other(app: &TestApp, other: &Server) {
    for server in [other, &app.server].repeat(2) {
        assert!(!app.book_at(server, &at(9)).await.cancelled());
    }
}

/// Two processes that know of each other. A third party holds the head; the other process's booking waits for it, then one of this
/// process, which has looked up by then whatever it could. Then the head is let go, and the one is decided after the other.
async fn one_after_the_other(
    app: &TestApp,
    other: &Server,
    meanwhile: &str,
    first: &Value,
    second: &Value,
) -> [Answered; 2] {
    get_to_know_each_other(app, other).await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let hold = format!("begin; {meanwhile}; select from ledger.heads for update");
    sqlx::raw_sql(AssertSqlSafe(hold))
        .execute(&mut psql)
        .await
        .expect("held");
    let let_go = async {
        wait_for_batches(app, 2).await;
        sqlx::raw_sql("commit").execute(&mut psql).await
    };
    let second = async {
        wait_for_batches(app, 1).await;
        app.book(second).await
    };
    let (first, second, let_go) = tokio::join!(app.book_at(other, first), second, let_go);
    let_go.expect("let go");
    assert!(first.decision_id < second.decision_id || first.text == second.text);
    app.check().await;
    [first, second]
}

/// With caps of so many places a calendar, but for the tenth.
async fn two_processes(max_appointments: u32) -> (TestApp, Server) {
    let app = TestApp::start().await;
    app.sql(&format!(
        "insert into policy.capacity_caps (max_appointments, cu_index) select {max_appointments}, n from generate_series(0, 8) n"
    ))
    .await;
    let other = Server::start(&app.database_url);
    (app, other)
}

#[tokio::test]
async fn what_was_counted_before_the_lock_is_counted_on_under_it() {
    let (app, other) = two_processes(1).await;
    let [first, second] = one_after_the_other(&app, &other, "select", &at(0), &at(0)).await;
    assert_eq!([first, second].map(|it| it.cancelled()), [false, true]);
}

#[tokio::test]
async fn what_was_counted_before_the_lock_is_not_counted_twice() {
    let (app, other) = two_processes(2).await;
    get_to_know_each_other(&app, &other).await;
    assert!(!app.book_at(&other, &at(0)).await.cancelled());
    assert!(!app.book(&at(0)).await.cancelled());
    assert!(app.book_at(&other, &at(0)).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn what_was_known_before_is_counted_on_under_the_lock() {
    let (app, other) = two_processes(2).await;
    assert!(!app.book(&at(0)).await.cancelled());
    let [first, second] = one_after_the_other(&app, &other, "select", &at(0), &at(0)).await;
    assert_eq!([first, second].map(|it| it.cancelled()), [false, true]);
}

#[tokio::test]
async fn a_place_given_back_while_another_process_waits_can_be_taken() {
    let (app, other) = two_processes(1).await;
    let mut moved = at(0);
    assert!(!app.book_at(&other, &moved).await.cancelled());
    moved["appointment"]["cuIndex"] = 1.into();
    let [first, second] = one_after_the_other(&app, &other, "select", &moved, &at(0)).await;
    assert_eq!([first, second].map(|it| it.cancelled()), [false, false]);
}

#[tokio::test]
async fn a_request_that_came_to_both_processes_is_answered_once() {
    for max_appointments in [1, 0] {
        let (app, other) = two_processes(max_appointments).await;
        let asked = at(0);
        let [first, second] = one_after_the_other(&app, &other, "select", &asked, &asked).await;
        assert_eq!(first.decision_id, second.decision_id);
        let repeats = "select count(*) from ledger.events where type = 'booking.repeated'";
        assert_eq!(app.number(repeats).await, 1);
    }
}

#[tokio::test]
async fn a_customers_booking_at_another_process_counts_for_the_customers_limit() {
    let (app, other) = two_processes(5).await;
    app.sql("insert into policy.customer_limits (max_appointments, period, cu_index) values (1, 'day', 0)")
        .await;
    let [first, second] = one_after_the_other(&app, &other, "select", &at(0), &at(0)).await;
    assert_eq!([first, second].map(|it| it.cancelled()), [false, true]);
}

#[tokio::test]
async fn policies_that_commit_while_both_processes_wait_govern_both() {
    let changes = [
        "insert into policy.customer_blocklist (customer_record_id) values ('c0ffee00-0000-4000-8000-000000000001')",
        "insert into policy.capacity_caps (max_minutes, period) values (0, 'week')",
        "insert into policy.customer_limits (max_appointments, period) values (0, 'month')",
    ];
    for change in changes {
        let (app, other) = two_processes(5).await;
        let bookings = [at(0), at(0)].map(|mut booking| {
            booking["customerRecordId"] = "c0ffee00-0000-4000-8000-000000000001".into();
            booking
        });
        let [first, second] = &bookings;
        let answered = one_after_the_other(&app, &other, change, first, second).await;
        assert_eq!(answered.map(|it| it.cancelled()), [true, true], "{change}");
    }
}

/// What a field may hold and Postgres cannot read as JSON: the other process finds the move by other means.
#[tokio::test]
async fn another_process_moves_a_booking_with_strange_fields() {
    let app = TestApp::start().await;
    app.sql("insert into policy.rules (condition, add_tags) values ('true', '{11111111-1111-4111-8111-111111111111}')")
        .await;
    // An answer that repeats all fields.
    app.sql("insert into policy.rules (condition, set_fields) values ('true', '{\"b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a11\": \"set\"}')")
        .await;
    let other = Server::start(&app.database_url);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for strange in [r#""a \u0000 b""#, r#""\ud800""#, deep.as_str()] {
        assert!(!app.book(&at(0)).await.cancelled());
        let case = at(1);
        for start in [600, 660] {
            let mut asked = case.clone();
            asked["appointment"]["start"] = start.into();
            asked["fields"] = json!({ "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10": "here" });
            let body = asked.to_string().replace("\"here\"", strange);
            let authorization = signature::sign(SECRET, body.as_bytes());
            let path = "/service/actions/beforeBookAppointment";
            let told = app.post(&other, path, body, Some(authorization)).await;
            assert_eq!(told.expect("an answer").status, StatusCode::OK, "{strange}");
        }
        for _ in 0..2 {
            assert_eq!(app.book(&at(0)).await.status, StatusCode::OK, "{strange}");
        }
    }
    // An auditor's tool reads them as well.
    let read = "select count(*) from audit.decisions where policy_version > 0 and json_array_length(policies) = 2 and response is not null and (moved_from is null or moved_from > 0)";
    assert_eq!(app.number(read).await, 15);
    app.check().await;
}

/// An operator's command whose way back is lost before it has committed.
#[tokio::test]
async fn who_administers_keeps_bookings_waiting_for_a_moment_only() {
    let app = TestApp::start().await;
    let mut lost = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let mut transaction = lost.begin().await.expect("begun");
    let revoked = json!({ "version": 1 });
    record(
        &mut transaction,
        &Org::default_org(),
        TOKEN_REVOKED,
        &revoked,
    )
    .await
    .expect("recorded");
    assert_eq!(app.book(&booking()).await.status, StatusCode::OK);
    assert!(transaction.commit().await.is_err());
    app.check().await;
}

/// As a process does that was stopped in the middle of a batch, or cut off by its network.
#[tokio::test]
async fn who_stops_under_the_lock_keeps_others_waiting_for_a_moment_only() {
    let app = TestApp::start().await;
    let mut stopped = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let begin = include_str!("../../sql/queries/begin_batch.sql");
    sqlx::raw_sql(begin)
        .execute(&mut stopped)
        .await
        .expect("begun");
    sqlx::raw_sql("select ledger.lock_head('default')")
        .execute(&mut stopped)
        .await
        .expect("locked");
    assert_eq!(app.book(&booking()).await.status, StatusCode::OK);
    assert!(sqlx::raw_sql("commit").execute(&mut stopped).await.is_err());
    app.check().await;
}
