//! Counting: by bucket in a time zone, and policies that bite or never do.

use reqwest::StatusCode;
use serde_json::json;

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
    for (query, name) in [
        ("timeZone=Mars/Olympus", "timeZone"),
        ("by=age", "by"),
        ("bucket=year", "bucket"),
        ("x=1", "x"),
    ] {
        let (status, problem) = app.get(&format!("/v1/stats?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert_eq!(problem["errors"][0]["path"], name);
    }
}
