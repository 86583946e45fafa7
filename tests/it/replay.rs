//! `bookwarden replay`, `verify` and `export` on ledgers that real servers wrote, also after somebody with all rights was at them.

use std::path::PathBuf;
use std::process::{Command, Output};

use bookwarden::cubu::signature;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{self, BOOKWARDEN, SECRET, Server, TestApp, booking, bookwarden_prints};

/// The exit code and the line of JSON.
fn bookwarden(app: &TestApp, arguments: &[&str]) -> (bool, Value) {
    let output: Output = Command::new(BOOKWARDEN)
        .args(arguments)
        .arg("--json")
        .env("DATABASE_URL", &app.database_url)
        .output()
        .expect("bookwarden starts");
    let line = String::from_utf8(output.stdout).expect("text");
    let json = serde_json::from_str(&line).unwrap_or_else(|error| {
        panic!(
            "{line:?}: {error}: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    (output.status.success(), json)
}

/// Bookings of two organizations through two servers, with policies of several kinds that come, change and go; moves, repeats, a bulk.
pub async fn eventful() -> TestApp {
    let app = TestApp::start().await;
    app.sql("insert into policy.organizations (org) values ('second'); insert into access.webhook_secrets (org, secret) values ('second', 'dev-secret')")
        .await;
    let other = Server::start(&app.database_url);
    app.sql("insert into policy.capacity_caps (max_appointments) values (3); insert into policy.capacity_caps (mode, max_minutes, period, counted_per) values ('shadow', 60, 'week', 'unit')")
        .await;
    app.sql("insert into policy.customer_blocklist (field_type_id, field_value) select gen_random_uuid(), 'value ' || n from generate_series(1, 150) n")
        .await;
    let blocked = "insert into policy.customer_blocklist (field_type_id, field_value) values ('4848ba2d-a80a-4f3c-b170-578d19899e2f', ' +972501234567 ')";
    app.sql("insert into policy.rules (condition, add_tags, set_channel) values ('minuteOfDay >= 600 && bookedBy == \"self-service\"', '{11111111-1111-4111-8111-111111111111}', 'Video');
             insert into policy.rules (mode, condition, cancel, message) values ('shadow', 'nonsense ==', true, 'Never');
             insert into policy.blackouts (mode, from_date, message) values ('shadow', '2027-03-09', 'Holiday');
             insert into policy.booking_windows (max_days_ahead, applies_when) values (3650, 'channel == \"Video\"');
             insert into policy.customer_limits (mode, max_appointments, gap_minutes) values ('shadow', 2, 30)")
        .await;
    for round in 0..12 {
        let mut asked = booking();
        asked["appointment"]["cuIndex"] = (round % 3).into();
        let server = if round % 2 == 0 { &app.server } else { &other };
        app.book_at(server, &asked).await;
        app.book_at(&other, &asked).await;
        asked["appointment"]["cuIndex"] = (round % 4).into();
        app.book_at(server, &asked).await;
        let body = asked.to_string();
        let authorization = Some(signature::sign(SECRET, body.as_bytes()));
        app.post(
            server,
            "/second/service/actions/beforeBookAppointment",
            body,
            authorization,
        )
        .await
        .expect("an answer");
        if round % 5 == 0 {
            let closed = format!(r#"{{"caseId": {}}}"#, asked["caseId"]);
            for (action, body) in [
                ("afterBookAppointment", asked.to_string()),
                ("afterClose", closed),
            ] {
                let authorization = Some(signature::sign(SECRET, body.as_bytes()));
                let path = format!("/service/actions/{action}");
                app.post(server, &path, body, authorization)
                    .await
                    .expect("an answer");
            }
        }
        match round {
            3 => app.sql(blocked).await,
            5 => app.sql("begin; set local bookwarden.reason = 'all may'; delete from policy.customer_blocklist; update policy.capacity_caps set max_appointments = 4 where max_appointments = 3; commit").await,
            8 => app.sql("update policy.organizations set mode = 'shadow', retry_window_seconds = 0").await,
            10 => app.sql("update policy.organizations set mode = 'enforce'; truncate policy.capacity_caps").await,
            _ => {}
        }
    }
    app.post(
        &app.server,
        "/service/actions/beforeBookAppointment",
        "{",
        Some(signature::sign(SECRET, b"{")),
    )
    .await
    .expect("an answer");
    let created = ["token", "create", "--name", "auditor"];
    bookwarden_prints(&app.database_url, &created, "");
    let token = app
        .text("select max(id)::text from access.audit_tokens")
        .await;
    bookwarden_prints(&app.database_url, &["token", "revoke", &token], "");
    let added = ["secret", "add", "--note", "from March on"];
    bookwarden_prints(&app.database_url, &added, "");
    let secret = app
        .text("select max(id)::text from access.webhook_secrets")
        .await;
    for arguments in [
        ["secret", "expire", &secret],
        ["org", "accept-unsigned", "second"],
        ["org", "require-signature", "second"],
    ] {
        bookwarden_prints(&app.database_url, &arguments, "");
    }
    bookwarden_prints(&app.database_url, &["export", "--decisions", "-"], "");
    app
}

async fn exported(app: &TestApp) -> i64 {
    let sql = "select count(*) from ledger.events where type = 'audit.exported'";
    app.number(sql).await
}

#[tokio::test]
async fn a_ledger_replays_from_the_database_and_from_a_file() {
    let app = eventful().await;
    let (holds, summary) = bookwarden(&app, &["replay"]);
    assert!(holds, "{summary:#}");
    assert_eq!(summary["mismatches"], 0);
    assert_eq!(
        summary["events"],
        app.number("select count(*) from ledger.events").await
    );
    assert!(summary["decisions"].as_u64() > Some(30) && summary["repeats"].as_u64() > Some(5));

    let exported_before = exported(&app).await;
    let file = scratch_file("export");
    let written = Command::new(BOOKWARDEN)
        .args(["export", "--events"])
        .arg(&file)
        .env("DATABASE_URL", &app.database_url)
        .output()
        .expect("bookwarden starts");
    assert!(
        written.status.success(),
        "{}",
        String::from_utf8_lossy(&written.stderr)
    );
    let path = file.to_str().expect("a path of text");
    let (holds, from_file) = bookwarden(&app, &["replay", "--file", path]);
    assert!(holds, "{from_file:#}");
    let (_, summary) = bookwarden(&app, &["replay"]);
    assert_eq!(from_file, summary);
    // Of each ledger, that it was taken along.
    assert_eq!(exported(&app).await, exported_before + 2);
    std::fs::remove_file(&file).expect("the file goes");

    let snapshot = scratch_file("snapshot");
    let path = snapshot.to_str().expect("a path of text");
    let (holds, _) = bookwarden(
        &app,
        &[
            "replay",
            "--org",
            "default",
            "--to",
            "4",
            "--save-snapshot",
            path,
        ],
    );
    assert!(holds);
    assert!(bookwarden(&app, &["replay", "--check-snapshot", path]).0);
    let (holds, rest) = bookwarden(
        &app,
        &["replay", "--org", "default", "--from-snapshot", path],
    );
    assert!(holds, "{rest:#}");
    assert_eq!(rest["orgs"][0]["after"], 4);
    std::fs::remove_file(&snapshot).expect("the file goes");

    let (holds, verified) = bookwarden(&app, &["verify"]);
    assert!(holds, "{verified:#}");
}

/// Ledgers in tests/golden must replay from now on: make a new file when a kind of event or a payload version is added, and keep the old.
#[tokio::test]
#[ignore = "makes a file: cargo test --test it golden -- --ignored"]
async fn make_a_golden_ledger() {
    let app = eventful().await;
    let made = Command::new(BOOKWARDEN)
        .args(["export", "--events"])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/new.ndjson"
        ))
        .env("DATABASE_URL", &app.database_url)
        .status()
        .expect("bookwarden starts");
    assert!(made.success());
}

fn scratch_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

/// Runs statements as a superuser with triggers disabled.
pub async fn behind_the_triggers_back(app: &TestApp, statements: &str) {
    let mut connection = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(format!(
        "set session_replication_role = replica; {statements}"
    )))
    .execute(&mut connection)
    .await
    .unwrap_or_else(|error| panic!("{statements}: {error}"));
}

#[tokio::test]
async fn whatever_is_done_to_stored_events_is_found_and_named() {
    let app = eventful().await;
    let last = app
        .number("select last_seq from ledger.heads where org = 'default'")
        .await;
    let decided = app.number("select min(seq) from ledger.events where org = 'default' and type = 'booking.decided' and outcome = 'cancelled'").await;
    behind_the_triggers_back(&app, "create table ledger.kept as select * from ledger.events; alter table ledger.kept drop column reason_hash; create table ledger.kept_heads as select * from ledger.heads; create table ledger.kept_attachments as select * from ledger.attachments").await;
    let here = format!("org = 'default' and seq = {decided}");
    for (statements, seq) in [
        (format!("update ledger.events set payload = replace(payload, 'true', 'True') where {here}"), decided),
        (format!("update ledger.events set salt = sha256(salt) where {here}"), decided),
        (format!("update ledger.events set recorded_at = recorded_at + interval '1 microsecond' where {here}"), decided),
        (format!("update ledger.events set outcome = 'approved' where {here}"), decided),
        (format!("update ledger.events set customer_record_id = gen_random_uuid() where {here}"), decided),
        (format!("update ledger.events set body = body || ' ' where org = 'default' and seq = {}", decided - 1), decided - 1),
        (format!("delete from ledger.events where {here}"), decided - 1),
        (format!("delete from ledger.events where org = 'default' and seq = {last}"), last - 1),
        (format!("update ledger.events set seq = {last} + 1 where {here}; update ledger.events set seq = {decided} where org = 'default' and seq = {last}"), decided - 1),
        (format!("delete from ledger.events where {here}; update ledger.events set seq = -seq where org = 'default' and seq > {decided}; update ledger.events set seq = -seq - 1 where org = 'default' and seq < 0"), decided - 1),
        ("update ledger.heads set last_seq = last_seq + 1 where org = 'default'".to_owned(), last),
        ("delete from ledger.heads where org = 'default'".to_owned(), last),
        // As good a forgery as there can be: digests, chain and head made anew. Only deriving the decision again tells.
        (format!(
            "update ledger.events set payload = replace(payload, '\"cancelled\":true', '\"cancelled\":false') where {here};
             do $$ declare e ledger.events; previous bytea := decode(repeat('00', 32), 'hex'); begin
                 for e in select * from ledger.events where org = 'default' order by seq loop
                     e.payload_digest := ledger.payload_digest(e.salt, e.payload, e.body);
                     previous := ledger.chain(previous, e.payload_digest, e.org, e.seq, e.type, e.recorded_at, e.caused_by);
                     update ledger.events set payload_digest = e.payload_digest, chain = previous where org = e.org and seq = e.seq;
                 end loop;
                 update ledger.heads set last_chain = previous where org = 'default';
             end $$"
        ), decided),
    ] {
        behind_the_triggers_back(&app, &format!("alter table ledger.events drop constraint if exists seq_is_positive; {statements}")).await;
        let (holds, summary) = bookwarden(&app, &["replay", "--org", "default"]);
        assert!(!holds, "{statements}");
        assert_eq!(summary["first"]["seq"], seq, "{statements}: {summary:#}");
        behind_the_triggers_back(&app, "delete from ledger.events; insert into ledger.events select * from ledger.kept; delete from ledger.heads; insert into ledger.heads select * from ledger.kept_heads").await;
    }
    let bulk = app.number("select min(seq) from ledger.events where org = 'default' and attachment_id is not null").await;
    for statements in [
        "update ledger.attachments set payload = replace(payload, 'value', 'Value')",
        "delete from ledger.attachments",
        "update ledger.attachments set payload_digest = sha256(payload_digest)",
        "update ledger.attachments set org = 'second'",
    ] {
        behind_the_triggers_back(&app, statements).await;
        let (holds, summary) = bookwarden(&app, &["replay"]);
        assert!(!holds, "{statements}");
        assert_eq!(summary["first"]["seq"], bulk, "{statements}: {summary:#}");
        behind_the_triggers_back(&app, "delete from ledger.attachments; insert into ledger.attachments select * from ledger.kept_attachments").await;
    }
    assert!(bookwarden(&app, &["replay"]).0, "all was put back");
}

#[tokio::test]
async fn rows_that_were_edited_behind_the_ledgers_back_are_named() {
    let app = eventful().await;
    app.sql("insert into policy.capacity_caps (name, max_appointments) values ('one', 100), ('two', 200)").await;
    assert!(bookwarden(&app, &["verify"]).0);
    let one = app
        .text("select id::text from policy.capacity_caps where name = 'one'")
        .await;
    let case = app
        .text("select min(case_id::text) from ledger.reservations where org = 'default'")
        .await;
    for (statement, table, key) in [
        (
            "update policy.capacity_caps set max_appointments = 101 where name = 'one'",
            "policy.capacity_caps",
            &one,
        ),
        (
            "delete from policy.capacity_caps where name = 'one'",
            "policy.capacity_caps",
            &one,
        ),
        (
            "insert into policy.capacity_caps (id, max_appointments) values (-7, 1)",
            "policy.capacity_caps",
            &"-7".to_owned(),
        ),
        (
            "update policy.organizations set mode = 'shadow' where org = 'second'",
            "policy.organizations",
            &app.text("select id::text from policy.organizations where org = 'second'")
                .await,
        ),
        (
            "update ledger.reservations set duration = duration + 1 where case_id::text = $CASE",
            "ledger.reservations",
            &case,
        ),
        (
            "delete from ledger.reservations where case_id::text = $CASE",
            "ledger.reservations",
            &case,
        ),
        (
            "update ledger.reservations set org = 'nobody' where org = 'default' and case_id::text = $CASE",
            "ledger.reservations",
            &case,
        ),
    ] {
        let statement = statement.replace("$CASE", &format!("'{case}'"));
        behind_the_triggers_back(&app, &format!("create table if not exists public.kept as select * from ledger.reservations; create table if not exists public.kept_caps as select * from policy.capacity_caps; {statement}")).await;
        let (holds, verified) = bookwarden(&app, &["verify"]);
        assert!(!holds, "{statement}");
        assert_eq!(verified["ledger"]["mismatches"], 0);
        let told = verified["differences"]["told"].as_array().expect("a list");
        assert!(
            told.iter()
                .all(|difference| difference["table"] == table && difference["key"] == **key),
            "{statement}: {told:?}"
        );
        behind_the_triggers_back(&app, "delete from ledger.reservations; insert into ledger.reservations select * from public.kept; delete from policy.capacity_caps; insert into policy.capacity_caps select * from public.kept_caps; update policy.organizations set mode = 'enforce'").await;
    }
    assert!(bookwarden(&app, &["verify"]).0, "all was put back");

    // A batch that ends later hides its decisions from a search up to a time.
    let last_of_its_policy = "org = 'default' and not exists (
        select from ledger.policy_hits later
        where (later.org, later.policy_kind, later.policy_id, later.verdict, later.mode)
            = (h.org, h.policy_kind, h.policy_id, h.verdict, h.mode) and later.batch_seq > h.batch_seq)";
    for later_end in [
        "(select last_seq + 1 from ledger.heads where org = 'default')",
        "(select min(batch_seq) + 1 from ledger.policy_hits later where org = 'default' and later.batch_seq > h.batch_seq)",
    ] {
        let row = format!(
            "select ctid from ledger.policy_hits h where {last_of_its_policy} and {later_end} is not null limit 1"
        );
        behind_the_triggers_back(&app, &format!("create table public.kept_hits as select * from ledger.policy_hits; update ledger.policy_hits h set batch_seq = {later_end} where ctid = ({row})")).await;
        let (holds, verified) = bookwarden(&app, &["verify"]);
        assert!(!holds, "{later_end}");
        assert_eq!(
            verified["differences"]["told"][0]["table"],
            "ledger.policy_hits"
        );
        behind_the_triggers_back(&app, "delete from ledger.policy_hits; insert into ledger.policy_hits select * from public.kept_hits; drop table public.kept_hits").await;
    }
    assert!(bookwarden(&app, &["verify"]).0, "all was put back");

    behind_the_triggers_back(
        &app,
        "delete from ledger.policy_hits where ctid = (select max(ctid) from ledger.policy_hits)",
    )
    .await;
    let (holds, verified) = bookwarden(&app, &["verify"]);
    assert!(!holds);
    assert_eq!(
        verified["differences"]["told"][0]["table"],
        "ledger.policy_hits"
    );
}

#[tokio::test]
async fn an_export_that_breaks_off_says_why() {
    let app = TestApp::start().await;
    for _ in 0..40 {
        assert!(!app.book(&booking()).await.cancelled());
    }
    let arguments = ["export", "--events", "/dev/full"];
    let output = support::bookwarden(&app.database_url, &arguments, "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(told.contains("No space left on device"), "{told}");
    app.check().await;
}
