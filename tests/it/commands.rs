//! What the commands say when something is not as they need it, and what they say to do next.

use crate::support::{BOOKWARDEN, TestApp, bookwarden, bookwarden_prints};

/// What a command that fails says, and that its exit code is 1.
fn refused(database_url: &str, arguments: &[&str], input: &str) -> String {
    let output = bookwarden(database_url, arguments, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    said
}

#[tokio::test]
async fn a_new_organization_is_told_how_to_get_its_secret() {
    let app = TestApp::start().await;
    let said = bookwarden_prints(&app.database_url, &["org", "add", "clinic"], "");
    let command = said.split('`').nth(1).expect("a command");
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    bookwarden_prints(&app.database_url, &arguments, "");
    let whose = app.text("select org from access.webhook_secrets order by id desc limit 1");
    assert_eq!(whose.await, "clinic", "{said}");
}

#[tokio::test]
async fn a_database_that_is_not_there_and_one_that_refuses_are_told_apart() {
    let app = TestApp::start().await;
    let away = refused("postgres://x:y@127.0.0.1:1/none", &["migrate"], "");
    assert!(away.contains("does not answer"), "{away}");
    let nowhere = refused("postgres://x:y@nowhere.invalid/none", &["migrate"], "");
    assert!(nowhere.contains("does not answer"), "{nowhere}");
    let (server, _) = app.database_url.rsplit_once('/').expect("a database");
    let commands: [&[&str]; 2] = [&["migrate"], &["org", "list"]];
    for command in commands {
        let said = refused(&format!("{server}/nodb"), command, "");
        assert!(
            said.contains("does not let us in: database \"nodb\" does not exist"),
            "{said}"
        );
        assert!(!said.contains("at line"), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let app = TestApp::start().await;
    for option in ["--file", "--from-snapshot", "--check-snapshot"] {
        let said = refused(&app.database_url, &["replay", option, "no/such/file"], "");
        assert!(said.contains("cannot open no/such/file"), "{said}");
    }
}

#[tokio::test]
async fn an_organization_that_is_not_there_has_no_empty_list() {
    let app = TestApp::start().await;
    for what in ["secret", "token"] {
        let said = refused(&app.database_url, &[what, "list", "--org", "nope"], "");
        assert!(said.contains("no organization \"nope\""), "{said}");
        bookwarden_prints(&app.database_url, &[what, "list", "--org", "default"], "");
    }
}

#[tokio::test]
async fn what_is_empty_is_no_secret_and_no_name() {
    let app = TestApp::start().await;
    let said = refused(&app.database_url, &["secret", "add", "--stdin"], "\n");
    assert!(said.contains("standard input holds no secret"), "{said}");
    let commands: [&[&str]; 3] = [
        &["secret", "add", "--secret", ""],
        &["token", "create", "--name", ""],
        &["token", "create", "--name", " "],
    ];
    for arguments in commands {
        let output = bookwarden(&app.database_url, arguments, "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(arguments[2]), "{arguments:?}: {said}");
    }
    let made = "select count(*) from access.audit_tokens where name <> 'tests'";
    assert_eq!(app.number(made).await, 0);
}

#[tokio::test]
async fn health_says_what_the_service_says() {
    let app = TestApp::start().await;
    let health = ["health", "--url", &app.server.url];
    bookwarden_prints(&app.database_url, &health, "");
    app.sql("delete from public.bookwarden_schema").await;
    let said = refused(&app.database_url, &health, "");
    assert!(
        said.contains("answers 503: ") && said.contains("bookwarden migrate"),
        "{said}"
    );
}

#[tokio::test]
async fn why_an_address_cannot_be_had_is_told() {
    let app = TestApp::start().await;
    let taken = app.server.url.trim_start_matches("http://");
    for (address, words) in [
        (taken, "something else running there"),
        // For documentation (RFC 5737): no machine's own.
        ("192.0.2.1:0", "does not have the address"),
    ] {
        let output = std::process::Command::new(BOOKWARDEN)
            .arg("serve")
            .env("DATABASE_URL", &app.database_url)
            .env("BOOKWARDEN_LISTEN", address)
            .output()
            .expect("bookwarden starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{address}: {said}");
        assert!(said.contains(words), "{address}: {said}");
    }
}

#[tokio::test]
async fn what_is_so_already_is_no_event() {
    let app = TestApp::start().await;
    for command in [
        ["secret", "expire", "1"],
        ["secret", "expire", "1"],
        ["org", "accept-unsigned", "default"],
        ["org", "accept-unsigned", "default"],
        ["org", "require-signature", "default"],
        ["org", "require-signature", "default"],
    ] {
        bookwarden_prints(&app.database_url, &command, "");
    }
    let events = app
        .text("select string_agg(type, ' ' order by seq) from ledger.events where type not like 'policy.%'")
        .await;
    assert_eq!(events, "secret.expired signature.waived signature.required");
    app.check().await;
}
