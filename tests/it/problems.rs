//! A policy whose expression does not work shows in `policy.problems`, a metric and the decision, and harms no other.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{TestApp, booking};

/// Waits until a query gives a number: the service reports beside its decisions.
async fn eventually(app: &TestApp, query: &str, wanted: i64) {
    for _ in 0..100 {
        if app.number(query).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{query}: {}, not {wanted}", app.number(query).await);
}

async fn policies_of(app: &TestApp, decision_id: Option<i64>) -> Value {
    let id = decision_id.expect("an id");
    app.get(&format!("/v1/decisions/{id}")).await.1["policies"].clone()
}

const PROBLEMS: &str = "select count(*) from policy.problems";

#[tokio::test]
async fn an_expression_that_does_not_compile_is_reported_without_any_booking() {
    let app = TestApp::start().await;
    app.sql("insert into policy.rules (name, condition, cancel) values ('typo', 'chanel == ''Video''', true), ('fine', 'channel == ''Video''', true);
             insert into policy.customer_blocklist (customer_record_id, applies_when) values (gen_random_uuid(), 'weekday = 1')").await;
    eventually(&app, PROBLEMS, 2).await;
    let problem = "select problem from policy.problems where kind = 'rules' and name = 'typo' and part = 'condition' and mode = 'enforce'";
    let text = app.text(problem).await;
    assert!(
        text.starts_with("line 1, column 1: unknown name `chanel`"),
        "{text}"
    );
    assert!(text.len() > 300, "the names are listed: {text}");

    // The decision says it in brief, and goes on without the rule.
    let answered = app.book(&booking()).await;
    assert!(!answered.cancelled());
    let policies = policies_of(&app, answered.decision_id).await;
    assert_eq!(
        (&policies[0]["kind"], &policies[0]["verdict"]),
        (&json!("rules"), &json!("error"))
    );
    let brief = policies[0]["error"].as_str().expect("a text");
    assert!(brief.chars().count() <= 201 && text.starts_with(brief.trim_end_matches('…')));

    // What is mended or deleted is no longer current, at once; nor is it counted twice, as a failure.
    app.sql("update policy.rules set condition = 'selfService' where name = 'typo'")
        .await;
    assert_eq!(app.number(PROBLEMS).await, 1);
    assert!(app.book(&booking()).await.cancelled());
    app.sql("delete from policy.customer_blocklist").await;
    assert_eq!(app.number(PROBLEMS).await, 0);
    eventually(&app, "select count(*) from policy.expression_problems", 0).await;
    app.check().await;
}

#[tokio::test]
async fn an_expression_that_fails_on_a_booking_is_reported() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (name, max_appointments, applies_when) values ('age', 0, $$fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'] > 3$$);
             insert into policy.capacity_caps (name, max_appointments) values ('works', 1)").await;
    assert!(!app.book(&booking()).await.cancelled());
    eventually(
        &app,
        "select count(*) from policy.problems where kind = 'capacity_caps' and name = 'age' and part = 'applies_when'",
        1,
    )
    .await;
    let answered = app.book(&booking()).await;
    assert!(answered.cancelled(), "the other cap works");
    assert_eq!(
        policies_of(&app, answered.decision_id).await[0]["verdict"],
        "error"
    );

    let metrics = || async {
        let url = format!("{}/metrics", app.server.url);
        let response = reqwest::get(url).await.expect("an answer");
        response.text().await.expect("a text")
    };
    let gauge = |count: i64| format!("bookwarden_policy_problems{{org=\"default\"}} {count}\n");
    let mut text = metrics().await;
    for _ in 0..200 {
        if text.contains(&gauge(1)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        text = metrics().await;
    }
    assert!(text.contains(&gauge(1)), "{text}");
    let counter = "bookwarden_policy_errors_total{org=\"default\",kind=\"capacity_caps\"} 2\n";
    assert!(text.contains(counter), "{text}");

    app.sql("update policy.capacity_caps set on_error = 'cancel', message = 'Not now' where name = 'age'; delete from policy.capacity_caps where name = 'works'").await;
    assert_eq!(
        app.book(&booking()).await.json["cancellationReason"],
        "Not now",
        "on_error"
    );
    assert_eq!(app.number(PROBLEMS).await, 1, "still the same expression");
    app.sql("update policy.capacity_caps set applies_when = null")
        .await;
    assert_eq!(app.number(PROBLEMS).await, 0);
    eventually(&app, "select count(*) from policy.failures", 0).await;
    app.check().await;
}

#[tokio::test]
async fn an_empty_expression_is_told_from_none() {
    let app = TestApp::start().await;
    app.sql("insert into policy.rules (applies_when, condition, set_channel) values ('', e' \\n', 'phone')")
        .await;
    eventually(&app, PROBLEMS, 2).await;
    let said = app.text("select string_agg(distinct problem, ' ') from policy.problems");
    assert_eq!(said.await, "it is empty; null means always");
    app.check().await;
}
