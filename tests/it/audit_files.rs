//! Searches as files, events live, who may, and the views.

use std::process::Command;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::Instant;

use crate::known_head::undo_after;
use crate::support::{BOOKWARDEN, TestApp, booking};

async fn file(app: &TestApp, path: &str, token: &str) -> (StatusCode, String, String) {
    let url = format!("{}{path}", app.server.url);
    let response = Client::new()
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    let status = response.status();
    let media_type = response.headers()["content-type"]
        .to_str()
        .expect("text")
        .to_owned();
    (
        status,
        media_type,
        response.text().await.expect("a whole body"),
    )
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test]
async fn files_hold_what_the_search_finds_resume_and_are_recorded() {
    let app = TestApp::start().await;
    for _ in 0..5 {
        app.book(&booking()).await;
    }
    let (status, media_type, text) = file(
        &app,
        "/v1/decisions?format=ndjson&order=oldest&outcome=approved",
        "test-token",
    )
    .await;
    assert_eq!(
        (status, media_type.as_str()),
        (StatusCode::OK, "application/x-ndjson")
    );
    let all = lines(&text);
    assert_eq!(all.len(), 5);
    let third = &all[2]["decisionId"];
    let (_, _, rest) = file(
        &app,
        &format!("/v1/decisions?format=ndjson&order=oldest&outcome=approved&after={third}"),
        "test-token",
    )
    .await;
    assert_eq!(lines(&rest), all[3..], "resumed after the third");
    let (_, _, newest) = file(
        &app,
        &format!("/v1/decisions?format=ndjson&after={third}"),
        "test-token",
    )
    .await;
    assert_eq!(
        lines(&newest).len(),
        2,
        "newest first goes on with the older ones"
    );
    let (_, _, nothing) = file(
        &app,
        "/v1/decisions?format=ndjson&outcome=modified",
        "test-token",
    )
    .await;
    assert_eq!(nothing, "");

    let events = "/v1/events?format=ndjson&type=audit.exported&order=oldest";
    let (_, _, exports) = file(&app, events, "test-token").await;
    let exports = lines(&exports);
    assert_eq!(exports.len(), 5, "this one too");
    assert_eq!(exports[0]["payload"]["tokenName"], "tests");
    assert_eq!(exports[0]["payload"]["filter"]["outcome"], "approved");
    for bad in ["format=xml", "format=csv&after=x", "after=0"] {
        let (status, _) = app.get(&format!("/v1/decisions?{bad}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
    }
    assert_eq!(
        app.get("/v1/events?format=csv").await.0,
        StatusCode::BAD_REQUEST
    );
    app.check().await;
}

#[tokio::test]
async fn a_file_is_what_accept_prefers() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    let exports = "select count(*) from ledger.events where type = 'audit.exported'";
    for (accept, media_type, recorded) in [
        ("text/csv;q=0, application/json", "application/json", 0),
        ("application/json, text/csv", "application/json", 0),
        ("TEXT/CSV", "text/csv; charset=utf-8; header=present", 1),
        (
            "text/csv;q=0.5, Application/X-NDJSON",
            "application/x-ndjson",
            2,
        ),
    ] {
        let request = Client::new().get(format!("{}/v1/decisions", app.server.url));
        let request = request.bearer_auth("test-token").header("accept", accept);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{accept}");
        assert_eq!(response.headers()["content-type"], media_type, "{accept}");
        assert_eq!(app.number(exports).await, recorded, "{accept}");
    }
}

#[tokio::test]
async fn a_body_with_line_ends_is_one_line_and_a_formula_stays_text() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments, message) values (0, '=cmd|'' /C calc''!A1, \"sorry\"')").await;
    let pretty = serde_json::to_string_pretty(&booking()).expect("JSON");
    let signed = bookwarden::cubu::signature::sign("dev-secret", pretty.as_bytes());
    app.post(
        &app.server,
        "/service/actions/beforeBookAppointment",
        pretty,
        Some(signed),
    )
    .await
    .expect("an answer");
    let (_, _, text) = file(&app, "/v1/events?format=ndjson", "test-token").await;
    assert!(
        lines(&text)
            .iter()
            .any(|event| event["type"] == "booking.requested")
    );

    let (status, media_type, csv) = file(&app, "/v1/decisions?format=csv", "test-token").await;
    assert_eq!(status, StatusCode::OK);
    assert!(media_type.starts_with("text/csv"));
    let read = r#"import csv, io, json, sys; print(json.dumps(list(csv.DictReader(io.StringIO(sys.stdin.read(), newline="")))))"#;
    let mut python = Command::new("python3")
        .args(["-c", read])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 starts");
    std::io::Write::write_all(&mut python.stdin.take().expect("stdin"), csv.as_bytes())
        .expect("written");
    let output = python.wait_with_output().expect("python3 ends").stdout;
    let rows: Vec<Value> = serde_json::from_slice(&output).expect("JSON");
    assert_eq!(
        rows[0]["cancellationReason"],
        "'=cmd|' /C calc'!A1, \"sorry\""
    );
    assert_eq!(rows[0]["policies"], "capacity_caps:1:enforce:refused");
    assert_eq!(rows[0].as_object().map(serde_json::Map::len), Some(21));
}

