//! What those who run the service rely on: 503 in time, health, metrics, logs, shutdown, and the commands.

use std::time::{Duration, Instant};

use bookwarden::cubu::signature;
use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use sqlx::Connection as _;
use tokio::time::sleep;

use crate::support::load::{End, Load, ask, assert_on_ledger};
use crate::support::{
    HANGS, SECRET, Server, TestApp, booking, bookwarden, bookwarden_prints, until,
};

async fn get(url: &str, path: &str) -> (StatusCode, String) {
    let response = reqwest::get(format!("{url}{path}"))
        .await
        .expect("an answer");
    let status = response.status();
    (status, response.text().await.expect("a body"))
}

fn is_unavailable(end: &End) -> bool {
    matches!(end, End::Problem { status, retry_after: true } if *status == StatusCode::SERVICE_UNAVAILABLE)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_answered_at_once() {
    let app = TestApp::start().await;
    let small = [
        ("BOOKWARDEN_QUEUE_LIMIT", "4"),
        ("BOOKWARDEN_BATCH_LIMIT", "2"),
        ("BOOKWARDEN_DECISION_TIMEOUT_MS", "60000"),
    ];
    let server = Server::start_with(&app.database_url, &small);
    let holder = app.hold_head().await;
    let client = Client::new();

    let ask_in_background = || {
        let (client, url) = (client.clone(), server.url.clone());
        tokio::spawn(async move { ask(&client, &url, booking().to_string()).await })
    };
    let mut waiting = vec![ask_in_background()];
    let stuck = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    until("the writer waits", async || app.number(stuck).await > 0).await;
    // The first batch is the one booking; the queue takes four more.
    waiting.extend((0..4).map(|_| ask_in_background()));
    let full = r#"bookwarden_queue_depth{org="default"} 4"#;
    until("the queue is full", async || {
        get(&server.url, "/metrics").await.1.contains(full)
    })
    .await;
    let late = join_all((0..5).map(|_| ask(&client, &server.url, booking().to_string()))).await;
    for one in &late {
        assert!(is_unavailable(&one.end), "{:?}", one.end);
        assert!(one.took < HANGS, "waited as long as a booking in the queue");
    }
    let unsigned = async || {
        let path = "/service/actions/beforeBookAppointment";
        let answered = app.post(&server, path, "{}", None).await;
        answered.expect("an answer").status
    };
    for _ in 0..2 {
        assert_eq!(unsigned().await, StatusCode::SERVICE_UNAVAILABLE);
    }

    holder.close().await.expect("closed");
    let mut answered = 0;
    for one in join_all(waiting).await {
        let one = one.expect("no panic");
        let is_answered = matches!(one.end, End::Answered { .. });
        assert!(is_answered || is_unavailable(&one.end), "{:?}", one.end);
        answered += i64::from(is_answered);
    }
    assert_eq!(answered, 5);
    assert_eq!(
        app.number("select count(*) from ledger.events where type = 'booking.decided'")
            .await,
        answered
    );
    // Nor were those two rejections recorded, and the next says so.
    assert_eq!(unsigned().await, StatusCode::UNAUTHORIZED);
    let dropped = "select (payload::json ->> 'droppedBefore')::bigint from ledger.events where type = 'request.rejected'";
    assert_eq!(app.number(dropped).await, 2);
    app.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_turned_away_while_waiting_takes_no_place() {
    let app = TestApp::start().await;
    let hasty = [
        ("BOOKWARDEN_DECISION_TIMEOUT_MS", "1000"),
        ("BOOKWARDEN_BATCH_LIMIT", "1"),
    ];
    let server = Server::start_with(&app.database_url, &hasty);
    let holder = app.hold_head().await;
    let client = Client::new();
    let waiting = join_all((0..5).map(|_| ask(&client, &server.url, booking().to_string())));
    for one in waiting.await {
        assert!(is_unavailable(&one.end), "{:?}", one.end);
    }
    holder.close().await.expect("closed");

    let one = app.book_at(&server, &booking()).await;
    assert!(!one.cancelled());
    assert_eq!(
        app.number("select count(*) from ledger.events where type like 'booking.%'")
            .await,
        2,
        "only the last one's request and decision"
    );
    app.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_stays_locked_is_answered_503_and_bookings_go_on_after_it() {
    let app = TestApp::start().await;
    let holder = app.hold_head().await;
    let began = Instant::now();
    let one = ask(&Client::new(), &app.server.url, booking().to_string()).await;
    assert!(is_unavailable(&one.end), "{:?}", one.end);
    assert!(began.elapsed() < HANGS);
    holder.close().await.expect("closed");
    assert!(!app.book(&booking()).await.cancelled());
    app.check().await;
}

#[tokio::test]
async fn a_question_that_took_too_long_says_so() {
    let app = TestApp::start().await;
    // What Postgres raises when `statement_timeout` has passed.
    app.sql(
        "create or replace function audit.policies_page(
             p_org text, p_seq bigint, p_kind text, p_after_kind text, p_after_id bigint, p_limit bigint)
         returns table (policy_kind text, policy_id bigint, policy json, changed_seq bigint, changed_at timestamptz, changed_by json)
         language plpgsql as $$ begin raise query_canceled; end $$",
    )
    .await;
    let (status, problem) = app.get("/v1/policies").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem["type"], "/problems/query-timeout", "{problem}");
}

#[tokio::test]
async fn health_readiness_and_metrics() {
    let app = TestApp::start().await;
    let url = &app.server.url;
    assert_eq!(
        get(url, "/healthz").await,
        (StatusCode::OK, r#"{"status":"ok"}"#.to_owned())
    );
    assert_eq!(
        get(url, "/readyz").await,
        (StatusCode::OK, r#"{"status":"ready"}"#.to_owned())
    );
    app.sql("insert into policy.capacity_caps (max_appointments) values (1)")
        .await;
    let first = booking();
    for booking in [&first, &first, &booking()] {
        app.book(booking).await;
    }
    app.post(
        &app.server,
        "/service/actions/beforeBookAppointment",
        "{}",
        None,
    )
    .await
    .expect("an answer");

    let (status, metrics) = get(url, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        r#"bookwarden_decisions_total{org="default",outcome="approved"} 1"#,
        r#"bookwarden_decisions_total{org="default",outcome="cancelled"} 1"#,
        r#"bookwarden_repeats_total{org="default"} 1"#,
        "bookwarden_decision_duration_seconds_count 3",
        "bookwarden_batch_size_count 4",
        r#"bookwarden_queue_depth{org="default"} 0"#,
        r#"bookwarden_rejected_requests_total{reason="missing-signature"} 1"#,
        r#"bookwarden_http_requests_total{route="/service/actions/beforeBookAppointment",status="200"} 3"#,
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }

    app.sql("delete from public.bookwarden_schema").await;
    let (status, problem) = get(url, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem.contains("bookwarden migrate"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn truncating_a_policy_table_under_load_harms_nobody() {
    let app = TestApp::start().await;
    let load = Load::start(&app.server.url, 24);
    for _ in 0..20 {
        app.sql(
            "insert into policy.customer_blocklist (customer_record_id) values (gen_random_uuid())",
        )
        .await;
        app.sql("truncate policy.customer_blocklist").await;
        app.sql("truncate policy.capacity_caps, policy.customer_blocklist")
            .await;
    }
    let asked = load.stop().await;
    assert!(!asked.is_empty());
    for one in &asked {
        assert!(matches!(one.end, End::Answered { .. }), "{:?}", one.end);
    }
    app.check().await;
}

/// The service reads the blocklist before the caps. An administrator who goes the other way must not be chosen to fail.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_policies_steps_back_before_there_is_a_deadlock() {
    let app = TestApp::start().await;
    // Whoever still waits 1.2 s later has looked for a deadlock and found none: the next to look is the administrator.
    let truncate = "begin;
        truncate policy.capacity_caps;
        do $$
        begin
            for attempt in 1..1000 loop
                if exists (select from pg_locks where relation = 'policy.capacity_caps'::regclass and not granted
                           and database = (select oid from pg_database where datname = current_database())) then
                    perform pg_sleep(1.2);
                    return;
                end if;
                perform pg_sleep(0.02);
            end loop;
            raise 'no reader waits';
        end $$;
        truncate policy.customer_blocklist;
        commit";
    let truncating = "select count(*) from pg_locks where relation = 'policy.capacity_caps'::regclass and granted
        and mode = 'AccessExclusiveLock' and database = (select oid from pg_database where datname = current_database())";
    tokio::join!(app.sql(truncate), async {
        until("the table is truncated", async || {
            app.number(truncating).await > 0
        })
        .await;
        // What changed makes the service read all policies.
        app.sql("insert into policy.rules (condition, set_channel) values ('true', 'phone')")
            .await;
    });
    app.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_answers_what_was_accepted() {
    let mut app = TestApp::start().await;
    let load = Load::start(&app.server.url, 24);
    sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    app.server.signal("-TERM");
    let status = tokio::task::block_in_place(|| app.server.wait());
    let took = began.elapsed();
    let asked = load.stop().await;

    assert!(status.success(), "{status}");
    assert!(took < HANGS, "{took:?}");
    // A connection that was closed before its request was read is lost: then nothing of it is on the ledger.
    for one in &asked {
        match one.end {
            End::Answered { .. } | End::Refused => {}
            End::Lost => {
                let recorded =
                    sqlx::query_scalar("select count(*) from ledger.events where body = $1")
                        .bind(&one.body)
                        .fetch_one(&app.database);
                let recorded: i64 = recorded.await.expect("a number");
                assert_eq!(recorded, 0, "who was recorded was answered");
            }
            ref other => panic!("an answer or none, but {other:?}"),
        }
    }
    assert!(assert_on_ledger(&app.database, &asked).await > 0);
    app.check().await;
}

#[tokio::test]
async fn logs_hold_no_body_no_secret_and_nothing_of_a_customer() {
    let app = TestApp::start().await;
    let everything = [("BOOKWARDEN_LOG", "trace")];
    let server = Server::start_with(&app.database_url, &everything);
    let mut agent = booking();
    agent["triggeredByUserEmail"] = "agent@partner.example".into();
    let mut wrong = booking();
    wrong["appointment"]["cuIndex"] = "a wrong value".into();
    app.sql("insert into policy.customer_blocklist (field_type_id, field_value) values ('cd439a62-c78a-413f-bb42-cc4dd720375c', 'blocked@example.com')").await;
    for body in [&agent, &wrong, &agent] {
        let body = body.to_string();
        let authorization = signature::sign(SECRET, body.as_bytes());
        let path = "/service/actions/beforeBookAppointment";
        let sent = app.post(&server, path, body, Some(authorization.clone()));
        sent.await.expect("an answer");
        let sent = app.post(&server, path, "{\"x\":\"dana\"}", Some(authorization));
        sent.await.expect("an answer");
    }
    let log = server.log();
    assert!(log.contains("answered"), "it does log");
    let mac = signature::sign(SECRET, agent.to_string().as_bytes());
    for secret in [
        SECRET,
        mac.trim_start_matches("HMAC "),
        "+972501234567",
        "dana",
        "agent@partner.example",
        "blocked@example.com",
        "a wrong value",
        "9f86d081-884c-4d63-a1e2-2d1c3b4a5f60",
        "Passport",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_rotated_while_the_server_runs() {
    let app = TestApp::start().await;
    let cli =
        |arguments: &[&str], input: &str| bookwarden_prints(&app.database_url, arguments, input);
    let path = "/service/actions/beforeBookAppointment";
    let status = async |secret: &str| {
        let body = booking().to_string();
        let authorization = signature::sign(secret, body.as_bytes());
        let answered = app.post(&app.server, path, body, Some(authorization)).await;
        answered.expect("an answer").status
    };

    let made = cli(&["secret", "add", "--note", "made"], "");
    cli(&["secret", "add", "--stdin"], "brought along ☃\n");
    for live in [SECRET, &made, "brought along ☃"] {
        assert_eq!(status(live).await, StatusCode::OK);
    }
    let listed = cli(&["secret", "list"], "");
    assert!(listed.contains("made") && !listed.contains(&made) && !listed.contains(SECRET));

    let old = app
        .text("select id::text from access.webhook_secrets where secret = 'dev-secret'")
        .await;
    cli(&["secret", "expire", &old], "");
    sleep(Duration::from_millis(300)).await;
    assert_eq!(status(SECRET).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&made).await, StatusCode::OK);
    let listed = cli(&["secret", "list"], "");
    assert_eq!(listed.matches("expired").count(), 1, "{listed}");

    let unknown = bookwarden(&app.database_url, &["secret", "expire", "99"], "");
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no secret 99"));
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let app = TestApp::start().await;
    let cli = |arguments: &[&str]| bookwarden_prints(&app.database_url, arguments, "");
    let status = async |token: &str| {
        let url = format!("{}/v1/decisions", app.server.url);
        let asked = Client::new().get(url).bearer_auth(token).send().await;
        asked.expect("an answer").status()
    };
    let token = cli(&["token", "create", "--name", "Dana", "--expires-in", "90d"]);
    let short = cli(&["token", "create", "--name", "short", "--expires-in", "0s"]);
    assert_eq!(status(&token).await, StatusCode::OK);
    assert_eq!(status(&short).await, StatusCode::UNAUTHORIZED);
    let listed = cli(&["token", "list"]);
    assert!(
        listed.contains("Dana") && !listed.contains(&token),
        "{listed}"
    );
    let id = app
        .text("select id::text from access.audit_tokens where name = 'Dana'")
        .await;
    cli(&["token", "revoke", &id]);
    assert_eq!(status(&token).await, StatusCode::UNAUTHORIZED);
    assert!(cli(&["token", "list"]).contains("revoked"));
    let kept = app
        .number("select count(*) from access.audit_tokens where token_digest = sha256(convert_to(name, 'UTF8'))")
        .await;
    assert_eq!(kept, 0, "only digests are kept");
}

#[tokio::test]
async fn send_signs_posts_and_prints_the_answer() {
    let app = TestApp::start().await;
    let url = app.server.url.clone();
    let sent = bookwarden_prints(&app.database_url, &["send", "--url", &url], "");
    let answer: Value = serde_json::from_str(&sent).expect("JSON");
    assert_eq!(answer["cancelled"], false);
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(12));

    let body = booking().to_string();
    let sent = bookwarden(&app.database_url, &["send", "-", "--url", &url], &body);
    assert!(String::from_utf8_lossy(&sent.stderr).contains("HTTP 200 OK, decision"));

    let wrong = ["send", "--url", &url, "--secret", "another"];
    let refused = bookwarden(&app.database_url, &wrong, "");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stdout).contains("/problems/invalid-signature"));
    app.check().await;
}
