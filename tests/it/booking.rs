//! A signed booking goes in, a decision comes out, and both are on the ledger.

use bookwarden::cubu::signature;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{SECRET, TestApp, booking, case_id};

const PATH: &str = "/service/actions/beforeBookAppointment";

#[tokio::test]
async fn a_booking_is_answered_with_twelve_keys_and_recorded() {
    let app = TestApp::start().await;
    let booking = booking();

    let answered = app.book(&booking).await;

    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(
        answered.text,
        r#"{"fields":null,"tagIds":null,"removeCustomer":false,"customerRecordId":null,"useCustomerContactInfo":false,"contactPhoneNumber":null,"contactEmail":null,"serviceTypeId":null,"channel":null,"preventSelfCheckIn":null,"cancelled":false,"cancellationReason":null}"#
    );
    let id = answered.decision_id.expect("a Bookwarden-Decision header");
    let (status, decision) = app.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{decision}");
    assert_eq!(decision["decisionId"], id);
    assert_eq!(decision["outcome"], "approved");
    assert_eq!(decision["caseId"], booking["caseId"]);
    assert_eq!(decision["request"], booking);
    assert_eq!(decision["response"], answered.json);
    let recorded: String = app
        .text(&format!(
            "select body from ledger.events where seq = {}",
            decision["requestId"]
        ))
        .await;
    assert_eq!(recorded, booking.to_string(), "the exact text is kept");
    app.check().await;
}

#[tokio::test]
async fn a_signature_made_elsewhere_is_accepted_byte_for_byte() {
    let app = TestApp::start().await;
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../samples/hmac-vectors.json")).expect("JSON");
    let authorization = vectors[0]["authorization"]
        .as_str()
        .expect("text")
        .to_owned();
    let body = include_str!("../samples/before-book-appointment.json");

    let answered = app
        .post(&app.server, PATH, body, Some(authorization.clone()))
        .await
        .expect("an answer");
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text);

    let changed = body.replace("Passport", "passport");
    let refused = app
        .post(&app.server, PATH, changed, Some(authorization))
        .await
        .expect("an answer");
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    app.check().await;
}

#[tokio::test]
async fn what_is_not_authenticated_gets_401_and_is_recorded() {
    let app = TestApp::start().await;
    let body = booking().to_string();
    let mac = signature::sign("another secret", body.as_bytes());
    let headers = [
        None,
        Some("Bearer abc".to_owned()),
        Some("HMAC !!!".to_owned()),
        Some(mac),
    ];
    for header in headers {
        let answered = app
            .post(&app.server, PATH, body.clone(), header)
            .await
            .expect("an answer");
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
        assert!(answered.json["type"].is_string(), "{}", answered.text);
    }
    let reasons = app.text("select string_agg(payload::json ->> 'reason', ' ' order by seq) from ledger.events where type = 'request.rejected'").await;
    assert_eq!(
        reasons,
        "missing-signature wrong-scheme malformed-signature invalid-signature"
    );
    app.check().await;
}

#[tokio::test]
async fn what_cannot_be_understood_gets_400_that_names_the_field_and_is_recorded() {
    let app = TestApp::start().await;
    let mut wrong = booking();
    wrong["appointment"]["cuIndex"] = json!("zero");
    let mut missing = booking();
    missing["appointment"]
        .as_object_mut()
        .expect("an object")
        .remove("start");
    for (body, path) in [
        (wrong.to_string(), Some("appointment.cuIndex")),
        (missing.to_string(), Some("appointment.start")),
        ("{\"caseId\": ".to_owned(), None),
    ] {
        let authorization = signature::sign(SECRET, body.as_bytes());
        let answered = app
            .post(&app.server, PATH, body, Some(authorization))
            .await
            .expect("an answer");
        assert_eq!(
            answered.status,
            StatusCode::BAD_REQUEST,
            "{}",
            answered.text
        );
        if let Some(path) = path {
            assert!(
                answered.text.contains(path),
                "{} names {path}",
                answered.text
            );
        }
    }
    assert_eq!(
        app.number("select count(*) from ledger.events where type = 'request.rejected'")
            .await,
        3
    );
    app.check().await;
}

