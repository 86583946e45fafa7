//! A cap is a cap.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Answered, Server, TestApp, booking};

fn approved(answers: &[Answered]) -> usize {
    answers
        .iter()
        .filter(|answered| !answered.cancelled())
        .count()
}

#[tokio::test]
async fn two_hundred_at_once_on_a_cap_of_seven() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (service_id, cu_index, max_appointments, message) values ('3031af97-328d-4df1-a528-cf198e4e7897', 0, 7, 'Full today')").await;
    let bookings: Vec<_> = (0..200).map(|_| booking()).collect();

    let answers = join_all(bookings.iter().map(|booking| app.book(booking))).await;

    assert_eq!(approved(&answers), 7);
    let refused = answers
        .iter()
        .find(|answered| answered.cancelled())
        .expect("a refusal");
    assert_eq!(refused.json["cancellationReason"], "Full today");
    let (_, decision) = app
        .get(&format!(
            "/v1/decisions/{}",
            refused.decision_id.expect("an id")
        ))
        .await;
    let cap = &decision["policies"][0];
    assert_eq!(
        (&cap["kind"], &cap["verdict"], &cap["used"], &cap["max"]),
        (
            &json!("capacity_caps"),
            &json!("refused"),
            &json!(7),
            &json!(7)
        )
    );
    app.check().await;
}

#[tokio::test]
async fn two_hundred_at_once_through_two_processes() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    app.sql("insert into policy.capacity_caps (max_appointments) values (7)")
        .await;
    let bookings: Vec<_> = (0..200).map(|_| booking()).collect();

    let answers = join_all(bookings.iter().enumerate().map(|(i, booking)| {
        let server = if i % 2 == 0 { &app.server } else { &other };
        app.book_at(server, booking)
    }))
    .await;

    assert_eq!(approved(&answers), 7);
    assert_eq!(
        app.number("select count(*) from ledger.reservations").await,
        7
    );
    app.check().await;
}

#[tokio::test]
async fn a_cap_written_tomorrow_counts_the_bookings_of_today() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        assert!(!app.book(&booking()).await.cancelled());
    }
    app.sql("insert into policy.capacity_caps (max_minutes, counted_per, period) values (60, 'unit', 'month')").await;
    assert!(
        !app.book(&booking()).await.cancelled(),
        "45 and 15 minutes are 60"
    );
    assert!(app.book(&booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn calendars_of_different_services_and_dates_have_nothing_to_do_with_each_other() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (0, 1)")
        .await;
    assert!(!app.book(&booking()).await.cancelled());
    assert!(app.book(&booking()).await.cancelled());
    for (pointer, value) in [
        ("/serviceId", json!("11111111-2222-4333-8444-555555555555")),
        ("/appointment/date", json!("2027-03-10T00:00:00")),
        ("/appointment/cuIndex", json!(1)),
    ] {
        let mut elsewhere = booking();
        *elsewhere.pointer_mut(pointer).expect("in the sample") = value;
        assert!(!app.book(&elsewhere).await.cancelled(), "{pointer}");
    }
    app.check().await;
}

#[tokio::test]
async fn a_shadow_cap_is_recorded_and_changes_nothing() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments, mode) values (0, 'shadow'), (0, 'off')").await;
    let answered = app.book(&booking()).await;
    assert!(!answered.cancelled());
    let (_, decision) = app
        .get(&format!(
            "/v1/decisions/{}",
            answered.decision_id.expect("an id")
        ))
        .await;
    assert_eq!(
        decision["policies"].as_array().map(Vec::len),
        Some(1),
        "{decision}"
    );
    assert_eq!(
        (
            &decision["policies"][0]["mode"],
            &decision["policies"][0]["verdict"]
        ),
        (&json!("shadow"), &json!("refused"))
    );
    app.check().await;
}
