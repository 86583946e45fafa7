//! Two processes on one ledger: each keeps its counts true by what the other has written.

use bookwarden::cubu::signature;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::replay::behind_the_triggers_back;
use crate::support::{SECRET, Server, TestApp, booking};

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
