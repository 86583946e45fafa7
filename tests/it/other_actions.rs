//! Calls of the webhook whose names are not those that we think they have.

use bookwarden::cubu::signature;
use reqwest::StatusCode;

use crate::support::{Answered, SECRET, TestApp, booking, until};

async fn call(app: &TestApp, path: &str, secret: &str) -> Answered {
    let body = booking().to_string();
    let authorization = signature::sign(secret, body.as_bytes());
    let answered = app.post(&app.server, path, body, Some(authorization));
    answered.await.expect("an answer")
}

#[tokio::test]
async fn a_before_call_of_another_name_is_refused_recorded_and_counted() {
    let app = TestApp::start().await;
    app.found("clinic").await;
    for (path, right) in [
        (
            "/service/actions/beforebookappointment",
            " /service/actions/beforeBookAppointment ",
        ),
        (
            "/service/actions/beforeFoo",
            " /service/actions/beforeBookAppointment ",
        ),
        (
            "/clinic/service/actions/BeforeBook",
            " /clinic/service/actions/beforeBookAppointment ",
        ),
        (
            "/service/actions/afterclose",
            " /service/actions/afterClose ",
        ),
    ] {
        let refused = call(&app, path, SECRET).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(refused.json["type"], "/problems/unknown-route", "{path}");
        let detail = refused.json["detail"].as_str().expect("a detail");
        assert!(detail.contains(right), "{path}: {detail}");
    }
    let stranger = call(&app, "/service/actions/beforeFoo", "another").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);

    let recorded = app
        .text("select string_agg(org || ' ' || (payload::json ->> 'reason'), ', ' order by org, seq) from ledger.events where type = 'request.rejected'")
        .await;
    assert_eq!(
        recorded,
        "clinic unknown-route, default unknown-route, default unknown-route, default unknown-route, default invalid-signature"
    );
    let metrics = reqwest::get(format!("{}/metrics", app.server.url)).await;
    let metrics = metrics.expect("an answer").text().await.expect("a body");
    let counted = r#"bookwarden_rejected_requests_total{reason="unknown-route"} 4"#;
    assert!(metrics.contains(counted), "{metrics}");
    app.check().await;
}

#[tokio::test]
async fn other_names_are_acknowledged_and_the_unknown_among_them_logged_once() {
    let app = TestApp::start().await;
    for action in ["afterResolve", "startWork", "foo", "foo", "b%C3%A9fore"] {
        let path = format!("/service/actions/{action}");
        let answered = call(&app, &path, SECRET).await;
        assert_eq!(answered.status, StatusCode::NO_CONTENT, "{action}");
    }
    // It is read as it is written, a moment after the answers.
    until("the last is logged", async || {
        app.server.log().contains("béfore")
    })
    .await;
    let log = app.server.log();
    let noted = |name: &str| log.matches(&format!("\\\"{name}\\\"")).count();
    assert_eq!((noted("foo"), noted("béfore")), (1, 1), "{log}");
    assert_eq!(log.matches("unknown action").count(), 2, "{log}");
    assert_eq!(
        app.number("select count(*) from ledger.events where type <> 'policy.created'")
            .await,
        0
    );
    app.check().await;
}
