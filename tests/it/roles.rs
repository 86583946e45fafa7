//! What each role may not do.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{TestApp, booking};

const ADMIN: &str = "bookwarden_policy_admin";
const APP: &str = "bookwarden_app";

/// What the database says to a statement of a role: the SQLSTATE, or none if it runs. Nothing of it stays.
async fn refusal(app: &TestApp, role: &str, statement: &str) -> Option<String> {
    let mut connection = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let statements = format!(
        "begin; set local role {role}; {statement}; set constraints all immediate; rollback"
    );
    let result = sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await;
    let error = result.err()?;
    let code = error.as_database_error().and_then(|error| error.code());
    Some(code.map_or_else(|| error.to_string(), |code| code.into_owned()))
}

async fn assert_refused(app: &TestApp, role: &str, statements: &[&str]) {
    for statement in statements {
        let code = refusal(app, role, statement).await;
        assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}");
    }
}

/// What nobody but the owner may do, with the capture and the ledger.
const FOR_NO_ROLE: [&str; 29] = [
    "update ledger.events set payload = ''",
    "delete from ledger.events",
    "truncate ledger.events",
    "update ledger.decision_counts set keys = '{}'",
    "delete from ledger.decision_counts",
    "truncate ledger.decision_counts",
    "insert into ledger.attachments (attachment_id, org, payload_digest) values (gen_random_uuid(), 'default', '')",
    "insert into ledger.heads (org) values ('x')",
    "delete from ledger.heads",
    "insert into policy.staged_transactions default values",
    "insert into policy.staged_changes (org, kind, operation, policy_id_from, policy_id_to, rows) values ('default', 'rules', 'created', 1, 1, 1)",
    "delete from policy.staged_changes",
    "select policy.gather_changes(pg_current_xact_id())",
    "create temp table capacity_caps (id bigint, org text) on commit drop; create trigger t after insert on capacity_caps referencing new table as new_rows for each statement execute function policy.stage_changes()",
    "create temp table t (transaction_id xid8) on commit drop; create trigger t after insert on t for each row execute function policy.append_changes()",
    "create temp table t (org text) on commit drop; create trigger t before insert on t for each row execute function policy.open_ledger()",
    "alter table policy.capacity_caps disable trigger all",
    "alter table policy.rules disable trigger stage_insert",
    "set local session_replication_role = replica",
    "drop trigger stage_insert on policy.rules",
    "create table policy.mine (id bigint)",
    "create table ledger.mine (id bigint)",
    "create table public.mine (id bigint)",
    "create function policy.mine() returns text language sql return 'x'",
    "create or replace function policy.match_key(value text) returns text language sql return 'x'",
    "create schema mine",
    "drop table policy.rules",
    "alter table policy.rules drop constraint rule_has_an_effect",
    "create role bookwarden_mine",
];

#[tokio::test]
async fn no_role_gets_around_the_ledger_or_its_capture() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    for role in [ADMIN, APP] {
        assert_refused(&app, role, &FOR_NO_ROLE).await;
    }
    app.check().await;
}

#[tokio::test]
async fn a_policy_admin_may_change_policies_and_nothing_else() {
    let app = TestApp::start().await;
    assert_refused(
        &app,
        ADMIN,
        &[
            "select * from access.webhook_secrets",
            "insert into access.unsigned_webhooks (org) values ('default')",
            "select * from access.audit_tokens",
            "select * from ledger.events",
            "insert into ledger.events (org, seq, recorded_at, type, payload_digest, chain) values ('default', 999, now(), 'x', '', '')",
            "select * from ledger.heads",
            "update ledger.heads set policy_version = 99",
            "select * from ledger.lock_head('default')",
            "select * from ledger.reservations",
            "select * from ledger.decision_counts",
            "delete from ledger.reservations",
            "insert into policy.organizations (org) values ('mine')",
            "select setval(pg_get_serial_sequence('policy.rules', 'id'), 1)",
            "truncate policy.rules restart identity",
            "update policy.expression_problems set problem = ''",
            "delete from policy.failures",
        ],
    )
    .await;
    for statement in [
        "insert into policy.capacity_caps (max_appointments) values (1)",
        "insert into policy.rules (id, cancel) values (100, true)",
        "insert into policy.customer_limits (forbid_overlap) values (true)",
        "insert into policy.booking_windows (max_days_ahead) values (1)",
        "insert into policy.blackouts (weekdays, translations) values ('{7}', '{\"he\": \"x\"}')",
        "insert into policy.rules (set_fields) values ('{\"4848ba2d-a80a-4f3c-b170-578d19899e2f\": 1}')",
        "insert into policy.customer_blocklist (customer_record_id) select gen_random_uuid() from generate_series(1, 1500)",
        "insert into policy.customer_blocklist (field_type_id, field_value) values (gen_random_uuid(), 'x')",
        "update policy.rules set note = 'x'",
        "delete from policy.rules",
        "truncate policy.rules, policy.capacity_caps",
        "update policy.organizations set mode = 'shadow', note = 'x', retry_window_seconds = 5",
        "select * from policy.problems",
    ] {
        assert_eq!(refusal(&app, ADMIN, statement).await, None, "{statement}");
    }
    app.check().await;
}

