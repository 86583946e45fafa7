//! A batch's statements go by the index that they lean on, also while a database is young and its statistics make every index look tiny.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::TestApp;

/// As many rows as there are when plans begin to be kept, and no statistics of them yet.
const GROWN: &str = "
    alter table ledger.reservations set (autovacuum_enabled = off);
    alter table ledger.events set (autovacuum_enabled = off);
    insert into ledger.reservations
    select 'default', gen_random_uuid(), n, '', gen_random_uuid(), gen_random_uuid(), null, null, 0, date '2027-03-09', 600, 15, now(),
           null, 'agent', gen_random_uuid()
    from generate_series(1, 5000) n;
    insert into ledger.events (
        org, seq, recorded_at, type, payload_digest, chain, case_id, request_digest, outcome, unit_id, service_id, cu_index, appointment_date)
    select 'default', 100 + n, now(), 'booking.decided', '', '', gen_random_uuid(), '', 'approved', gen_random_uuid(), gen_random_uuid(), 0,
           date '2027-03-09'
    from generate_series(1, 5000) n";

#[tokio::test]
async fn a_cases_events_are_looked_up_by_the_case() {
    let app = TestApp::start().await;
    app.sql(GROWN).await;
    let mut connection = PgConnection::connect(&app.database_url).await.unwrap();
    let statement = include_str!("../../sql/queries/read_cases.sql");
    let prepare = format!(
        "set enable_seqscan = off; set plan_cache_mode = force_generic_plan; set enable_bitmapscan = off;
         prepare read_cases (text, uuid[], bytea[], timestamptz) as {statement}"
    );
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut connection)
        .await
        .unwrap();
    let lines: Vec<String> =
        sqlx::query_scalar("explain execute read_cases ('default', '{}', '{}', now())")
            .persistent(false)
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let plan = lines.join("\n");
    assert!(plan.contains("events_by_case"), "{plan}");
    assert!(plan.contains("reservations_pkey"), "{plan}");
}
