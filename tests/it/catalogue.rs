//! The kinds of policy on a real database: what the tables refuse, what rules answer, whose places limits look at.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Server, TestApp, booking};

const CUSTOMER: &str = "9f86d081-884c-4d63-a1e2-2d1c3b4a5f60";

fn booking_at(date: &str, start: u32, customer: Value) -> Value {
    let mut booking = booking();
    booking["customerRecordId"] = customer;
    let appointment = &mut booking["appointment"];
    appointment["date"] = date.into();
    appointment["start"] = start.into();
    appointment["timeLocal"] = format!("{date}T{:02}:{:02}:00", start / 60, start % 60).into();
    appointment["timeUtc"] = format!("{date}T{:02}:{:02}:00Z", start / 60 - 2, start % 60).into();
    booking
}

#[tokio::test]
async fn a_customer_gets_two_upcoming_places_from_two_processes() {
    let app = TestApp::start().await;
    let other = Server::start(&app.database_url);
    app.sql("insert into policy.customer_limits (max_appointments) values (2)")
        .await;
    let bookings: Vec<_> = (0..40)
        .map(|i| booking_at(&format!("2099-03-{:02}", 1 + i / 2), 600, CUSTOMER.into()))
        .collect();

    let answers = join_all(bookings.iter().enumerate().map(|(i, booking)| {
        let server = if i % 2 == 0 { &app.server } else { &other };
        app.book_at(server, booking)
    }))
    .await;

    let approved: Vec<_> = answers
        .iter()
        .zip(&bookings)
        .filter(|(answered, _)| !answered.cancelled())
        .collect();
    assert_eq!(approved.len(), 2);
    assert!(
        !app.book(&booking_at("2099-03-01", 600, Value::Null))
            .await
            .cancelled(),
        "nobody has no limit"
    );
    let mut moved = approved[0].1.clone();
    moved["appointment"]["start"] = 700.into();
    assert!(
        !app.book(&moved).await.cancelled(),
        "a move does not count itself"
    );
    app.check().await;
}

#[tokio::test]
async fn what_a_rule_changed_is_what_is_held_and_counted() {
    let app = TestApp::start().await;
    app.sql(
        r#"
        insert into policy.rules (condition, set_channel, set_fields)
        values ('channel == "Phone"', 'Video', '{"11111111-1111-4111-8111-111111111111": {"a": [1, "ü"]}}');
        insert into policy.rules (condition, cancel, message) values ('channel == "Fax"', true, 'No fax.');
        insert into policy.capacity_caps (channel, max_appointments) values ('Video', 1);
        insert into policy.blackouts (from_date) values ('2099-12-24');
        insert into policy.booking_windows (max_days_ahead) values (36000)"#,
    )
    .await;
    let mut by_phone = booking_at("2099-03-01", 600, CUSTOMER.into());
    by_phone["channel"] = "Phone".into();

    let answered = app.book(&by_phone).await;

    assert_eq!(answered.json["channel"], "Video");
    let fields = &answered.json["fields"];
    assert_eq!(
        fields["11111111-1111-4111-8111-111111111111"],
        json!({"a": [1, "ü"]})
    );
    assert_eq!(
        fields["cd439a62-c78a-413f-bb42-cc4dd720375c"],
        by_phone["fields"]["cd439a62-c78a-413f-bb42-cc4dd720375c"]
    );
    assert_eq!(
        app.text("select channel from ledger.reservations").await,
        "Video"
    );
    let id = answered.decision_id.expect("an id");
    let (_, decision) = app.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(decision["outcome"], "modified");
    assert_eq!(
        decision["policies"][0]["changes"],
        json!(["fields", "channel"])
    );

    by_phone["caseId"] = booking()["caseId"].clone();
    assert!(
        app.book(&by_phone).await.cancelled(),
        "the cap on videos counts it"
    );
    by_phone["channel"] = "Fax".into();
    assert_eq!(
        app.book(&by_phone).await.json["cancellationReason"],
        "No fax."
    );
    assert!(
        app.book(&booking_at("2099-12-24", 600, Value::Null))
            .await
            .cancelled(),
        "closed"
    );
    app.check().await;
}

#[tokio::test]
async fn nonsense_is_refused_by_a_constraint_that_says_what_to_do() {
    let app = TestApp::start().await;
    for (row, constraint) in [
        (
            "customer_limits (name) values ('x')",
            "limit_has_max_appointments_gap_minutes_or_forbid_overlap",
        ),
        (
            "customer_limits (gap_minutes) values (0)",
            "gap_minutes_is_1_to_527040",
        ),
        (
            "customer_limits (max_appointments, period) values (1, 'year')",
            "period_is_day_week_month_or_upcoming",
        ),
        (
            "blackouts (name) values ('x')",
            "blackout_says_which_dates_weekdays_or_minutes",
        ),
        (
            "blackouts (from_date, to_date) values ('2027-01-02', '2027-01-01')",
            "from_date_is_not_after_to_date",
        ),
        (
            "blackouts (to_date, weekdays) values ('2027-01-02', '{1}')",
            "to_date_needs_from_date",
        ),
        (
            "blackouts (from_date) values ('infinity')",
            "from_date_and_to_date_are_in_years_1_to_9999",
        ),
        (
            "blackouts (from_minute, to_minute) values (780, 720)",
            "from_minute_is_before_to_minute",
        ),
        (
            "blackouts (weekdays) values ('{{6,7}}')",
            "weekdays_are_1_monday_to_7_sunday",
        ),
        (
            "booking_windows (name) values ('x')",
            "window_has_min_notice_minutes_or_max_days_ahead",
        ),
        ("rules (condition) values ('true')", "rule_has_an_effect"),
        (
            "rules (cancel, remove_customer) values (true, true)",
            "cancel_has_no_other_effect",
        ),
        (
            r#"rules (set_fields) values ('{"phone": 1}')"#,
            "set_fields_is_an_object_from_field_type_id_to_value",
        ),
        (
            "rules (set_fields) values ('[1]')",
            "set_fields_is_an_object_from_field_type_id_to_value",
        ),
        (
            r#"rules (set_fields, remove_fields) values ('{"4848BA2D-A80A-4F3C-B170-578D19899E2F": 1}', '{4848ba2d-a80a-4f3c-b170-578d19899e2f}')"#,
            "set_fields_or_remove_fields_for_the_same_field_not_both",
        ),
        (
            "rules (add_tags) values ('{null}')",
            "add_tags_is_1_to_100_tag_ids",
        ),
        (
            "rules (use_customer_contact_info, set_contact_email) values (true, 'a@b')",
            "use_customer_contact_info_or_contact_details_not_both",
        ),
        (
            r#"rules (set_channel, translations) values ('Video', '{"he": ["x"]}')"#,
            "translations_are_texts_by_language",
        ),
    ] {
        let statement = format!("insert into policy.{row}");
        let error = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.as_str()))
            .execute(&app.database)
            .await;
        let error = error.expect_err(&statement);
        let refused_by = error
            .as_database_error()
            .and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(refused_by.as_deref(), Some(constraint), "{statement}");
    }
}
