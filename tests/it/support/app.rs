//! A database with a server on it, and a helper for each thing that a test does.

use bookwarden::cubu::signature;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::cli::bookwarden;
use super::cluster::{BOOKWARDEN, cluster};
use super::server::Server;

/// The webhook secret of the tests' organizations.
pub const SECRET: &str = "dev-secret";

/// An organization `default` with a secret and a token, and a server.
pub struct TestApp {
    /// The database as its owner: what psql would use.
    pub database: PgPool,
    /// The same, for another server.
    pub database_url: String,
    /// The server.
    pub server: Server,
    client: Client,
}

/// An answer of the webhook.
#[derive(Debug, Clone)]
pub struct Answered {
    pub status: StatusCode,
    pub decision_id: Option<i64>,
    pub text: String,
    pub json: Value,
}

impl Answered {
    pub fn cancelled(&self) -> bool {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json["cancelled"]
            .as_bool()
            .expect("cancelled is a boolean")
    }
}

/// The sample booking with a case of its own.
pub fn booking() -> Value {
    let sample = include_str!("../../samples/before-book-appointment.json");
    let mut booking: Value = serde_json::from_str(sample).expect("the sample is JSON");
    booking["caseId"] = Uuid::new_v4().to_string().into();
    booking
}

/// The case of a booking.
pub fn case_id(booking: &Value) -> String {
    booking["caseId"].as_str().expect("a caseId").to_owned()
}

impl TestApp {
    pub async fn start() -> Self {
        let database_url = cluster().await.new_database().await;
        let database = PgPool::connect(&database_url)
            .await
            .expect("the database answers");
        sqlx::query("insert into access.webhook_secrets (org, secret) values ('default', $1)")
            .bind(SECRET)
            .execute(&database)
            .await
            .expect("a secret");
        sqlx::query(
            "insert into access.audit_tokens (org, name, role, token_digest) values ('default', 'tests', 'auditor', sha256('test-token'))",
        )
        .execute(&database)
        .await
        .expect("a token");
        let server = Server::start(&database_url);
        Self {
            database,
            database_url,
            server,
            client: Client::new(),
        }
    }

    /// Locks the ledger's head, as an appender that does not come to an end.
    pub async fn hold_head(&self) -> PgConnection {
        let mut holder = PgConnection::connect(&self.database_url)
            .await
            .expect("a connection");
        sqlx::raw_sql("begin; select ledger.lock_head('default')")
            .execute(&mut holder)
            .await
            .expect("the lock");
        holder
    }

    /// Books through this app's server.
    pub async fn book(&self, booking: &Value) -> Answered {
        self.book_at(&self.server, booking).await
    }

    /// Books through another server.
    pub async fn book_at(&self, server: &Server, booking: &Value) -> Answered {
        let body = booking.to_string();
        let authorization = signature::sign(SECRET, body.as_bytes());
        self.post(
            server,
            "/service/actions/beforeBookAppointment",
            body,
            Some(authorization),
        )
        .await
        .expect("an answer")
    }

    /// Posts a body with a header made elsewhere.
    pub async fn post(
        &self,
        server: &Server,
        path: &str,
        body: impl Into<reqwest::Body>,
        authorization: Option<String>,
    ) -> reqwest::Result<Answered> {
        let mut request = self
            .client
            .post(format!("{}{path}", server.url))
            .header("content-type", "application/json")
            .body(body);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = request.send().await?;
        let status = response.status();
        let decision_id = response
            .headers()
            .get("bookwarden-decision")
            .map(|id| id.to_str().expect("text").parse().expect("a number"));
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answered {
            status,
            decision_id,
            text,
            json,
        })
    }

    /// Asks the audit API.
    pub async fn get(&self, path_and_query: &str) -> (StatusCode, Value) {
        let response = self
            .client
            .get(format!("{}{path_and_query}", self.server.url))
            .bearer_auth("test-token")
            .send()
            .await
            .expect("an answer");
        let status = response.status();
        (status, response.json().await.expect("JSON"))
    }

    /// Runs SQL as the database's owner, as psql would: each call is one simple query, so several statements are one transaction.
    pub async fn sql(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&self.database)
            .await
            .unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// An organization whose webhooks are signed with the same secret.
    pub async fn found(&self, org: &str) {
        self.sql(&format!(
            "insert into policy.organizations (org) values ('{org}');
             insert into access.webhook_secrets (org, secret) values ('{org}', '{SECRET}')"
        ))
        .await;
    }

    /// One number.
    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&self.database)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// One text.
    pub async fn text(&self, query: &str) -> String {
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&self.database)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// How every test ends.
    pub async fn check(&self) {
        prove(&self.database_url).await;
    }
}

/// Every decision derives again from the ledger alone, and the live tables are what the ledger says.
pub async fn prove(database_url: &str) {
    for command in ["replay", "verify"] {
        let output = tokio::process::Command::new(BOOKWARDEN)
            .args([command, "--json"])
            .env("DATABASE_URL", database_url)
            .output()
            .await
            .expect("bookwarden starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}{complained}");
    }
    with_one_that_is_off(database_url).await;
}

/// A policy that is off would have changed nothing.
async fn with_one_that_is_off(database_url: &str) {
    const OFF: &str = "insert into policy.blackouts (id, mode, from_date) values (4611686018427387904, 'off', '2027-01-01')";
    let database_url = database_url.to_owned();
    let simulating = move || bookwarden(&database_url, &["simulate", "--json", "-"], OFF);
    let simulated = tokio::task::spawn_blocking(simulating)
        .await
        .expect("an end");
    let said = String::from_utf8_lossy(&simulated.stdout);
    let complained = String::from_utf8_lossy(&simulated.stderr);
    let differs_nothing = said.contains(r#""differing":0,"#) && said.contains(r#""findings":[],"#);
    assert!(differs_nothing, "{said}{complained}");
}
