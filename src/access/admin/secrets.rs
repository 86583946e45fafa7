//! Webhook secrets: added, expired, never shown again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{AdminError, random_text};
use crate::org::Org;

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretEntry {
    /// Its number.
    pub id: i64,
    /// The organization.
    pub org: String,
    /// For operators.
    pub note: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Accepted before this time.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is accepted now.
    pub is_live: bool,
}

type Row = (
    i64,
    String,
    Option<String>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    bool,
);

fn entry((id, org, note, created_at, expires_at, is_live): Row) -> SecretEntry {
    SecretEntry {
        id,
        org,
        note,
        created_at,
        expires_at,
        is_live,
    }
}

/// A new secret, as hard to guess as the HMAC itself.
pub fn generate() -> Result<String, AdminError> {
    Ok(random_text()?)
}

/// Adds a secret; the others stay live. Answers its number.
pub async fn add(
    connection: &mut PgConnection,
    org: &Org,
    secret: &str,
    note: Option<&str>,
) -> Result<i64, AdminError> {
    sqlx::query_scalar(include_str!("../../../sql/queries/insert_secret.sql"))
        .bind(org.as_str())
        .bind(secret)
        .bind(note)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| AdminError::unknown_org(org))
}

/// Adds a secret unless it is live already.
pub async fn ensure(
    connection: &mut PgConnection,
    org: &Org,
    secret: &str,
) -> Result<(), AdminError> {
    sqlx::query(include_str!("../../../sql/queries/ensure_secret.sql"))
        .bind(org.as_str())
        .bind(secret)
        .execute(connection)
        .await?;
    Ok(())
}

/// All secrets, or those of one organization.
pub async fn list(
    connection: &mut PgConnection,
    org: Option<&Org>,
) -> Result<Vec<SecretEntry>, AdminError> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("../../../sql/queries/list_secrets.sql"))
        .bind(org.map(Org::as_str))
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Lets a secret expire after a while; never makes it live longer. Answers when.
pub async fn expire(
    connection: &mut PgConnection,
    id: i64,
    after: Duration,
) -> Result<DateTime<Utc>, AdminError> {
    sqlx::query_scalar(include_str!("../../../sql/queries/expire_secret.sql"))
        .bind(id)
        .bind(after.as_secs_f64())
        .fetch_optional(connection)
        .await?
        .ok_or(AdminError::UnknownSecret(id))
}
