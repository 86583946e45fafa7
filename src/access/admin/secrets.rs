//! Webhook secrets: added, expired, never shown again.

use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};

use super::{AdminError, random_text};
use crate::ledger::event::{SECRET_ADDED, SECRET_EXPIRED};
use crate::ledger::record::record;
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

/// What the ledger is told of a secret: never the secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretChanged<'a> {
    version: u32,
    secret_id: i64,
    note: Option<&'a str>,
    expires_at: Option<DateTime<Utc>>,
    changed_by: &'a str,
}

/// A new secret's number and note, and who added it.
type Added = (i64, Option<String>, String);

/// Of a secret with an end: its organization and note, the end, whether that is another than before, and who gave it.
type Expired = (String, Option<String>, DateTime<Utc>, bool, String);

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
    let mut transaction = connection.begin().await?;
    let added: Option<Added> =
        sqlx::query_as(include_str!("../../../sql/queries/insert_secret.sql"))
            .bind(org.as_str())
            .bind(secret)
            .bind(note)
            .fetch_optional(&mut *transaction)
            .await?;
    let added = added.ok_or_else(|| AdminError::unknown_org(org))?;
    record_added(&mut transaction, org, &added).await?;
    transaction.commit().await?;
    Ok(added.0)
}

/// Adds a secret unless it is live already.
pub async fn ensure(
    connection: &mut PgConnection,
    org: &Org,
    secret: &str,
) -> Result<(), AdminError> {
    let mut transaction = connection.begin().await?;
    let added: Option<Added> =
        sqlx::query_as(include_str!("../../../sql/queries/ensure_secret.sql"))
            .bind(org.as_str())
            .bind(secret)
            .fetch_optional(&mut *transaction)
            .await?;
    if let Some(added) = added {
        record_added(&mut transaction, org, &added).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn record_added(
    transaction: &mut PgConnection,
    org: &Org,
    (secret_id, note, changed_by): &Added,
) -> Result<(), sqlx::Error> {
    let changed = SecretChanged {
        version: 1,
        secret_id: *secret_id,
        note: note.as_deref(),
        expires_at: None,
        changed_by,
    };
    record(transaction, org, SECRET_ADDED, &changed).await
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
    let mut transaction = connection.begin().await?;
    let (org, note, expires_at, is_new, changed_by): Expired =
        sqlx::query_as(include_str!("../../../sql/queries/expire_secret.sql"))
            .bind(id)
            .bind(after.as_secs_f64())
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(AdminError::UnknownSecret(id))?;
    let org = Org::from_str(&org).map_err(|_| AdminError::UnknownOrg(org))?;
    let changed = SecretChanged {
        version: 1,
        secret_id: id,
        note: note.as_deref(),
        expires_at: Some(expires_at),
        changed_by: &changed_by,
    };
    if is_new {
        record(&mut transaction, &org, SECRET_EXPIRED, &changed).await?;
    }
    transaction.commit().await?;
    Ok(expires_at)
}
