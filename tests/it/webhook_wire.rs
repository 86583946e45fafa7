//! The webhook and the first look back, over the wire: what is answered, and what is then on the ledger.

use bookwarden::cubu::signature::sign;
use serde_json::Value;
use sqlx::PgPool;

use crate::test_app::TestApp;

const SAMPLE: &str = include_str!("../samples/before-book-appointment.json");
const ROUTE: &str = "/service/actions/beforeBookAppointment";
const SECRET: &str = "dev-secret";

async fn json(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn count(pool: &PgPool, org: &str, event_type: &str) -> i64 {
    sqlx::query_scalar("select count(*) from ledger.events where org = $1 and type = $2")
        .bind(org)
        .bind(event_type)
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn run(pool: &PgPool, sql: &'static str) {
    sqlx::query(sql).execute(pool).await.unwrap();
}

fn sample_for(case: u128) -> String {
    let case = uuid::Uuid::from_u128(case).to_string();
    SAMPLE.replacen("4e510ed0-ef6f-4441-a1d3-c29d2f752e57", &case, 1)
}

#[tokio::test]
async fn a_signed_booking_is_answered_and_on_the_ledger() {
    let app = TestApp::start().await;
    let response = app
        .post(ROUTE, Some(&sign(SECRET, SAMPLE.as_bytes())), SAMPLE)
        .await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let id: i64 = response.headers()["bookwarden-decision"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let answer = response.text().await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&answer)
            .unwrap()
            .as_object()
            .unwrap()
            .len(),
        12
    );
    let (request, payload): (String, String) = sqlx::query_as(
        "select r.body, d.payload from ledger.events d join ledger.events r on r.org = d.org and r.seq = d.caused_by
         where d.org = 'default' and d.seq = $1",
    )
    .bind(id)
    .fetch_one(app.pool())
    .await
    .unwrap();
    assert_eq!(request, SAMPLE);
    assert!(payload.contains(&answer));
}

#[tokio::test]
async fn every_refusal_is_recorded_before_it_is_answered() {
    let app = TestApp::start().await;
    let good = sign(SECRET, SAMPLE.as_bytes());
    let changed = SAMPLE.replacen("650", "651", 1);
    let large = "x".repeat(4 << 20);
    let cases = [
        (None, SAMPLE, 401, "missing-signature"),
        (Some("Bearer x".to_owned()), SAMPLE, 401, "wrong-scheme"),
        (
            Some("HMAC ?".to_owned()),
            SAMPLE,
            401,
            "malformed-signature",
        ),
        (
            Some(sign("other", SAMPLE.as_bytes())),
            SAMPLE,
            401,
            "invalid-signature",
        ),
        (
            Some(good.clone()),
            changed.as_str(),
            401,
            "invalid-signature",
        ),
        (Some(sign(SECRET, b"{")), "{", 400, "not-json"),
        (Some(sign(SECRET, b"{}")), "{}", 400, "invalid-booking"),
        (Some(good.clone()), large.as_str(), 413, "body-too-large"),
    ];
    for (recorded, (authorization, body, status, id)) in (1..).zip(cases) {
        let response = app.post(ROUTE, authorization.as_deref(), body).await;
        assert_eq!(response.status(), status, "{id}");
        assert_eq!(json(response).await["type"], format!("/problems/{id}"));
        assert_eq!(
            count(app.pool(), "default", "request.rejected").await,
            recorded,
            "{id}"
        );
    }
    assert_eq!(count(app.pool(), "default", "booking.requested").await, 0);
}

#[tokio::test]
async fn a_bad_field_is_named_by_its_path() {
    let app = TestApp::start().await;
    let body = SAMPLE.replacen("\"cuIndex\": 0", "\"cuIndex\": -1", 1);
    let response = app
        .post(ROUTE, Some(&sign(SECRET, body.as_bytes())), &body)
        .await;
    let problem = json(response).await;
    assert_eq!(problem["errors"][0]["path"], "appointment.cuIndex");
}

#[tokio::test]
async fn secrets_hold_at_once_and_until_they_expire() {
    let app = TestApp::start().await;
    let header = sign("second", SAMPLE.as_bytes());
    assert_eq!(app.post(ROUTE, Some(&header), SAMPLE).await.status(), 401);
    run(
        app.pool(),
        "insert into access.webhook_secrets (org, secret) values ('default', 'second')",
    )
    .await;
    assert_eq!(app.post(ROUTE, Some(&header), SAMPLE).await.status(), 200);
    let in_a_moment =
        "update access.webhook_secrets set expires_at = now() + interval '300 milliseconds'
                       where secret = 'second'";
    run(app.pool(), in_a_moment).await;
    run(app.pool(), "notify bookwarden_access").await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(app.post(ROUTE, Some(&header), SAMPLE).await.status(), 401);
}

#[tokio::test]
async fn unsigned_only_where_it_was_said_and_organizations_that_exist() {
    let app = TestApp::start().await;
    run(
        app.pool(),
        "insert into policy.organizations (org) values ('open'), ('closed')",
    )
    .await;
    run(
        app.pool(),
        "insert into access.unsigned_webhooks (org) values ('open')",
    )
    .await;
    for (org, authorization, status) in [
        ("open", None, 200),
        ("open", Some("HMAC AAAA"), 401),
        ("closed", None, 401),
        ("nobody", None, 404),
    ] {
        let response = app
            .post(&format!("/{org}{ROUTE}"), authorization, SAMPLE)
            .await;
        assert_eq!(response.status(), status, "{org} {authorization:?}");
    }
    assert_eq!(count(app.pool(), "nobody", "request.rejected").await, 0);
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_bookings_pour_in() {
    let app = TestApp::start().await;
    let token = app.create_token("default", "auditor").await;
    for case in 1..=7 {
        let body = sample_for(case);
        app.post(ROUTE, Some(&sign(SECRET, body.as_bytes())), &body)
            .await;
    }
    let (mut seen, mut cursor, mut next_case) = (Vec::new(), String::new(), 100);
    loop {
        let page = json(
            app.get(&format!("/v1/decisions?limit=2{cursor}"), Some(&token))
                .await,
        )
        .await;
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["decisionId"].as_i64().unwrap()),
        );
        let body = sample_for(next_case);
        app.post(ROUTE, Some(&sign(SECRET, body.as_bytes())), &body)
            .await;
        next_case += 1;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by(|newer, older| newer > older));
    let other_filters = format!("/v1/decisions?outcome=approved{cursor}");
    assert_eq!(app.get(&other_filters, Some(&token)).await.status(), 400);
}

#[tokio::test]
async fn one_decision_for_its_own_organization_and_a_live_token_only() {
    let app = TestApp::start().await;
    let response = app
        .post(ROUTE, Some(&sign(SECRET, SAMPLE.as_bytes())), SAMPLE)
        .await;
    let id = response.headers()["bookwarden-decision"]
        .to_str()
        .unwrap()
        .to_owned();
    let answer = response.text().await.unwrap();
    let path = format!("/v1/decisions/{id}");
    let token = app.create_token("default", "auditor").await;
    let body = app.get(&path, Some(&token)).await.text().await.unwrap();
    assert!(body.contains(&answer) && body.contains(SAMPLE.trim_end()));

    run(
        app.pool(),
        "insert into policy.organizations (org) values ('other')",
    )
    .await;
    let stranger = app.create_token("other", "auditor").await;
    assert_eq!(app.get(&path, Some(&stranger)).await.status(), 404);
    assert_eq!(app.get(&path, None).await.status(), 401);
    run(
        app.pool(),
        "update access.audit_tokens set revoked_at = now() where org = 'default'",
    )
    .await;
    assert_eq!(app.get(&path, Some(&token)).await.status(), 401);
}
