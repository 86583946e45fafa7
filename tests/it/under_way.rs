//! Two batches under way: the second is looked up and decided while the first has not committed yet (ADR 4).

use std::thread;
use std::time::Duration;

use bookwarden::cubu::signature;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::support::{Answered, SECRET, Server, TestApp, booking, case_id};

/// Holds up the commit of whoever appends an event of a case with a gate, for as long as that is closed; lock and statement timeouts do
/// not end that.
const GATES: &str = "
    create table public.gates (case_id uuid, state text);
    grant select on public.gates to public;
    create function public.pass_the_gate() returns trigger language plpgsql as $$
    begin
        while exists (select from public.gates where case_id = new.case_id and state = 'closed') loop
            perform pg_sleep(0.01);
        end loop;
        if exists (select from public.gates where case_id = new.case_id and state = 'failing') then
            raise 'the commit fails';
        end if;
        return null;
    end $$;
    create constraint trigger gates after insert on ledger.events deferrable initially deferred
    for each row execute function public.pass_the_gate();";

const AT_THE_GATE: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and application_name = 'bookwarden' and wait_event = 'PgSleep'";
/// Since the batch at the gate was sent, one has been looked up: it is decided, and waits for its turn.
const LOOKED_UP: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and application_name = 'bookwarden' and state = 'idle'
    and query like '-- What a batch has to know%' and query_start > (
        select max(query_start) from pg_stat_activity
        where datname = current_database() and state = 'active' and query like '-- Appends a batch%')";
const OPEN: &str = "delete from public.gates";

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

/// Gates that are closed for these cases, and a head that is known.
async fn close_gates(app: &TestApp, cases: &[&Value]) {
    let mut elsewhere = booking();
    elsewhere["appointment"]["cuIndex"] = 99.into();
    assert!(!app.book(&elsewhere).await.cancelled(), "the head is known");
    app.sql(GATES).await;
    for case in cases {
        let case_id = case_id(case);
        app.sql(&format!(
            "insert into public.gates values ('{case_id}', 'closed')"
        ))
        .await;
    }
}

