//! Two batches under way: the second is looked up and decided while the first has not committed yet (ADR 4).

use std::time::Duration;

use bookwarden::cubu::signature;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::support::{Answered, SECRET, Server, TestApp, booking, case_id};

/// Holds up the commit of whoever appends an event of one case, for as long as the gate is closed; lock and statement timeouts do not
/// end that.
const GATE: &str = "
    create table public.gate as select 'closed' as state;
    grant select on public.gate to public;
    create function public.pass_the_gate() returns trigger language plpgsql as $$
    begin
        while exists (select from public.gate where state = 'closed') loop
            perform pg_sleep(0.01);
        end loop;
        if exists (select from public.gate where state = 'failing') then
            raise 'the commit fails';
        end if;
        return null;
    end $$;";

const AT_THE_GATE: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and application_name = 'bookwarden' and wait_event = 'PgSleep'";
/// What a connection did last was to look up: the batch is decided, and waits for its turn.
const LOOKED_UP: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and application_name = 'bookwarden' and state = 'idle'
    and query like '-- What a batch has to know%'";
const OPEN: &str = "delete from public.gate";

/// Enough for a second batch, which goes as soon as so many wait.
const ENOUGH: usize = 4;

fn enough() -> Vec<Value> {
    (0..ENOUGH).map(|_| booking()).collect()
}

async fn wait_for(app: &TestApp, query: &str) {
    let waiting = async {
        while app.number(query).await == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(Duration::from_secs(30), waiting).await;
    assert!(waited.is_ok(), "never: {query}");
}

/// Answers of the first, which alone is a batch, and of those of the second. `meanwhile` has to open the gate that the first's case comes to.
async fn two_under_way(
    app: &TestApp,
    case: &Value,
    first: impl Future<Output = Answered>,
    second: &[Value],
    meanwhile: impl Future<Output = ()>,
) -> (Answered, Vec<Answered>) {
    let mut elsewhere = booking();
    elsewhere["appointment"]["cuIndex"] = 99.into();
    assert!(!app.book(&elsewhere).await.cancelled(), "the head is known");
    let case_id = case_id(case);
    app.sql(&format!(
        "{GATE} create constraint trigger gate after insert on ledger.events deferrable initially deferred
         for each row when (new.case_id = '{case_id}') execute function public.pass_the_gate()"
    ))
    .await;
    let later = async {
        wait_for(app, AT_THE_GATE).await;
        join_all(second.iter().map(|booking| app.book(booking))).await
    };
    let meanwhile = async {
        wait_for(app, AT_THE_GATE).await;
        meanwhile.await;
    };
    let (first, second, ()) = tokio::join!(first, later, meanwhile);
    app.sql("drop trigger gate on ledger.events").await;
    (first, second)
}

fn approved(answers: &[Answered]) -> usize {
    (answers.iter())
        .filter(|answered| !answered.cancelled())
        .count()
}

#[tokio::test]
async fn the_second_counts_the_places_that_the_first_takes() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (3)")
        .await;
    let open = async {
        wait_for(&app, LOOKED_UP).await;
        let recorded = "select count(*) from ledger.reservations";
        assert_eq!(app.number(recorded).await, 1, "only what has committed");
        app.sql(OPEN).await;
    };
    let first = booking();
    let (first, second) = two_under_way(&app, &first, app.book(&first), &enough(), open).await;
    assert!(!first.cancelled());
    assert_eq!(approved(&second), 2);
    app.check().await;
}

#[tokio::test]
async fn the_second_counts_no_place_that_the_first_frees() {
    let mut app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (3)")
        .await;
    let closing = booking();
    assert!(!app.book(&closing).await.cancelled());
    // Of which the place has never been counted.
    app.server = Server::start(&app.database_url);
    let open = async {
        wait_for(&app, LOOKED_UP).await;
        app.sql(OPEN).await;
    };
    let body = closing.to_string();
    let authorization = Some(signature::sign(SECRET, body.as_bytes()));
    let path = "/service/actions/afterClose";
    let close =
        async { (app.post(&app.server, path, body, authorization).await).expect("an answer") };
    let (_, second) = two_under_way(&app, &closing, close, &enough(), open).await;
    assert_eq!(approved(&second), 3);
    app.check().await;
}

