//! Nobody reads what is printed: the log's reader is gone, the pager was closed. What was to be done is done all the same.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeWriter, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::support::dev::signal;
use crate::support::{BOOKWARDEN, HANGS, TestApp, booking, bookwarden_prints};

const ROUTE: &str = "/service/actions/beforeBookAppointment";

/// Ends with the test, also when that fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pipe that nobody reads from.
fn broken_pipe() -> PipeWriter {
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    writer
}

/// A server that logs everything to a pipe, and the pipe, read up to where it says its address.
async fn logging_to_a_pipe() -> (TestApp, Killed, BufReader<ChildStderr>) {
    let mut app = TestApp::start().await;
    let mut served = Command::new(BOOKWARDEN)
        .arg("serve")
        .env("DATABASE_URL", &app.database_url)
        .env("BOOKWARDEN_LISTEN", "127.0.0.1:0")
        .env("BOOKWARDEN_POOL_SIZE", "4")
        .env("BOOKWARDEN_LOG", "debug")
        .env("BOOKWARDEN_LOG_FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .map(Killed)
        .expect("bookwarden starts");
    let mut log = BufReader::new(served.0.stderr.take().expect("stderr is piped"));
    let address = loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).expect("a line") > 0, "it listens");
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(address) = entry["address"].as_str() {
            break address.to_owned();
        }
    };
    app.server.url = format!("http://{address}");
    (app, served, log)
}

/// Refused, which is logged.
async fn refused(app: &TestApp) {
    let refused = app.post(&app.server, ROUTE, "{}", Some("HMAC AAAA".to_owned()));
    let refused = refused.await.expect("an answer");
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

async fn ends(mut served: Killed) {
    signal("-TERM", &served.0.id().to_string());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = served.0.try_wait().expect("a child") {
            break status;
        }
        assert!(began.elapsed() < HANGS, "it ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(status.code(), Some(0), "{status}");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_neither_answers_nor_the_service() {
    let (app, served, log) = logging_to_a_pipe().await;
    drop(log);
    refused(&app).await;
    assert!(!app.book(&booking()).await.cancelled());
    ends(served).await;
    app.check().await;
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_neither_answers_nor_the_service() {
    let (app, served, log) = logging_to_a_pipe().await;
    // More than a pipe takes.
    for _ in 0..600 {
        tokio::time::timeout(HANGS, refused(&app))
            .await
            .expect("an answer");
    }
    assert!(!app.book(&booking()).await.cancelled());
    ends(served).await;
    drop(log);
    app.check().await;
}

/// What is logged last is not lost.
#[tokio::test]
async fn a_log_has_its_last_lines() {
    let (app, served, mut log) = logging_to_a_pipe().await;
    refused(&app).await;
    ends(served).await;
    let mut rest = String::new();
    log.read_to_string(&mut rest).expect("text");
    assert!(rest.contains("stopping; once more"), "{rest}");
    app.check().await;
}

#[tokio::test]
async fn a_service_that_cannot_start_says_so_with_its_exit_code() {
    let full = File::options().write(true).open("/dev/full");
    for stderr in [Stdio::from(full.expect("/dev/full")), broken_pipe().into()] {
        let status = Command::new(BOOKWARDEN)
            .arg("serve")
            .env_remove("DATABASE_URL")
            .stderr(stderr)
            .status()
            .expect("bookwarden starts");
        assert_eq!(status.code(), Some(1), "{status}");
    }
}

#[tokio::test]
async fn commands_whose_reader_has_gone_end_quietly() {
    let app = TestApp::start().await;
    bookwarden_prints(&app.database_url, &["send", "--url", &app.server.url], "");
    let commands: [&[&str]; 9] = [
        &["send", "--url", &app.server.url],
        &["org", "add", "clinic"],
        &["org", "list"],
        &["secret", "add"],
        &["token", "create", "--name", "Dana"],
        &["export", "--decisions", "-"],
        &["export", "--events", "-"],
        &["replay"],
        &["migrate"],
    ];
    for command in commands {
        let output = Command::new(BOOKWARDEN)
            .args(command)
            .env("DATABASE_URL", &app.database_url)
            .stdout(broken_pipe())
            .output()
            .expect("bookwarden starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(141), "{command:?}: {said}");
        for word in ["error", "panicked", "pipe"] {
            assert!(!said.contains(word), "{command:?}: {said}");
        }
    }
    assert_eq!(
        app.number("select count(*) from policy.organizations where org = 'clinic'")
            .await,
        1,
        "what was asked for is done"
    );
    app.check().await;
}