#[tokio::test]
async fn events_are_followed_live_and_resumed() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    let url = format!("{}/v1/events/stream", app.server.url);
    let mut live = Client::new()
        .get(&url)
        .bearer_auth("test-token")
        .send()
        .await
        .expect("an answer");
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let decision = app.book(&booking()).await.decision_id.expect("an id");
    let mut text = String::new();
    while !text.contains("booking.decided") {
        let chunk = tokio::time::timeout(Duration::from_secs(5), live.chunk())
            .await
            .expect("in time");
        text.push_str(&String::from_utf8_lossy(
            &chunk.expect("a chunk").expect("more"),
        ));
    }
    assert!(
        text.contains(&format!("id: {decision}\nevent: booking.decided\ndata: {{")),
        "{text}"
    );
    let mut again = Client::new()
        .get(&url)
        .bearer_auth("test-token")
        .header("last-event-id", "1")
        .send()
        .await
        .expect("an answer");
    let mut text = String::new();
    while !text.contains(&format!("id: {decision}\n")) {
        let chunk = tokio::time::timeout(Duration::from_secs(5), again.chunk())
            .await
            .expect("in time");
        text.push_str(&String::from_utf8_lossy(
            &chunk.expect("a chunk").expect("more"),
        ));
    }
    assert_eq!(text.matches("event: booking.decided").count(), 2);
    let begun = async |last: &str| {
        let request = Client::new().get(&url).bearer_auth("test-token");
        let request = request.header("last-event-id", last.to_owned());
        request.send().await.expect("an answer")
    };
    assert_eq!(begun("x").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(begun(&decision.to_string()).await.status(), StatusCode::OK);
    // As after a restore: what is recorded up to that number would never be sent.
    let beyond = begun(&(decision + 1).to_string()).await;
    assert_eq!(beyond.status(), StatusCode::BAD_REQUEST);
    let problem: Value = beyond.json().await.expect("JSON");
    assert_eq!(problem["errors"][0]["path"], "Last-Event-ID");
    let message = problem["errors"][0]["message"].as_str().expect("a text");
    assert!(message.contains("beyond the newest event"), "{message}");
}

