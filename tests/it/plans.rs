//! A batch's statements go by the index that they lean on, also while a database is young and its statistics make every index look tiny.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::TestApp;

/// Statistics that say that there is nothing: every index then looks as good as every other.
const ANALYZED_EMPTY: &str =
    "vacuum analyze ledger.reservations, ledger.events, policy.customer_blocklist";

/// Thousands of rows, and no statistics of them yet.
const GROWN: &str = "
    alter table ledger.reservations set (autovacuum_enabled = off);
    alter table ledger.events set (autovacuum_enabled = off);
    insert into ledger.reservations
    select 'default', gen_random_uuid(), n, gen_random_uuid(), gen_random_uuid(), null, null, 0, date '2027-03-09', 600, 15, now(),
           null, 'agent', gen_random_uuid()
    from generate_series(1, 5000) n;
    insert into ledger.events (
        org, seq, recorded_at, type, payload_digest, chain, case_id, request_digest, outcome, unit_id, service_id, cu_index, appointment_date)
    select 'default', 100 + n, now(), 'booking.decided', '', '', gen_random_uuid(), '', 'approved', gen_random_uuid(), gen_random_uuid(), 0,
           date '2027-03-09'
    from generate_series(1, 5000) n";

const FACTS: &str = include_str!("../../sql/queries/read_facts.sql");
const FACTS_TYPES: &str = "text, uuid[], bytea[], uuid[], uuid[], text[], uuid[], date[], date[], ledger.counted_bucket[]";

/// A connection whose `statement` has the plan that a writer keeps: made without knowing what will be looked up (`src/postgres/pool.rs`).
async fn prepared(app: &TestApp, types: &str, statement: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&app.database_url).await.unwrap();
    let prepare = format!(
        "set enable_seqscan = off; set plan_cache_mode = force_generic_plan; set enable_bitmapscan = off;
         prepare statement ({types}) as {statement}"
    );
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

/// The lines of what `explain` says of `execute statement (…)`.
async fn explained(connection: &mut PgConnection, explain: String) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(explain))
        .persistent(false)
        .fetch_all(connection)
        .await
        .unwrap()
}

async fn kept_plan(app: &TestApp, types: &str, statement: &str) -> String {
    let mut connection = prepared(app, types, statement).await;
    let nothing = vec!["null"; types.split(',').count()].join(", ");
    let explain = format!("explain execute statement ({nothing})");
    explained(&mut connection, explain).await.join("\n")
}

fn assert_goes_by(plan: &str, indexes: &[&str]) {
    let scans: Vec<&str> = (plan.lines())
        .filter_map(|line| line.split_once(" Scan"))
        .filter(|(before, _)| !before.ends_with("Function") && !before.ends_with("Subquery"))
        .filter_map(|(_, after)| after.split_once("using ")?.1.split(' ').next())
        .collect();
    assert_eq!(scans, indexes, "{plan}");
    assert!(!plan.contains("Seq Scan"), "{plan}");
}

#[tokio::test]
async fn facts_are_looked_up_by_their_keys() {
    for state in ["select", ANALYZED_EMPTY, GROWN] {
        let app = TestApp::start().await;
        app.sql(state).await;
        let indexes = [
            "heads_pkey",
            "reservations_pkey",
            "events_pkey",
            "events_by_case",
            "customer_blocklist_by_customer",
            "customer_blocklist_by_field",
            "reservations_by_customer",
            "reservations_by_calendar",
            "reservations_by_unit",
        ];
        assert_goes_by(&kept_plan(&app, FACTS_TYPES, FACTS).await, &indexes);
    }
}

#[tokio::test]
async fn places_are_freed_by_their_case() {
    for state in ["select", ANALYZED_EMPTY, GROWN] {
        let app = TestApp::start().await;
        app.sql(state).await;
        let types = "text, bigint, bytea, bigint, bytea, timestamptz, ledger.new_event[], uuid[], ledger.new_place[], ledger.new_hits[]";
        let statement = include_str!("../../sql/queries/append_events.sql");
        let plan = kept_plan(&app, types, statement).await;
        assert_goes_by(&plan, &["heads_pkey", "reservations_pkey"]);
        assert!(plan.contains("Tid Scan on reservations"), "{plan}");
    }
}

