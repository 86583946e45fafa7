//! A database that answers, and with which the service cannot work: it does not start, and says what to do.

use std::process::{Command, Output, Stdio};
use std::time::Instant;

use reqwest::StatusCode;

use crate::support::{BOOKWARDEN, HANGS, Server, TestApp, until};

/// The end of a service that does not start.
async fn serve(database_url: &str) -> Output {
    let mut child = Command::new(BOOKWARDEN)
        .arg("serve")
        .env("DATABASE_URL", database_url)
        .env("BOOKWARDEN_LISTEN", "127.0.0.1:0")
        .stderr(Stdio::piped())
        .spawn()
        .expect("bookwarden starts");
    let began = Instant::now();
    while child.try_wait().expect("a child").is_none() && began.elapsed() < HANGS {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let _ = child.kill();
    child.wait_with_output().expect("it ended")
}

/// What it says.
async fn refusal(database_url: &str) -> String {
    let output = serve(database_url).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("at line"), "{said}");
    said
}

/// The same database through another login.
fn with_login(database_url: &str, login: &str, password: &str) -> String {
    let (_, place) = database_url.split_once('@').expect("a login");
    format!("postgres://{login}:{password}@{place}")
}

#[tokio::test]
async fn a_database_that_does_not_let_us_in_says_why() {
    let app = TestApp::start().await;
    let (server, _) = app.database_url.rsplit_once('/').expect("a database");
    let said = refusal(&format!("{server}/nodb")).await;
    assert!(said.contains("\"nodb\" does not exist"), "{said}");
    let wrong = with_login(&app.database_url, "nobody_at_all", "hidden");
    let said = refusal(&wrong).await;
    assert!(said.contains("\"nobody_at_all\""), "{said}");
    assert!(!said.contains("hidden"), "{said}");
}

#[tokio::test]
async fn a_login_without_the_services_role_is_told_which_grant_is_missing() {
    let app = TestApp::start().await;
    // Roles belong to the whole cluster, which the tests share: one of this test's own.
    let login = format!("service_{}", std::process::id());
    app.sql(&format!("create role {login} login password 'secret'"))
        .await;
    let url = with_login(&app.database_url, &login, "secret");
    let said = refusal(&url).await;
    let grant = format!("grant bookwarden_app to {login}");
    assert!(said.contains(&format!("`{grant}`")), "{said}");

    app.sql(&grant).await;
    let server = Server::start(&url);
    let ready = async || {
        let answer = reqwest::get(format!("{}/readyz", server.url)).await;
        let answer = answer.expect("an answer");
        (answer.status(), answer.text().await.expect("a body"))
    };
    until("it is ready", async || ready().await.0 == StatusCode::OK).await;
    let lose_connections =
        format!("select pg_terminate_backend(pid) from pg_stat_activity where usename = '{login}'");
    app.sql(&format!("revoke bookwarden_app from {login}"))
        .await;
    until("the reason is told", async || {
        app.sql(&lose_connections).await;
        ready().await.1.contains("may not act as bookwarden_app")
    })
    .await;
    app.sql(&grant).await;
    until("it is ready again", async || {
        ready().await.0 == StatusCode::OK
    })
    .await;
    drop(server);
    app.sql(&format!(
        "revoke bookwarden_app from {login}; drop role {login}"
    ))
    .await;
}