#[tokio::test]
async fn who_followed_what_a_restore_undid_is_told_to_begin_anew() {
    let app = TestApp::start().await;
    let before = app.number("select last_seq from ledger.heads").await;
    let decision = app.book(&booking()).await.decision_id.expect("an id");
    let url = format!("{}/v1/events/stream", app.server.url);
    let mut live = Client::new()
        .get(&url)
        .bearer_auth("test-token")
        .header("last-event-id", decision.to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(live.status(), StatusCode::OK);
    app.sql(&undo_after(before)).await;
    let ends = Instant::now() + Duration::from_secs(5);
    let mut text = String::new();
    while let Some(piece) = tokio::time::timeout_at(ends, live.chunk())
        .await
        .expect("the stream ends")
        .expect("a chunk")
    {
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    assert_eq!(text, ": following\n\n");
}

#[tokio::test]
async fn a_revoked_token_follows_no_further() {
    let app = TestApp::start().await;
    let mut live = Client::new()
        .get(format!("{}/v1/events/stream", app.server.url))
        .bearer_auth("test-token")
        .send()
        .await
        .expect("an answer");
    assert_eq!(live.status(), StatusCode::OK);
    let revoked = Command::new(BOOKWARDEN)
        .args(["token", "revoke", "1"])
        .env("DATABASE_URL", &app.database_url)
        .output()
        .expect("it runs");
    assert!(revoked.status.success());
    // Less than a heartbeat.
    let ends = Instant::now() + Duration::from_secs(5);
    while let Some(_events) = tokio::time::timeout_at(ends, live.chunk())
        .await
        .expect("the stream ends")
        .expect("a chunk")
    {
        assert!(Instant::now() < ends, "the stream ends");
        // A busy ledger: there is something to send at each look.
        app.book(&booking()).await;
    }
}

#[tokio::test]
async fn tokens_expire_are_revoked_and_both_are_events() {
    let app = TestApp::start().await;
    let cli = |arguments: &[&str]| {
        let output = Command::new(BOOKWARDEN)
            .args(arguments)
            .env("DATABASE_URL", &app.database_url)
            .output()
            .expect("it runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("UTF-8")
            .trim()
            .to_owned()
    };
    let token = cli(&["token", "create", "--name", "Dana", "--role", "operator"]);
    let short = cli(&["token", "create", "--name", "Short", "--expires-in", "1s"]);
    assert_eq!(file(&app, "/v1/decisions", &token).await.0, StatusCode::OK);
    cli(&["token", "revoke", "2"]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for token in [
        token.as_str(),
        &short,
        "",
        "nonsense",
        "test-token' or true--",
    ] {
        for path in [
            "/v1/decisions",
            "/v1/events",
            "/v1/stats",
            "/v1/policies",
            "/v1/events/stream",
            "/v1/decisions?format=csv",
            "/v1/cases/x",
        ] {
            assert_eq!(
                file(&app, path, token).await.0,
                StatusCode::UNAUTHORIZED,
                "{path}"
            );
        }
    }
    let (_, events) = app.get("/v1/events?type=token.created&order=oldest").await;
    assert_eq!(events["items"][0]["payload"]["name"], "Dana");
    assert_eq!(events["items"][0]["payload"]["role"], "operator");
    assert!(
        !events.to_string().contains(&token),
        "never the token itself"
    );
    let (_, events) = app.get("/v1/events?type=token.revoked").await;
    assert_eq!(events["items"][0]["payload"]["tokenId"], json!(2));
    app.check().await;
}

#[tokio::test]
async fn an_auditor_in_sql_sees_the_views_and_nothing_else() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (1)")
        .await;
    let mut nul = booking();
    nul["fields"]["b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10"] = json!("a\u{0}b");
    app.book(&nul).await;
    app.book(&booking()).await;
    let mut auditor = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("set role bookwarden_auditor")
        .execute(&mut auditor)
        .await
        .expect("the role");
    for (query, wanted) in [
        (
            "select count(*) from audit.decisions where outcome = 'cancelled' and policies->0->>'verdict' = 'refused'",
            1,
        ),
        (
            "select count(*) from audit.decision_policies where verdict = 'refused'",
            1,
        ),
        (
            "select count(*) from audit.policy_changes where policy_kind = 'capacity_caps' and new_row->>'max_appointments' = '1'",
            1,
        ),
        (
            "select count(*) from audit.policies_as_of('default', now()) where policy_kind = 'capacity_caps'",
            1,
        ),
        ("select count(*) from audit.cases", 1),
        (
            "select count(*) from audit.events where type = 'booking.requested'",
            2,
        ),
        ("select count(*) from audit.tokens", 1),
    ] {
        let count: i64 = sqlx::query_scalar(query)
            .fetch_one(&mut auditor)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(count, wanted, "{query}");
    }
    for statement in [
        "select * from ledger.events",
        "select * from access.webhook_secrets",
        "select * from policy.capacity_caps",
        "delete from audit.events",
        "update audit.cases set duration = 1",
        "insert into audit.tokens (name) values ('x')",
        "create table audit.mine ()",
        "select * from ledger.lock_head('default')",
    ] {
        let error = sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut auditor)
            .await
            .expect_err(statement);
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn the_command_line_exports_the_same_lines() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        app.book(&booking()).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("decisions.ndjson");
    let export = |filter: &str| {
        Command::new(BOOKWARDEN)
            .args([
                "export",
                "--where",
                "order=oldest",
                "--where",
                filter,
                "--decisions",
            ])
            .arg(&path)
            .env("DATABASE_URL", &app.database_url)
            .output()
            .expect("it runs")
    };
    let output = export("outcome=approved");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let written = std::fs::read_to_string(&path).expect("the file");
    let (_, _, streamed) = file(
        &app,
        "/v1/decisions?format=ndjson&order=oldest",
        "test-token",
    )
    .await;
    assert_eq!(written, streamed);
    let refused = export("outcom=approved");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("outcom"));
    let exports = "select count(*) from ledger.events where type = 'audit.exported' and payload::json ->> 'login' is not null";
    assert_eq!(app.number(exports).await, 1);
    app.check().await;
}

#[tokio::test]
async fn the_api_describes_itself_and_its_page_needs_nobody_else() {
    let app = TestApp::start().await;
    let (status, _, described) = file(&app, "/openapi.json", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(described, include_str!("../../openapi.json"));
    let (status, media_type, page) = file(&app, "/docs", "").await;
    assert_eq!(
        (status, media_type.as_str()),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "nothing from elsewhere"
    );
}
