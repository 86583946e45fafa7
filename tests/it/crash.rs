//! Whatever is killed: what was answered is on the ledger, numbers have no gap, caps hold, and it goes on.

use std::time::Duration;

use reqwest::Client;
use sqlx::PgPool;
use tokio::time::sleep;

use crate::support::dev::{Dev, is_alive, signal};
use crate::support::load::{Asked, End, Load, ask, assert_on_ledger};
use crate::support::{HANGS, Server, TestApp, booking, prove};

const CAP: i64 = 40;
const INSERT_CAP: &str = "insert into policy.capacity_caps (max_appointments) values (40)";

/// The most places that any calendar has taken.
const FULLEST: &str = "select coalesce(max(places), 0) from (
    select count(*) as places from ledger.reservations group by service_id, date, cu_index) calendars";

/// Approvals that have no place; each case booked once.
const HOMELESS: &str = "select count(*) from ledger.events d
    where d.type = 'booking.decided' and d.outcome <> 'cancelled'
      and not exists (select from ledger.reservations r where r.org = d.org and r.decision_seq = d.seq)";

async fn number(database: &PgPool, query: &'static str) -> i64 {
    let number = sqlx::query_scalar(query).fetch_one(database).await;
    number.unwrap_or_else(|error| panic!("{query}: {error}"))
}

async fn assert_sound(database: &PgPool, asked: &[Asked]) {
    let answered = assert_on_ledger(database, asked).await;
    assert!(answered > 0, "the load was answered at all");
    assert!(number(database, FULLEST).await <= CAP, "the cap holds");
    assert_eq!(number(database, HOMELESS).await, 0, "approved is placed");
}

fn count(asked: &[Asked], is: impl Fn(&End) -> bool) -> usize {
    asked.iter().filter(|one| is(&one.end)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_killed_under_load_loses_nothing_that_it_answered() {
    let mut app = TestApp::start().await;
    app.sql(INSERT_CAP).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        let load = Load::start(&app.server.url, 24);
        sleep(Duration::from_millis(400)).await;
        app.server.kill();
        asked.extend(load.stop().await);
        assert_sound(&app.database, &asked).await;
        app.check().await;
        app.server = Server::start(&app.database_url);
    }
    assert!(
        count(&asked, |end| matches!(end, End::Lost | End::Refused)) > 0,
        "it was killed under load"
    );

    let client = Client::new();
    for one in asked.iter().rev().take(20) {
        let again = ask(&client, &app.server.url, one.body.clone()).await;
        match (&one.end, &again.end) {
            (
                End::Answered { decision_id, text },
                End::Answered {
                    decision_id: id_again,
                    text: text_again,
                },
            ) => assert_eq!((decision_id, text), (id_again, text_again)),
            (_, End::Answered { .. }) => {}
            other => panic!("after a restart everything goes on: {other:?}"),
        }
    }
    app.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_under_load_loses_nothing_that_was_answered() {
    let dev = Dev::start();
    let database = PgPool::connect(&dev.database_url)
        .await
        .expect("it answers");
    sqlx::query(INSERT_CAP)
        .execute(&database)
        .await
        .expect("a cap");
    let backend = "select pid::text from pg_stat_activity where application_name = 'bookwarden' order by state_change desc limit 1";
    let backend: String = sqlx::query_scalar(backend)
        .fetch_one(&database)
        .await
        .expect("the service is connected");
    database.close().await;

    // A backend first: its postmaster then ends all others and recovers.
    let mut asked = Vec::new();
    for victim in [backend, dev.postmaster()] {
        let load = Load::start(&dev.url, 24);
        sleep(Duration::from_millis(400)).await;
        signal("-KILL", &victim);
        sleep(Duration::from_millis(600)).await;
        asked.extend(load.stop().await);
        recover(&dev, &mut asked).await;
        // It may come back so soon that nobody is told 503.
        assert!(!is_alive(&victim), "{victim} was killed under load");
    }
    for one in &asked {
        match &one.end {
            End::Answered { .. } => {}
            End::Problem {
                status,
                retry_after: true,
            } if status.as_u16() == 503 => {}
            other => panic!("503 with Retry-After, or an answer, but {other:?}"),
        }
        assert!(one.took < HANGS, "{:?}", one.took);
    }
    let database = PgPool::connect(&dev.database_url)
        .await
        .expect("it answers");
    assert_sound(&database, &asked).await;
    prove(&dev.database_url).await;
}

/// Asks until a booking is decided again.
async fn recover(dev: &Dev, asked: &mut Vec<Asked>) {
    let client = Client::new();
    for _ in 0..150 {
        let one = ask(&client, &dev.url, booking().to_string()).await;
        let is_answered = matches!(one.end, End::Answered { .. });
        asked.push(one);
        if is_answered {
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
    panic!("it did not recover by itself");
}
