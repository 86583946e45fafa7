//! Counting: by bucket in a time zone, and policies that bite or never do.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, booking};

#[tokio::test]
async fn decisions_are_counted_by_day_in_a_time_zone_and_policies_by_what_they_did() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (name, max_appointments) values ('two', 2)")
        .await;
    app.sql("insert into policy.capacity_caps (name, max_appointments, mode) values ('would be one', 1, 'shadow')").await;
    app.sql("insert into policy.capacity_caps (name, max_appointments, cu_index) values ('never', 1, 99)").await;
    for _ in 0..3 {
        app.book(&booking()).await;
    }
    let (status, stats) = app
        .get("/v1/stats?by=outcome&bucket=hour&timeZone=Asia/Kathmandu")
        .await;
    assert_eq!(status, StatusCode::OK, "{stats}");
    assert_eq!(stats["totals"], json!({"approved": 2, "cancelled": 1}));
    let start = stats["items"][0]["start"].as_str().expect("a start");
    assert!(
        start.ends_with(":00:00"),
        "an hour of a zone 5:45 ahead: {start}"
    );
    for by in ["unitId", "serviceId", "channel", "bookedBy"] {
        let (status, stats) = app.get(&format!("/v1/stats?by={by}&bucket=week")).await;
        assert_eq!(status, StatusCode::OK, "{stats}");
        let totals = stats["totals"].as_object().expect("totals");
        assert_eq!(
            totals
                .values()
                .map(|count| count.as_i64().expect("a number"))
                .sum::<i64>(),
            3
        );
    }
    let (status, stats) = app.get("/v1/stats?until=2000-01-01").await;
    assert_eq!(status, StatusCode::OK, "before everything: {stats}");
    assert_eq!(stats["items"], json!([]));
    let (_, stats) = app.get("/v1/stats?by=policy").await;
    let counts = |index: usize, name: &str| stats["items"][index][name].clone();
    assert_eq!(
        [counts(0, "name"), counts(0, "met"), counts(0, "refused")],
        [json!("two"), json!(3), json!(1)]
    );
    assert_eq!(
        [counts(1, "wouldHaveRefused"), counts(1, "refused")],
        [json!(2), json!(0)]
    );
    assert_eq!(
        [counts(2, "name"), counts(2, "met"), counts(2, "lastHitId")],
        [json!("never"), json!(0), json!(null)]
    );
    assert!(counts(0, "lastHitAt").is_string());
    for (query, name) in [("by=age", "by"), ("bucket=year", "bucket"), ("x=1", "x")] {
        let (status, problem) = app.get(&format!("/v1/stats?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert_eq!(problem["errors"][0]["path"], name);
    }
}

#[tokio::test]
async fn a_time_zone_has_an_iana_name() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    for zone in [
        "UTC",
        "Etc/UTC",
        "Asia/Jerusalem",
        "America/Argentina/Buenos_Aires",
        // Two hours behind UTC, as IANA has it.
        "Etc/GMT%2B2",
    ] {
        let (status, stats) = app.get(&format!("/v1/stats?timeZone={zone}")).await;
        assert_eq!(status, StatusCode::OK, "{zone}: {stats}");
    }
    for zone in [
        "Mars/Olympus",
        "asia/jerusalem",
        "Asia/Jerusalem3",
        "UTC%2B2",
        "UTC-2",
        "X5",
        "Factory",
        "localtime",
        "posixrules",
        "posix/Asia/Jerusalem",
        // An abbreviation to Postgres, an hour ahead all year long.
        "CET",
        "",
    ] {
        let (status, problem) = app.get(&format!("/v1/stats?timeZone={zone}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{zone}: {problem}");
        let error = &problem["errors"][0];
        assert_eq!(error["path"], "timeZone");
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains("IANA name"), "{message}");
    }
}

#[tokio::test]
async fn policies_come_in_pages_that_count_the_same_decisions() {
    let app = TestApp::start().await;
    app.sql(
        "insert into policy.capacity_caps (id, name, max_appointments) values (-1, 'below zero', 100), (5, 'gone', 100), (6, 'plain', 100);
         insert into policy.rules (name, applies_when, cancel) values ('never', 'false', true);
         insert into policy.customer_blocklist (id, name, customer_record_id) values (3, 'unwelcome', '2a5d3a4c-43f5-4d36-9d0b-9b5c3cd9f1aa')",
    )
    .await;
    let mut blocked = booking();
    blocked["customerRecordId"] = json!("2a5d3a4c-43f5-4d36-9d0b-9b5c3cd9f1aa");
    app.book(&booking()).await;
    app.book(&blocked).await;
    app.sql("delete from policy.capacity_caps where id = 5")
        .await;

    let (_, whole) = app.get("/v1/stats?by=policy").await;
    let listed: Vec<_> = whole["items"].as_array().unwrap().iter().collect();
    let shown = |name: &str| listed.iter().map(|item| item[name].clone()).collect();
    let ids: Vec<Value> = shown("id");
    assert_eq!(ids, [-1, 5, 6, 3, 1], "{whole}");
    let in_force: Vec<Value> = shown("inForce");
    assert_eq!(in_force, [true, false, true, true, true]);
    let names: Vec<Value> = shown("name");
    let name = |name: &str| json!(name);
    let expected = [name("below zero"), json!(null), name("plain")];
    assert_eq!(names[..3], expected);
    assert_eq!(names[3..], [name("unwelcome"), name("never")]);
    let refused: Vec<Value> = shown("refused");
    assert_eq!(refused, [0, 0, 0, 1, 0]);
    assert_eq!(whole["nextCursor"], json!(null));

    let (mut pages, mut next) = (Vec::new(), String::new());
    loop {
        let (status, page) = app.get(&format!("/v1/stats?by=policy&limit=2{next}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        pages.extend(page["items"].as_array().unwrap().clone());
        // What comes while the pages are read belongs to none of them.
        app.book(&booking()).await;
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(json!(pages), whole["items"]);

    let of_a_day = format!("by=policy&from=2020-01-01{next}");
    for (query, name) in [
        ("by=policy&limit=0", "limit"),
        ("by=policy&limit=1001", "limit"),
        ("limit=5", "limit"),
        ("by=policy&bucket=day", "bucket"),
        ("by=policy&timeZone=UTC", "timeZone"),
        (next.trim_start_matches('&'), "cursor"),
        ("by=policy&cursor=xyz", "cursor"),
        (of_a_day.as_str(), "cursor"),
    ] {
        let (status, problem) = app.get(&format!("/v1/stats?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        assert_eq!(problem["errors"][0]["path"], name, "{query}");
    }
    app.check().await;
}
