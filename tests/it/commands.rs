//! What the commands say when something is not as they need it, and what they say to do next.

use crate::support::{TestApp, bookwarden_prints};


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
