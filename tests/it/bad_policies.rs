//! A bad policy is refused where it is written, or shows in the decisions that it would have judged; it harms no other.

use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::support::{TestApp, booking};

#[tokio::test]
async fn what_the_service_could_not_read_is_refused_by_the_database() {
    let app = TestApp::start().await;
    for columns in [
        "(max_appointments, translations) values (0, '{\"he\": [\"x\"]}')",
        "(max_appointments, translations) values (0, '{\"he\": null}')",
        "(max_appointments, translations) values (0, '[]')",
        "(max_appointments, weekdays) values (0, '{{1},{2}}')",
        "(max_appointments, weekdays) values (0, '{1,null}')",
        "(max_appointments, weekdays) values (0, '{8}')",
        "(max_appointments, weekdays) values (0, '{}')",
        "(max_appointments, active_from) values (0, 'infinity')",
        "(max_appointments, active_until) values (0, '0044-03-15 BC')",
        "(max_appointments, from_minute, to_minute) values (0, 700, 700)",
        "(name) values ('no maximum')",
        "(max_appointments, org) values (0, 'nobody')",
    ] {
        let insert = format!("insert into policy.capacity_caps {columns}");
        let refused = sqlx::raw_sql(AssertSqlSafe(insert))
            .execute(&app.database)
            .await;
        assert!(refused.is_err(), "{columns}");
    }
    assert!(!app.book(&booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn a_policy_at_the_edge_of_what_is_allowed_is_in_force() {
    let app = TestApp::start().await;
    for columns in [
        "(max_appointments, translations) values (0, '{}')",
        "(max_appointments, translations) values (0, '{\"\": \"x\", \"a\\\"b\": \"\\n☃\"}')",
        "(max_appointments, weekdays) values (0, '[5:11]={1,2,3,4,5,6,7}')",
        "(max_appointments, active_from) values (0, '0001-01-02 00:00:00+00')",
        "(max_appointments, active_until) values (0, '9999-12-30 23:59:59.999999+00')",
        "(max_appointments, name, message, note) values (0, E'\\x01\\n\\u2028', E'\\x02\"\\\\', '')",
        "(id, max_appointments) values (-9223372036854775808, 0)",
        "(id, max_minutes) values (9223372036854775807, 0)",
        "(max_appointments, from_minute, to_minute, period) values (0, 0, 1440, 'slot')",
    ] {
        app.sql(&format!("insert into policy.capacity_caps {columns}"))
            .await;
        assert!(app.book(&booking()).await.cancelled(), "{columns}");
        app.sql("delete from policy.capacity_caps").await;
        assert!(!app.book(&booking()).await.cancelled(), "{columns}");
    }
    app.check().await;
}

#[tokio::test]
async fn a_condition_that_fails_shows_in_the_decision_and_harms_no_other() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (name, max_appointments, applies_when, on_error) values
        ('does not compile', 0, 'nonsense((', 'ignore'), ('fails', 0, 'appointment.start / 0 > 1', 'ignore'),
        ('good', 1, 'selfService', 'ignore')")
        .await;
    let answered = app.book(&booking()).await;
    assert!(!answered.cancelled());
    let id = answered.decision_id.expect("an id");
    let (_, decision) = app.get(&format!("/v1/decisions/{id}")).await;
    let verdicts: Vec<&Value> = decision["policies"]
        .as_array()
        .expect("policies")
        .iter()
        .map(|policy| &policy["verdict"])
        .collect();
    assert_eq!(verdicts, ["error", "error", "allowed"], "{decision}");

    app.sql("update policy.capacity_caps set on_error = 'cancel', message = 'Call us' where name = 'fails'").await;
    let answered = app.book(&booking()).await;
    assert_eq!(answered.json["cancellationReason"], "Call us");
    app.check().await;
}