#[tokio::test]
async fn the_second_knows_whom_the_first_booked() {
    let app = TestApp::start().await;
    app.sql("insert into policy.customer_limits (max_appointments, period) values (1, 'day')")
        .await;
    let customer = |n: usize| format!("c0570000-0000-4000-8000-{n:012}");
    let mut first = booking();
    first["customerRecordId"] = customer(2).into();
    let mut second = enough();
    for (n, booking) in second.iter_mut().enumerate() {
        booking["customerRecordId"] = customer(n).into();
    }
    let open = async {
        wait_for(&app, LOOKED_UP).await;
        app.sql(OPEN).await;
    };
    let (first, second) = two_under_way(&app, &first, app.book(&first), &second, open).await;
    assert!(!first.cancelled());
    for (n, answered) in second.iter().enumerate() {
        assert_eq!(answered.cancelled(), n == 2, "customer {n}");
    }
    app.check().await;
}

#[tokio::test]
async fn what_the_first_is_being_told_is_repeated_by_the_second() {
    let app = TestApp::start().await;
    let first = booking();
    let mut second = enough();
    second[ENOUGH - 1] = first.clone();
    let open = async {
        wait_for(&app, LOOKED_UP).await;
        app.sql(OPEN).await;
    };
    let (first, second) = two_under_way(&app, &first, app.book(&first), &second, open).await;
    let again = &second[ENOUGH - 1];
    assert_eq!(again.decision_id, first.decision_id);
    assert_eq!(again.text, first.text);
    assert_eq!(approved(&second), ENOUGH);
    app.check().await;
}

#[tokio::test]
async fn what_the_first_books_is_moved_by_the_second() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (0, 1), (1, 1)")
        .await;
    let first = booking();
    let mut moved = first.clone();
    moved["appointment"]["cuIndex"] = 1.into();
    let mut second = enough();
    for booking in &mut second {
        booking["appointment"]["cuIndex"] = 2.into();
    }
    second[ENOUGH - 1] = moved;
    let open = async {
        wait_for(&app, LOOKED_UP).await;
        app.sql(OPEN).await;
    };
    let case_id = case_id(&first);
    let (first, second) = two_under_way(&app, &first, app.book(&first), &second, open).await;
    assert!(!first.cancelled());
    assert_eq!(approved(&second), ENOUGH);
    let places = format!(
        "select string_agg(cu_index::text, ',') from ledger.reservations where case_id = '{case_id}'"
    );
    assert_eq!(app.text(&places).await, "1");
    assert!(!app.book(&booking()).await.cancelled(), "its old place");
    app.check().await;
}

#[tokio::test]
async fn if_the_first_fails_the_second_is_decided_without_it() {
    let break_connection = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep';
        delete from public.gate";
    for failure in ["update public.gate set state = 'failing'", break_connection] {
        let app = TestApp::start().await;
        // One place in another calendar is taken before.
        app.sql(&format!(
            "insert into policy.capacity_caps (max_appointments) values ({ENOUGH})"
        ))
        .await;
        let first = booking();
        let fail = async {
            wait_for(&app, LOOKED_UP).await;
            app.sql(failure).await;
        };
        let case = case_id(&first);
        let (first, second) = two_under_way(&app, &first, app.book(&first), &enough(), fail).await;
        assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE, "{failure}");
        assert_eq!(approved(&second), ENOUGH, "{failure}");
        let recorded = format!("select count(*) from ledger.events where case_id = '{case}'");
        assert_eq!(app.number(&recorded).await, 0, "{failure}");
        app.check().await;
    }
}

#[tokio::test]
async fn a_policy_that_commits_between_the_two_governs_the_second() {
    let app = TestApp::start().await;
    let waits_for_the_head = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    let change = async {
        wait_for(&app, LOOKED_UP).await;
        let close = app.sql("insert into policy.capacity_caps (max_appointments) values (0)");
        let open = async {
            wait_for(&app, waits_for_the_head).await;
            app.sql(OPEN).await;
        };
        tokio::join!(close, open);
    };
    let first = booking();
    let (first, second) = two_under_way(&app, &first, app.book(&first), &enough(), change).await;
    assert!(!first.cancelled());
    let closed = app
        .number("select max(seq) from ledger.events where policy_kind = 'capacity_caps'")
        .await;
    for answered in &second {
        let decided = answered.decision_id.expect("a decision");
        assert_eq!(answered.cancelled(), decided > closed, "decision {decided}");
    }
    app.check().await;
}
