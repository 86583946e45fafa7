//! What the commands say when something is not as they need it, and what they say to do next.

use crate::support::{TestApp, bookwarden, bookwarden_prints};

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
