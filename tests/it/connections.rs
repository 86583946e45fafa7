//! Many organizations share the writers' connections, and slots to use them: whoever holds one must not be missed elsewhere for long.

use std::time::Duration;

use bookwarden::cubu::signature;
use futures_util::future::join_all;
use reqwest::StatusCode;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::sleep;

use crate::support::{SECRET, Server, TestApp, booking, until};

const ORGANIZATIONS: usize = 8;
const BOOKINGS: usize = 6;

/// Longer than a connection is kept without being used.
const A_WHILE: Duration = Duration::from_millis(1_500);

async fn found(app: &TestApp, organizations: usize) {
    for org in 0..organizations {
        app.found(&format!("org-{org}")).await;
    }
}

async fn book(app: &TestApp, server: &Server, org: usize) {
    let path = format!("/org-{org}/service/actions/beforeBookAppointment");
    let body = booking().to_string();
    let authorization = signature::sign(SECRET, body.as_bytes());
    let posted = app.post(server, &path, body, Some(authorization)).await;
    let posted = posted.expect("an answer");
    assert_eq!(posted.status, StatusCode::OK, "{}", posted.text);
}

#[tokio::test]
async fn more_organizations_than_connections_are_all_served() {
    let app = TestApp::start().await;
    let server = Server::start_with(&app.database_url, &[("BOOKWARDEN_POOL_SIZE", "3")]);
    found(&app, ORGANIZATIONS).await;
    let book = async |org: usize| book(&app, &server, org).await;
    // Every organization asks at once, and again as soon as it has its answer; then all of them once more after a pause.
    for _ in 0..2 {
        join_all((0..ORGANIZATIONS).map(async |org| {
            for _ in 0..BOOKINGS {
                book(org).await;
            }
        }))
        .await;
        sleep(A_WHILE).await;
    }
    app.check().await;
}

#[tokio::test]
async fn organizations_that_wait_for_a_lock_do_not_hold_up_others() {
    let app = TestApp::start().await;
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    // As many as there are slots, and a connection for each of them and for one more.
    let (locked, pool) = (cores + 1, (cores + 4).to_string());
    let server = Server::start_with(
        &app.database_url,
        &[("BOOKWARDEN_POOL_SIZE", pool.as_str())],
    );
    found(&app, locked + 1).await;
    // Its head is known from now on. Those of the others are not: they wait for the lock with their slots.
    book(&app, &server, locked).await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(format!(
        "begin; select from ledger.heads where org <> 'org-{locked}' for update"
    )))
    .execute(&mut psql)
    .await
    .expect("locked");
    let waiting = join_all((0..locked).map(|org| book(&app, &server, org)));
    let meanwhile = async {
        until("all of them wait for the lock", async || {
            let waiting = "select count(*) from pg_stat_activity where datname = current_database()
                and application_name = 'bookwarden' and wait_event_type = 'Lock'";
            app.number(waiting).await == i64::try_from(locked).expect("few")
        })
        .await;
        book(&app, &server, locked).await;
        sqlx::raw_sql("rollback").execute(&mut psql).await
    };
    let (_, let_go) = tokio::join!(waiting, meanwhile);
    let_go.expect("let go");
    app.check().await;
}

#[tokio::test]
async fn one_process_of_postgres_looks_up_and_another_records() {
    let app = TestApp::start().await;
    let server = Server::start_with(&app.database_url, &[("BOOKWARDEN_POOL_SIZE", "3")]);
    found(&app, ORGANIZATIONS).await;
    // The first booking of each is recorded under the lock, and looks up there.
    let in_turn = async || {
        for booking in 0..8 {
            book(&app, &server, booking % 2).await;
        }
    };
    in_turn().await;
    assert_purposes_are_kept(&app).await;
    // Also when the pool has opened all that it may, and has them back.
    join_all((0..ORGANIZATIONS).map(|org| book(&app, &server, org))).await;
    sleep(A_WHILE).await;
    in_turn().await;
    assert_purposes_are_kept(&app).await;
    app.check().await;
}

async fn assert_purposes_are_kept(app: &TestApp) {
    let last_statements = "select count(*) from pg_stat_activity
        where datname = current_database() and application_name = 'bookwarden'
        and query_start > now() - interval '1 s' and query like ";
    for beginning in ["'-- What a batch has to know%'", "'-- Appends a batch%'"] {
        let processes = format!("{last_statements}{beginning}");
        assert_eq!(app.number(&processes).await, 1, "{beginning}");
    }
}
