//! Search: every filter finds what it should and nothing else, cursors neither skip nor repeat, and nobody sees another tenant.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, booking, case_id};

/// The decisions of a search, by number.
pub async fn found(app: &TestApp, query: &str) -> Vec<i64> {
    let (status, page) = app.get(&format!("/v1/decisions?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{query}: {page}");
    numbers(&page)
}

fn numbers(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().expect("items");
    let ids = items.iter().map(|item| &item["decisionId"]);
    ids.map(|id| id.as_i64().expect("a number")).collect()
}

async fn book(app: &TestApp, change: impl FnOnce(&mut Value)) -> i64 {
    let mut booking = booking();
    change(&mut booking);
    let answered = app.book(&booking).await;
    answered
        .decision_id
        .unwrap_or_else(|| panic!("{}", answered.text))
}

#[tokio::test]
async fn every_filter_finds_its_decisions_alone_and_with_others() {
    let app = TestApp::start().await;
    let unit = "11111111-1111-4111-8111-111111111111";
    let service = "22222222-2222-4222-8222-222222222222";
    let customer = "33333333-3333-4333-8333-333333333333";
    app.sql(&format!("insert into policy.capacity_caps (service_id, max_appointments, message) values ('{service}', 0, 'Closed for 100% of July_')")).await;
    app.sql("insert into policy.capacity_caps (max_appointments, mode) values (1, 'shadow')")
        .await;
    let plain = book(&app, |_| {}).await;
    let case = booking();
    let of_case = app.book(&case).await.decision_id.expect("an id");
    let elsewhere = book(&app, |b| b["unitId"] = json!(unit)).await;
    let refused = book(&app, |b| b["serviceId"] = json!(service)).await;
    let typed = book(&app, |b| b["serviceTypeId"] = json!(service)).await;
    let of_customer = book(&app, |b| b["customerRecordId"] = json!(customer)).await;
    let by_agent = book(&app, |b| {
        b["triggeredByUserId"] = json!(customer);
        b["triggeredByUserEmail"] = json!("dana@example.org");
    })
    .await;
    let by_phone = book(&app, |b| b["channel"] = json!("Phone")).await;
    let other_calendar = book(&app, |b| b["appointment"]["cuIndex"] = json!(7)).await;
    let other_day = book(&app, |b| b["appointment"]["date"] = json!("2027-04-01")).await;
    let all = [
        plain,
        of_case,
        elsewhere,
        refused,
        typed,
        of_customer,
        by_agent,
        by_phone,
        other_calendar,
        other_day,
    ];
    let newest_first: Vec<i64> = all.iter().rev().copied().collect();

    assert_eq!(found(&app, "").await, newest_first);
    assert_eq!(found(&app, "order=oldest").await, all);
    let id = case_id(&case);
    for (query, wanted) in [
        (format!("caseId={id}"), vec![of_case]),
        (format!("unitId={unit}"), vec![elsewhere]),
        (format!("serviceId={service}"), vec![refused]),
        (format!("serviceTypeId={service}"), vec![typed]),
        (format!("customerRecordId={customer}"), vec![of_customer]),
        (
            "triggeredByUserEmail=dana@example.org".into(),
            vec![by_agent],
        ),
        ("bookedBy=agent".into(), vec![by_agent]),
        ("channel=Phone".into(), vec![by_phone]),
        ("cuIndex=7".into(), vec![other_calendar]),
        ("outcome=cancelled".into(), vec![refused]),
        ("outcome=modified".into(), vec![]),
        ("appointmentFrom=2027-04-01".into(), vec![other_day]),
        (
            "appointmentFrom=2027-04-01&appointmentUntil=2027-04-01".into(),
            vec![],
        ),
        ("reason=100%25 of jULY_".into(), vec![refused]),
        ("reason=closedXfor".into(), vec![]),
        ("policyKind=capacity_caps&policyId=1".into(), vec![refused]),
        (
            "policyKind=capacity_caps&policyId=1&policyVerdict=allowed".into(),
            vec![],
        ),
        (
            "policyKind=capacity_caps&policyId=1&policyVerdict=refused&policyMode=enforce".into(),
            vec![refused],
        ),
        (
            "policyKind=capacity_caps&policyId=2&policyVerdict=refused&policyMode=shadow&limit=1"
                .into(),
            vec![by_phone],
        ),
        (
            "policyKind=capacity_caps&policyId=2&policyMode=enforce".into(),
            vec![],
        ),
        ("policyKind=capacity_caps&policyId=99".into(), vec![]),
        (
            format!(
                "policyKind=capacity_caps&policyId=1&outcome=cancelled&serviceId={service}&reason=closed"
            ),
            vec![refused],
        ),
        (
            format!("policyKind=capacity_caps&policyId=2&customerRecordId={customer}"),
            vec![of_customer],
        ),
        (
            format!("policyKind=capacity_caps&policyId=1&customerRecordId={customer}"),
            vec![],
        ),
        (
            format!("reason=closed&serviceId={service}&appointmentFrom=2027-01-01"),
            vec![refused],
        ),
        (format!("reason=open&customerRecordId={customer}"), vec![]),
        ("from=2000-01-01&until=2001-01-01".into(), vec![]),
        ("from=9999-01-01".into(), vec![]),
        ("until=2000-01-01T00:00:00%2B02:00".into(), vec![]),
    ] {
        assert_eq!(found(&app, &query).await, wanted, "{query}");
    }
    assert_eq!(
        found(&app, "policyKind=capacity_caps&policyId=2&order=oldest").await,
        all
    );
    assert_eq!(
        found(
            &app,
            "from=2000-01-01&until=9999-01-01&appointmentFrom=2000-01-01"
        )
        .await,
        newest_first
    );

    let decided_at = app.get(&format!("/v1/decisions/{refused}")).await.1["decidedAt"].clone();
    let at = decided_at.as_str().expect("a time");
    let split = all
        .iter()
        .position(|id| *id == refused)
        .expect("it is there");
    assert_eq!(
        found(&app, &format!("order=oldest&from={at}")).await,
        all[split..]
    );
    assert_eq!(
        found(&app, &format!("order=oldest&until={at}")).await,
        all[..split]
    );
    app.check().await;
}

#[tokio::test]
async fn a_walk_by_cursor_returns_each_decision_once_while_bookings_pour_in() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments, mode) values (5, 'shadow')")
        .await;
    let mut wanted = BTreeSet::new();
    for _ in 0..23 {
        wanted.insert(book(&app, |_| {}).await);
    }
    for query in [
        "",
        "appointmentFrom=2000-01-01&",
        "policyKind=capacity_caps&policyId=1&",
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, page) = app
                .get(&format!("/v1/decisions?{query}limit=4{cursor}"))
                .await;
            assert_eq!(status, StatusCode::OK, "{page}");
            seen.extend(numbers(&page));
            book(&app, |_| {}).await;
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(
            seen.windows(2).all(|pair| pair[0] > pair[1]),
            "{query}: {seen:?}"
        );
        let seen: BTreeSet<i64> = seen.into_iter().collect();
        assert!(seen.is_superset(&wanted), "{query}");
    }
    // Oldest first reaches what came meanwhile, too.
    let (_, first) = app.get("/v1/decisions?order=oldest&limit=20").await;
    let next = first["nextCursor"].as_str().expect("more");
    let late = book(&app, |_| {}).await;
    let rest = found(&app, &format!("order=oldest&limit=200&cursor={next}")).await;
    assert_eq!(rest.last(), Some(&late));
    let (status, problem) = app
        .get(&format!("/v1/decisions?limit=20&cursor={next}"))
        .await;
    assert_eq!(
        status,
        StatusCode::BAD_REQUEST,
        "a cursor of another search"
    );
    assert_eq!(problem["errors"][0]["path"], "cursor");
    app.check().await;
}