#[tokio::test]
async fn the_service_may_change_no_policy_and_no_secret() {
    let app = TestApp::start().await;
    assert_refused(
        &app,
        APP,
        &[
            "insert into policy.capacity_caps (max_appointments) values (1)",
            "update policy.rules set mode = 'off'",
            "delete from policy.customer_blocklist",
            "truncate policy.blackouts",
            "update policy.organizations set mode = 'shadow'",
            "insert into policy.organizations (org) values ('mine')",
            "insert into access.webhook_secrets (org, secret) values ('default', 'x')",
            "update access.webhook_secrets set secret = 'x'",
            "insert into access.unsigned_webhooks (org) values ('default')",
            "insert into access.audit_tokens (org, name, role, token_digest) values ('default', 'x', 'auditor', '')",
            "truncate ledger.reservations",
            "insert into public.bookwarden_schema (digest, program_version) values ('', '')",
        ],
    )
    .await;
    app.check().await;
}

#[tokio::test]
async fn a_person_who_is_a_policy_admin_is_named_on_the_ledger() {
    let app = TestApp::start().await;
    // Roles belong to the whole cluster, which the tests share: one of this test's own.
    let login = format!("dana_{}", std::process::id());
    app.sql(&format!(
        "create role {login} login password 'secret' in role bookwarden_policy_admin"
    ))
    .await;
    let mut options: sqlx::postgres::PgConnectOptions =
        app.database_url.parse().expect("a database URL");
    options = options.username(&login).password("secret");
    let mut psql = PgConnection::connect_with(&options)
        .await
        .expect("the admin may log in");
    sqlx::raw_sql("begin; set local bookwarden.reason = 'two is enough'; insert into policy.capacity_caps (max_appointments) values (0); commit; set role bookwarden_policy_admin; delete from policy.capacity_caps")
        .execute(&mut psql)
        .await
        .expect("an admin's changes");
    let changed_by = |kind: &str, key: &str| {
        format!(
            "select coalesce(payload::json -> 'changedBy' ->> '{key}', '') from ledger.events where type = 'policy.{kind}' order by seq desc limit 1"
        )
    };
    assert_eq!(app.text(&changed_by("created", "user")).await, login);
    assert_eq!(app.text(&changed_by("created", "role")).await, "");
    assert_eq!(
        app.text(&changed_by("created", "reason")).await,
        "two is enough"
    );
    assert_eq!(app.text(&changed_by("deleted", "user")).await, login);
    assert_eq!(app.text(&changed_by("deleted", "role")).await, ADMIN);
    assert_eq!(app.text(&changed_by("deleted", "reason")).await, "");
    psql.close().await.expect("closed");
    app.sql(&format!("drop role {login}")).await;
    app.check().await;
}

#[tokio::test]
async fn functions_with_their_owners_rights_have_a_safe_search_path() {
    let app = TestApp::start().await;
    let unsafe_functions = "
        select count(*)
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
          and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)";
    assert_eq!(app.number(unsafe_functions).await, 0);
    let for_everybody = "
        select coalesce(string_agg(p.oid::regprocedure::text, ', '), '')
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where p.prosecdef and n.nspname in ('policy', 'ledger', 'access') and has_function_privilege('public', p.oid, 'execute')";
    assert_eq!(app.text(for_everybody).await, "");
}
