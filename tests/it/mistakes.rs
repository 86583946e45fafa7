//! Mistakes in psql, each answered by a message that says what to do.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{TestApp, booking};

/// What was typed, and the words of the answer (message and hint) that matter. Constraints' names are messages.
const MISTAKES: [(&str, &str); 41] = [
    // Numbers and times.
    (
        "insert into policy.capacity_caps (max_appointments, from_minute, to_minute) values (3, 780, 720)",
        "from_minute_is_before_to_minute",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, to_minute) values (3, 1500)",
        "to_minute_is_a_minute_of_the_day",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, weekdays) values (3, '{8}')",
        "weekdays_are_1_monday_to_7_sunday",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, weekdays) values (3, '{}')",
        "weekdays_are_1_monday_to_7_sunday",
    ),
    (
        "insert into policy.capacity_caps (max_appointments) values (-1)",
        "max_appointments_is_not_negative",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, cu_index) values (3, -1)",
        "cu_index_is_not_negative",
    ),
    (
        "insert into policy.capacity_caps (name) values ('no maximum')",
        "cap_has_max_appointments_or_max_minutes",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, period) values (3, 'year')",
        "period_is_slot_day_week_or_month",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, counted_per) values (3, 'room')",
        "counted_per_is_calendar_service_or_unit",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, active_from, active_until) values (3, '2027-05-01', '2027-04-01')",
        "active_from_is_before_active_until",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, active_until) values (3, 'infinity')",
        "active_from_and_active_until_are_in_years_1_to_9999",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, booked_by) values (3, 'kiosk')",
        "booked_by_is_self_service_or_agent",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, mode) values (3, 'on')",
        "mode_is_enforce_shadow_or_off",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, mode) values (3, null)",
        "null value in column \"mode\"",
    ),
    (
        "insert into policy.capacity_caps (max_appointment) values (3)",
        "column \"max_appointment\" of relation \"capacity_caps\" does not exist",
    ),
    (
        "insert into policy.capacity_caps (max_appointments, service_id) values (3, 'haircut')",
        "invalid input syntax for type uuid: \"haircut\"",
    ),
    (
        "insert into policy.booking_windows (booked_by) values ('agent')",
        "window_has_min_notice_minutes_or_max_days_ahead",
    ),
    (
        "insert into policy.booking_windows (min_notice_minutes) values (-5)",
        "min_notice_minutes_is_0_to_527040",
    ),
    (
        "insert into policy.blackouts (from_date, to_date) values ('2027-12-26', '2027-12-25')",
        "from_date_is_not_after_to_date",
    ),
    (
        "insert into policy.blackouts (weekdays, to_date) values ('{1}', '2027-12-26')",
        "to_date_needs_from_date",
    ),
    (
        "insert into policy.blackouts (name) values ('closed, but when?')",
        "blackout_says_which_dates_weekdays_or_minutes",
    ),
    (
        "insert into policy.blackouts (from_date) values ('2027-02-30')",
        "date/time field value out of range: \"2027-02-30\"",
    ),
    // Customers.
    (
        "insert into policy.customer_limits (period) values ('week')",
        "limit_has_max_appointments_gap_minutes_or_forbid_overlap",
    ),
    (
        "insert into policy.customer_blocklist (field_type_id, field_value) values (gen_random_uuid(), ' ')",
        "field_value_is_1_to_500_characters",
    ),
    (
        "insert into policy.customer_blocklist (customer_record_id, field_type_id, field_value) values (gen_random_uuid(), gen_random_uuid(), 'x')",
        "names_customer_record_id_or_else_field_type_id_and_field_value",
    ),
    (
        "insert into policy.customer_blocklist (field_value) values ('dana@example.com')",
        "names_customer_record_id_or_else_field_type_id_and_field_value",
    ),
    // Messages.
    (
        "insert into policy.blackouts (weekdays, translations) values ('{7}', '[\"he\"]')",
        "translations_are_texts_by_language",
    ),
    (
        "insert into policy.blackouts (weekdays, translations) values ('{7}', '{\"he\": 1}')",
        "translations_are_texts_by_language",
    ),
    (
        "insert into policy.blackouts (weekdays, translations) values ('{7}', 'he: x')",
        "invalid input syntax for type json",
    ),
    // Rules.
    (
        "insert into policy.rules (condition) values ('selfService')",
        "rule_has_an_effect",
    ),
    (
        "insert into policy.rules (cancel, set_channel) values (true, 'Video')",
        "cancel_has_no_other_effect",
    ),
    (
        "insert into policy.rules (set_fields) values ('{\"phone\": \"1\"}')",
        "set_fields_is_an_object_from_field_type_id_to_value",
    ),
    (
        "insert into policy.rules (add_tags, remove_tags) values ('{d3b07384-d113-4ec5-a58a-6b1f2c3d4e5f}', '{d3b07384-d113-4ec5-a58a-6b1f2c3d4e5f}')",
        "add_tags_or_remove_tags_for_the_same_tag_not_both",
    ),
    (
        "insert into policy.rules (use_customer_contact_info, set_contact_email) values (true, 'a@b.example')",
        "use_customer_contact_info_or_contact_details_not_both",
    ),
    (
        "insert into policy.rules (remove_customer, set_customer_record_id) values (true, gen_random_uuid())",
        "set_customer_record_id_or_remove_customer_not_both",
    ),
    // Organizations and ids.
    (
        "insert into policy.rules (org, cancel) values ('defualt', true)",
        "organization \"defualt\" does not exist; Write it as in policy.organizations, or let an operator make it: bookwarden org add defualt",
    ),
    (
        "update policy.blackouts set id = 77",
        "the id and the org of a policy cannot be changed (policy.blackouts); Delete the row and insert another.",
    ),
    (
        "update policy.blackouts set org = 'other'",
        "the id and the org of a policy cannot be changed (policy.blackouts); Delete the row and insert another.",
    ),
    (
        "delete from policy.organizations",
        "an organization cannot be removed: its ledger stays; To stop its policies: update policy.organizations set mode = 'shadow'",
    ),
    (
        "truncate policy.organizations",
        "an organization cannot be removed: its ledger stays; To stop its policies: update policy.organizations set mode = 'shadow'",
    ),
    (
        "update policy.organizations set org = 'other'",
        "the id and the org of a policy cannot be changed (policy.organizations); An organization keeps its name",
    ),
];

#[tokio::test]
async fn mistakes_are_answered_with_what_to_do() {
    let app = TestApp::start().await;
    app.sql("insert into policy.blackouts (name, from_date) values ('kept', '2027-01-01')")
        .await;
    let events = app.number("select count(*) from ledger.events").await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("set role bookwarden_policy_admin")
        .execute(&mut psql)
        .await
        .expect("the role");
    for (statement, words) in MISTAKES {
        let error = sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut psql)
            .await
            .expect_err(statement);
        let error = error
            .as_database_error()
            .expect("the database's own words")
            .downcast_ref::<sqlx::postgres::PgDatabaseError>();
        let answer = match error.hint() {
            Some(hint) => format!("{}; {hint}", error.message()),
            None => error.message().to_owned(),
        };
        assert!(answer.contains(words), "{statement}: {answer}");
    }
    assert_eq!(
        app.number("select count(*) from ledger.events").await,
        events,
        "what was refused is no change"
    );
    assert!(!app.book(&booking()).await.cancelled());
    app.check().await;
}
