//! More organizations than connections: a connection that a writer keeps for its next batch must not be missing elsewhere.

use std::time::Duration;

use bookwarden::cubu::signature;
use futures_util::future::join_all;
use reqwest::StatusCode;
use tokio::time::sleep;

use crate::support::{SECRET, Server, TestApp, booking};

const ORGANIZATIONS: usize = 8;
const BOOKINGS: usize = 6;

/// Longer than a connection is kept without being used.
const A_WHILE: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn more_organizations_than_connections_are_all_served() {
    let app = TestApp::start().await;
    let server = Server::start_with(&app.database_url, &[("BOOKWARDEN_POOL_SIZE", "3")]);
    for org in 0..ORGANIZATIONS {
        app.sql(&format!(
            "insert into policy.organizations (org) values ('org-{org}');
             insert into access.webhook_secrets (org, secret) values ('org-{org}', '{SECRET}')"
        ))
        .await;
    }
    let book = async |org: usize| {
        let path = format!("/org-{org}/service/actions/beforeBookAppointment");
        let body = booking().to_string();
        let authorization = signature::sign(SECRET, body.as_bytes());
        let posted = app.post(&server, &path, body, Some(authorization)).await;
        let posted = posted.expect("an answer");
        assert_eq!(posted.status, StatusCode::OK, "{}", posted.text);
    };
    // Every organization asks at once, and again as soon as it has its answer; then all of them once more after a pause.
    for _ in 0..2 {
        join_all((0..ORGANIZATIONS).map(async |org| {
            for _ in 0..BOOKINGS {
                book(org).await;
            }
        }))
        .await;
        sleep(A_WHILE).await;
    }
    app.check().await;
}