#[tokio::test]
async fn what_is_not_understood_is_named() {
    let app = TestApp::start().await;
    for (query, names) in [
        ("/v1/decisions?cuindex=1", vec!["cuindex"]),
        (
            "/v1/decisions?limit=0&caseId=x&from=now&channel=%00",
            vec!["limit", "caseId", "from", "channel"],
        ),
        ("/v1/decisions?policyId=1", vec!["policyId"]),
        (
            "/v1/decisions?outcome=approved&outcome=approved",
            vec!["outcome"],
        ),
        ("/v1/decisions?cursor=eyJ2IjoxfQ", vec!["cursor"]),
        ("/v1/decisions?format=csv&limit=5", vec!["limit"]),
        (
            "/v1/decisions?format=ndjson&limit=5&after=7&cursor=x",
            vec!["limit", "after"],
        ),
        ("/v1/events?format=ndjson&limit=5", vec!["limit"]),
        ("/v1/events?after=7&cursor=x", vec!["after"]),
        (
            "/v1/stats?by=policy&bucket=day&timeZone=UTC",
            vec!["bucket", "timeZone"],
        ),
        ("/v1/decisions?limit=5&reason=%ff", vec!["reason"]),
        ("/v1/events?type=%c3", vec!["type"]),
        ("/v1/policies?cursor=%ff", vec!["cursor"]),
        ("/v1/policies/Rules/1/history", vec!["kind"]),
        ("/v1/policies/%ff/1/history", vec!["kind"]),
        ("/v1/events?type=x'y&order=up", vec!["type", "order"]),
        ("/v1/events?policyId=1", vec!["policyId"]),
        ("/v1/events?outcome=approved", vec!["outcome"]),
    ] {
        let (status, problem) = app.get(query).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        assert_eq!(problem["type"], "/problems/invalid-parameters");
        let errors = problem["errors"].as_array().expect("errors");
        let paths: Vec<_> = errors
            .iter()
            .map(|error| error["path"].as_str().expect("a path"))
            .collect();
        assert_eq!(paths, names, "{query}");
    }
}

