//! What Cubu tells after a booking.

use bookwarden::cubu::signature;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{SECRET, TestApp, booking, case_id};

pub async fn tell(app: &TestApp, action: &str, booking: &Value) -> StatusCode {
    let body = booking.to_string();
    let authorization = signature::sign(SECRET, body.as_bytes());
    let path = format!("/service/actions/{action}");
    let answered = app
        .post(&app.server, &path, body, Some(authorization))
        .await;
    answered.expect("an answer").status
}

async fn types(app: &TestApp) -> String {
    app.text(
        "select string_agg(type, ' ' order by seq) from ledger.events where case_id is not null",
    )
    .await
}

#[tokio::test]
async fn a_case_that_closes_before_its_appointment_frees_its_place() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (1)")
        .await;
    let first = booking();
    assert!(!app.book(&first).await.cancelled());
    assert_eq!(
        tell(&app, "afterBookAppointment", &first).await,
        StatusCode::NO_CONTENT
    );
    assert!(app.book(&booking()).await.cancelled());

    assert_eq!(
        tell(&app, "afterClose", &json!({ "caseId": first["caseId"] })).await,
        StatusCode::NO_CONTENT
    );

    assert!(
        !app.book(&booking()).await.cancelled(),
        "the place is free again"
    );
    assert_eq!(
        types(&app).await,
        "booking.requested booking.decided booking.confirmed booking.requested booking.decided booking.released \
         booking.requested booking.decided"
    );
    assert!(
        app.book(&first).await.cancelled(),
        "its place is gone: decided anew"
    );
    app.check().await;
}

#[tokio::test]
async fn a_case_that_closes_after_its_appointment_began_has_used_its_place_up() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (1)")
        .await;
    let mut past = booking();
    past["appointment"]["date"] = json!("2020-03-09");
    past["appointment"]["timeLocal"] = json!("2020-03-09T10:50:00");
    past["appointment"]["timeUtc"] = json!("2020-03-09T08:50:00Z");
    let mut another = past.clone();
    another["caseId"] = booking()["caseId"].clone();
    assert!(!app.book(&past).await.cancelled());

    assert_eq!(
        tell(&app, "afterClose", &past).await,
        StatusCode::NO_CONTENT
    );

    assert!(app.book(&another).await.cancelled());
    assert_eq!(
        types(&app).await,
        "booking.requested booking.decided case.closed booking.requested booking.decided"
    );
    assert_eq!(
        tell(&app, "afterClose", &booking()).await,
        StatusCode::NO_CONTENT,
        "a case that we never saw"
    );
    app.check().await;
}

#[tokio::test]
async fn an_after_call_is_authenticated_and_understood_or_refused() {
    let app = TestApp::start().await;
    let path = "/service/actions/afterClose";
    let unsigned = app
        .post(&app.server, path, "{}", None)
        .await
        .expect("an answer");
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        tell(&app, "afterClose", &json!({})).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        tell(&app, "afterResolve", &json!({})).await,
        StatusCode::NO_CONTENT,
        "acknowledged: Cubu makes every call to the one base URL"
    );
    assert_eq!(
        app.number("select count(*) from ledger.events where type = 'request.rejected'")
            .await,
        2
    );
    app.check().await;
}

#[tokio::test]
async fn a_case_that_is_moved_and_closed_again_and_again_at_once_holds_one_place_in_the_end() {
    let app = TestApp::start().await;
    let mut case = booking();
    let closed = json!({ "caseId": case["caseId"] });
    for _ in 0..5 {
        let calls = (0..18).map(|number| {
            case["appointment"]["start"] = json!(500 + 15 * number);
            let (app, closed, moved) = (&app, &closed, case.clone());
            async move {
                match number % 3 {
                    1 => tell(app, "afterClose", closed).await == StatusCode::NO_CONTENT,
                    _ => !app.book(&moved).await.cancelled(),
                }
            }
        });
        let calls: Vec<_> = calls.collect();
        assert!(join_all(calls).await.into_iter().all(|went_well| went_well));
    }
    case["appointment"]["start"] = json!(800);
    assert!(!app.book(&case).await.cancelled());

    let held = format!(
        "select string_agg(start_minute::text, ',') from ledger.reservations where case_id = '{}'",
        case_id(&case)
    );
    assert_eq!(app.text(&held).await, "800");
    app.check().await;
}

/// A request that was refused, then approved, then given back: only the newest decision of it can stand.
#[tokio::test]
async fn an_approval_ends_older_refusals_of_the_same_request() {
    let app = TestApp::start().await;
    app.sql("update policy.organizations set retry_window_seconds = 1; insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    let asked = booking();
    assert!(app.book(&asked).await.cancelled());
    app.sql("delete from policy.capacity_caps").await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert!(!app.book(&asked).await.cancelled());
    app.sql("update policy.organizations set retry_window_seconds = 3600")
        .await;
    // At once, so that some of it may be one batch.
    let closed = json!({ "caseId": asked["caseId"] });
    let (told, again) = tokio::join!(tell(&app, "afterClose", &closed), app.book(&asked));
    assert_eq!(told, StatusCode::NO_CONTENT);
    assert!(!again.cancelled());
    assert!(!app.book(&asked).await.cancelled());
    app.check().await;
}