#[tokio::test]
async fn a_calendars_day_is_counted_by_its_own_places() {
    let app = TestApp::start().await;
    let service = "5e410000-0000-4000-8000-000000000001";
    app.sql(&format!(
        "insert into ledger.reservations
         select 'default', gen_random_uuid(), n, gen_random_uuid(), '{service}', null, null, n % 10, date '2027-03-01' + n / 1000, 600, 15, now(),
                null, 'agent', gen_random_uuid()
         from generate_series(1, 9999) n;
         analyze ledger.reservations"
    ))
    .await;
    let mut connection = prepared(&app, FACTS_TYPES, FACTS).await;
    // Calendar, days, and what is read: each day has 100 places in each of ten calendars.
    for (calendar, days, counted, removed) in [
        ("3", 1, 100, None),
        ("null", 1, 1000, None),
        ("3", 2, 200, Some(900)),
    ] {
        let explain = format!(
            "explain (analyze, costs off, timing off)
             execute statement ('default', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}',
                 array[row('{service}', null, null, null, {calendar}, null, null, '2027-03-05', date '2027-03-05' + {days}, null, null, null)
                       ::ledger.counted_bucket])"
        );
        let plan = explained(&mut connection, explain).await;
        let all = plan.join("\n");
        let scan = plan
            .iter()
            .position(|line| line.contains("reservations_by_calendar"))
            .expect("a scan");
        assert!(
            plan[scan].contains(&format!("rows={counted} ")),
            "{calendar}, {days} days: {all}"
        );
        // Its condition and its filter, and then what the filter has removed.
        let others = (plan[scan..].iter().take(4))
            .find_map(|line| line.trim().strip_prefix("Rows Removed by Filter: "));
        let removed = removed.map(|rows: i32| rows.to_string());
        assert_eq!(others, removed.as_deref(), "{calendar}, {days} days: {all}");
    }
}

#[tokio::test]
async fn what_other_processes_changed_is_looked_up_by_number() {
    for state in ["select", ANALYZED_EMPTY, GROWN] {
        let app = TestApp::start().await;
        app.sql(state).await;
        let statement = include_str!("../../sql/queries/read_later_decisions.sql");
        let plan = kept_plan(&app, "text, bigint, bytea, bigint", statement).await;
        assert_goes_by(&plan, &["events_pkey", "events_pkey", "events_pkey"]);
    }
}

/// Half of all events have no channel, and none of the decisions.
const REQUESTED_AND_DECIDED: &str = "
    insert into ledger.events (org, seq, recorded_at, type, payload_digest, chain, case_id, outcome, booked_by, channel, unit_id, service_id, cu_index)
    select 'default', 100 + n, now(), case when n % 2 = 0 then 'booking.decided' else 'booking.requested' end, '', '', gen_random_uuid(),
           case when n % 2 = 0 then 'approved' end, case when n % 2 = 0 then 'agent' end, case when n % 2 = 0 then 'Phone' end,
           case when n % 2 = 0 then gen_random_uuid() end, case when n % 2 = 0 then gen_random_uuid() end, case when n % 2 = 0 then 0 end
    from generate_series(1, 10000) n;
    analyze ledger.events";

#[tokio::test]
async fn channels_are_found_by_their_index_whatever_has_none() {
    let app = TestApp::start().await;
    app.sql(REQUESTED_AND_DECIDED).await;
    let statement = include_str!("../../sql/queries/list_channels.sql").replace("$1", "'default'");
    let mut connection = PgConnection::connect(&app.database_url).await.unwrap();
    let plan: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(format!("explain analyze {statement}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let plan = plan.join("\n");
    assert_goes_by(&plan, &["decisions_by_trait"; 3]);
    assert!(!plan.contains("Rows Removed"), "{plan}");
}

/// A case that is asked about again and again has an event for each time. None of them is read for the answer that stands.
#[tokio::test]
async fn an_answer_that_stands_is_found_whatever_came_after_it() {
    let case = "ca5e0000-0000-4000-8000-000000000001";
    for (outcome, is_held) in [("approved", true), ("cancelled", false)] {
        let app = TestApp::start().await;
        app.sql(&format!(
            "insert into ledger.events (org, seq, recorded_at, type, payload_digest, chain, case_id, request_digest, outcome)
             select 'default', 100, now(), 'booking.decided', '', '', '{case}', sha256('asked'), '{outcome}';
             insert into ledger.events (org, seq, recorded_at, type, payload_digest, chain, case_id)
             select 'default', 100 + n, now(), 'booking.repeated', '', '', '{case}' from generate_series(1, 5000) n;
             insert into ledger.reservations
             select 'default', '{case}', 100, gen_random_uuid(), gen_random_uuid(), null, null, 0, date '2027-03-09', 600, 15, now(), null,
                    'agent', null
             where {is_held}"
        ))
        .await;
        let mut connection = prepared(&app, FACTS_TYPES, FACTS).await;
        let asked = |digest: &str| {
            let explain = format!(
                "explain (analyze, costs off, timing off)
                 execute statement ('default', '{{{case}}}', array[{digest}], '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}')"
            );
            explain
        };
        let scan = |plan: &[String]| {
            let scan = plan.iter().find(|line| line.contains("events_by_case"));
            scan.expect("a scan").clone()
        };
        let plan = explained(&mut connection, asked("sha256('asked')")).await;
        if is_held {
            assert!(
                scan(&plan).contains("never executed"),
                "{}",
                plan.join("\n")
            );
        } else {
            // From the newest on, until it is found; it stands for a while only.
            assert!(scan(&plan).contains("Backward"), "{}", plan.join("\n"));
        }
        // A call after the booking asks for the place alone.
        let plan = explained(&mut connection, asked("null::bytea")).await;
        assert!(
            scan(&plan).contains("never executed"),
            "{}",
            plan.join("\n")
        );
    }
}