#[tokio::test]
async fn events_of_every_type_by_type_case_and_policy() {
    let app = TestApp::start().await;
    let case = booking();
    let decision = app.book(&case).await.decision_id.expect("an id");
    app.book(&case).await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (100)")
        .await;
    app.sql("insert into policy.customer_blocklist (customer_record_id) select gen_random_uuid() from generate_series(1, 250)").await;
    app.sql("delete from policy.customer_blocklist where id = 7")
        .await;
    let types = async |query: &str| -> Vec<String> {
        let (status, page) = app.get(&format!("/v1/events?order=oldest&{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["items"].as_array().expect("items");
        let types = items
            .iter()
            .map(|item| item["type"].as_str().expect("a type").to_owned());
        types.collect()
    };
    let story = ["booking.requested", "booking.decided", "booking.repeated"];
    assert_eq!(types(&format!("caseId={}", case_id(&case))).await, story);
    assert_eq!(types("type=booking.repeated").await, ["booking.repeated"]);
    assert_eq!(types("policyKind=capacity_caps").await, ["policy.created"]);
    assert_eq!(
        types("policyKind=customer_blocklist&policyId=7").await,
        ["policy.created", "policy.deleted"]
    );
    assert_eq!(
        types("policyKind=customer_blocklist&policyId=8").await,
        ["policy.created"]
    );
    assert_eq!(
        types("policyKind=customer_blocklist&policyId=251").await,
        [""; 0]
    );
    let (_, page) = app.get("/v1/events?type=booking.decided").await;
    assert_eq!(page["items"][0]["eventId"], decision);
    assert_eq!(page["items"][0]["payload"]["version"], 2);
    let (_, page) = app.get("/v1/events?type=booking.requested").await;
    assert_eq!(page["items"][0]["request"], case);
}

#[tokio::test]
async fn nobody_sees_another_organization() {
    let app = TestApp::start().await;
    app.sql("insert into policy.organizations (org) values ('other'); insert into access.webhook_secrets (org, secret) values ('other', 'dev-secret')").await;
    let body = booking();
    let signed = bookwarden::cubu::signature::sign("dev-secret", body.to_string().as_bytes());
    let path = "/other/service/actions/beforeBookAppointment";
    let answered = app
        .post(&app.server, path, body.to_string(), Some(signed))
        .await
        .expect("an answer");
    let theirs = answered.decision_id.expect("an id");
    let mine = book(&app, |_| {}).await;
    assert_eq!(found(&app, "").await, [mine]);
    assert_eq!(
        found(&app, &format!("caseId={}", case_id(&body))).await,
        [0; 0]
    );
    // Their ledger numbers mean nothing here: at most our own event of that number is seen.
    let (status, answer) = app.get(&format!("/v1/decisions/{theirs}")).await;
    assert!(
        status == StatusCode::NOT_FOUND || answer["org"] == "default",
        "{answer}"
    );
    let (_, events) = app.get("/v1/events?limit=200").await;
    let events = events["items"].as_array().expect("items");
    assert!(events.iter().all(|event| event["org"] == "default"));
    for attempt in [
        "org=other",
        "org=default",
        "caseId=%27%20or%20true--",
        "channel=%27%20or%20true--",
    ] {
        let (status, answer) = app.get(&format!("/v1/decisions?{attempt}")).await;
        let nothing = status == StatusCode::OK && answer["items"] == json!([]);
        assert!(
            nothing || status == StatusCode::BAD_REQUEST,
            "{attempt}: {answer}"
        );
    }
}