/// Answers of the first, which alone is a batch, and of those of the second. `meanwhile` has to open the gate that the first's case comes to.
async fn two_under_way(
    app: &TestApp,
    case: &Value,
    first: impl Future<Output = Answered>,
    second: &[Value],
    meanwhile: impl Future<Output = ()>,
) -> (Answered, Vec<Answered>) {
    close_gates(app, &[case]).await;
    let later = async {
        wait_for(app, AT_THE_GATE).await;
        join_all(second.iter().map(|booking| app.book(booking))).await
    };
    let meanwhile = async {
        wait_for(app, AT_THE_GATE).await;
        meanwhile.await;
    };
    let (first, second, ()) = tokio::join!(first, later, meanwhile);
    app.sql("drop trigger gates on ledger.events").await;
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
        delete from public.gates";
    for failure in [
        "update public.gates set state = 'failing'",
        break_connection,
    ] {
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

/// Opens the gate when this policy's change waits for the head that the first holds, so that it commits before the second.
async fn change_between(app: &TestApp, policy: &str) {
    let waits_for_the_head = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    wait_for(app, LOOKED_UP).await;
    let open = async {
        wait_for(app, waits_for_the_head).await;
        app.sql(OPEN).await;
    };
    tokio::join!(app.sql(policy), open);
}

#[tokio::test]
async fn a_policy_that_commits_between_the_two_governs_the_second() {
    let app = TestApp::start().await;
    let close = "insert into policy.capacity_caps (max_appointments) values (0)";
    let change = change_between(&app, close);
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

#[tokio::test]
async fn places_of_a_second_that_is_decided_again_are_counted_once() {
    let app = TestApp::start().await;
    // For the first and the second, in one calendar.
    let places = 1 + ENOUGH;
    app.sql(&format!(
        "insert into policy.capacity_caps (cu_index, max_appointments) values (0, {places})"
    ))
    .await;
    let elsewhere = "insert into policy.capacity_caps (cu_index, max_appointments) values (77, 0)";
    let change = change_between(&app, elsewhere);
    let first = booking();
    let (first, second) = two_under_way(&app, &first, app.book(&first), &enough(), change).await;
    assert!(!first.cancelled());
    assert_eq!(approved(&second), ENOUGH);
    assert!(app.book(&booking()).await.cancelled(), "all are taken");
    app.check().await;
}

#[tokio::test]
async fn who_was_told_503_while_a_batch_waited_for_its_turn_is_not_booked() {
    let mut app = TestApp::start().await;
    let patience = Duration::from_secs(4);
    let settings = [("BOOKWARDEN_DECISION_TIMEOUT_MS", "4000")];
    app.server = Server::start_with(&app.database_url, &settings);
    let first = booking();
    let second = enough();
    close_gates(&app, &[&first, &second[0]]).await;
    let open = |booking: &Value| {
        let case_id = case_id(booking);
        format!("delete from public.gates where case_id = '{case_id}'")
    };
    let then = async {
        wait_for(&app, AT_THE_GATE).await;
        join_all(second.iter().map(|booking| app.book(booking))).await
    };
    let later = enough();
    let told = async {
        wait_for(&app, AT_THE_GATE).await;
        wait_for(&app, LOOKED_UP).await;
        // The second is decided, so these wait for the first to land.
        let told = join_all(later.iter().map(|booking| app.book(booking))).await;
        // By now they are looked up, and the second holds them up.
        app.sql(&open(&second[0])).await;
        told
    };
    let land = async {
        wait_for(&app, LOOKED_UP).await;
        // Late enough that those after it give up while the second is appended.
        sleep(patience / 2).await;
        app.sql(&open(&first)).await;
    };
    let (first, _, told, ()) = tokio::join!(app.book(&first), then, told, land);
    assert!(!first.cancelled());
    let mut elsewhere = booking();
    elsewhere["appointment"]["cuIndex"] = 98.into();
    assert!(!app.book(&elsewhere).await.cancelled(), "all have landed");
    for (booking, answered) in later.iter().zip(&told) {
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
        let case = case_id(booking);
        let recorded = format!("select count(*) from ledger.events where case_id = '{case}'");
        assert_eq!(app.number(&recorded).await, 0);
    }
    app.sql("drop trigger gates on ledger.events").await;
    app.check().await;
}

#[tokio::test]
async fn while_others_keep_the_cores_busy_there_is_no_second() {
    let mut app = TestApp::start().await;
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let pool = (cores + 3).to_string();
    let settings = [("BOOKWARDEN_POOL_SIZE", pool.as_str())];
    app.server = Server::start_with(&app.database_url, &settings);
    let post = async |org: usize, body: String| {
        let path = format!("/org-{org}/service/actions/beforeBookAppointment");
        let authorization = Some(signature::sign(SECRET, body.as_bytes()));
        let posted = app.post(&app.server, &path, body, authorization).await;
        assert!(!posted.expect("an answer").cancelled());
    };
    for org in 0..cores {
        app.found(&format!("org-{org}")).await;
        // Its head is known from now on.
        post(org, booking().to_string()).await;
    }
    let held: Vec<Value> = (0..=cores).map(|_| booking()).collect();
    close_gates(&app, &held.iter().collect::<Vec<_>>()).await;
    let others = held[1..].iter().enumerate();
    let others = join_all(others.map(|(org, booking)| post(org, booking.to_string())));
    let at_the_gate = |so_many| format!("select (({AT_THE_GATE}) = {so_many})::int::bigint");
    let later = enough();
    let then = async {
        // The first of this organization, when the others' are there.
        wait_for(&app, &at_the_gate(cores)).await;
        let first = app.book(&held[0]);
        let second = async {
            wait_for(&app, &at_the_gate(cores + 1)).await;
            let open = async {
                sleep(Duration::from_millis(500)).await;
                assert_eq!(app.number(LOOKED_UP).await, 0, "a second was sent");
                app.sql(OPEN).await;
            };
            let booked = join_all(later.iter().map(|booking| app.book(booking)));
            tokio::join!(booked, open).0
        };
        tokio::join!(first, second)
    };
    let ((first, second), _) = tokio::join!(then, others);
    assert!(!first.cancelled());
    assert_eq!(approved(&second), ENOUGH);
    app.sql("drop trigger gates on ledger.events").await;
    app.check().await;
}