#[tokio::test]
async fn the_same_body_twenty_times_at_once_is_one_decision() {
    let app = TestApp::start().await;
    let booking = booking();

    let answers = futures_util::future::join_all((0..20).map(|_| app.book(&booking))).await;

    let first = &answers[0];
    assert_eq!(first.status, StatusCode::OK);
    for answered in &answers {
        assert_eq!(
            (&answered.text, answered.decision_id),
            (&first.text, first.decision_id)
        );
    }
    assert_eq!(
        app.number("select count(*) from ledger.events where type = 'booking.decided'")
            .await,
        1
    );
    assert_eq!(
        app.number("select count(*) from ledger.events where type = 'booking.repeated'")
            .await,
        19
    );
    assert_eq!(
        app.number("select count(*) from ledger.reservations").await,
        1
    );
    app.check().await;
}

#[tokio::test]
async fn an_approval_stands_while_its_place_is_held_also_after_policies_changed() {
    let app = TestApp::start().await;
    let booking = booking();
    let approved = app.book(&booking).await;

    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;

    assert_eq!(app.book(&booking).await.decision_id, approved.decision_id);
    assert!(app.book(&crate::support::booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn a_refusal_stands_within_the_retry_window_and_is_decided_anew_after_it() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    let booking = booking();
    let refused = app.book(&booking).await;
    assert!(refused.cancelled());

    app.sql("delete from policy.capacity_caps").await;
    let again = app.book(&booking).await;
    assert_eq!(
        (again.decision_id, again.cancelled()),
        (refused.decision_id, true),
        "the stored answer"
    );

    app.sql("update policy.organizations set retry_window_seconds = 0")
        .await;
    let anew = app.book(&booking).await;
    assert!(!anew.cancelled(), "a person trying again");
    assert_ne!(anew.decision_id, refused.decision_id);
    app.check().await;
}

#[tokio::test]
async fn a_move_is_decided_as_if_the_old_place_were_free_and_takes_the_new_one() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments, period) values (1, 'day')")
        .await;
    let mut first = booking();
    assert!(!app.book(&first).await.cancelled());

    first["appointment"]["start"] = json!(700);
    assert!(
        !app.book(&first).await.cancelled(),
        "within the day that its own place fills"
    );
    first["appointment"]["date"] = json!("2027-03-10");
    assert!(!app.book(&first).await.cancelled());

    assert!(
        !app.book(&booking()).await.cancelled(),
        "the old day is free again"
    );
    assert_eq!(
        app.number("select count(*) from ledger.reservations").await,
        2
    );
    let (_, decisions) = app
        .get(&format!("/v1/decisions?caseId={}", case_id(&first)))
        .await;
    assert_eq!(
        decisions["items"].as_array().map(Vec::len),
        Some(3),
        "{decisions}"
    );
    app.check().await;
}

#[tokio::test]
async fn unsigned_calls_are_accepted_only_where_the_organization_was_told_to() {
    let app = TestApp::start().await;
    app.sql("insert into policy.organizations (org) values ('town-hall'); insert into access.unsigned_webhooks (org) values ('town-hall')").await;
    let body = booking().to_string();

    let open = app
        .post(
            &app.server,
            &format!("/town-hall{PATH}"),
            body.clone(),
            None,
        )
        .await
        .expect("an answer");
    assert_eq!(open.status, StatusCode::OK, "{}", open.text);
    assert_eq!(
        app.post(&app.server, PATH, body.clone(), None)
            .await
            .expect("an answer")
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.post(&app.server, &format!("/nobody{PATH}"), body, None)
            .await
            .expect("an answer")
            .status,
        StatusCode::NOT_FOUND
    );
    let (_, decisions) = app.get("/v1/decisions").await;
    assert_eq!(
        decisions["items"],
        json!([]),
        "the token opens its own organization only"
    );
    app.check().await;
}
