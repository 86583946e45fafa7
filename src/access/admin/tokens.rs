//! Audit tokens: shown once, kept as a digest.

use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};

use super::super::tokens::Role;
use super::{AdminError, random_text};
use crate::ledger::digest::sha256;
use crate::ledger::event::{TOKEN_CREATED, TOKEN_REVOKED};
use crate::ledger::record::record;
use crate::org::Org;

/// By which a token is recognized, by people and by scanners for leaked secrets.
const PREFIX: &str = "bw_";

/// What may be shown of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// Its number.
    pub id: i64,
    /// The organization that it opens.
    pub org: String,
    /// Whose it is.
    pub name: String,
    /// auditor or operator.
    pub role: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Accepted before this time.
    pub expires_at: Option<DateTime<Utc>>,
    /// `live`, `expired` or `revoked`.
    pub state: String,
}

/// What the ledger is told of a token: never the token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenChanged<'a> {
    version: u32,
    token_id: i64,
    name: &'a str,
    role: &'a str,
    expires_at: Option<DateTime<Utc>>,
    changed_by: &'a str,
}

type Row = (
    i64,
    String,
    String,
    String,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    String,
);

fn entry((id, org, name, role, created_at, expires_at, state): Row) -> TokenEntry {
    TokenEntry {
        id,
        org,
        name,
        role,
        created_at,
        expires_at,
        state,
    }
}

/// Makes a token. The answer is the only time that it is seen.
pub async fn create(
    connection: &mut PgConnection,
    org: &Org,
    name: &str,
    role: Role,
    expires_in: Option<Duration>,
) -> Result<String, AdminError> {
    let token = format!("{PREFIX}{}", random_text()?);
    let mut transaction = connection.begin().await?;
    let made: Option<(i64, Option<DateTime<Utc>>, String)> =
        sqlx::query_as(include_str!("../../../sql/queries/insert_token.sql"))
            .bind(org.as_str())
            .bind(name)
            .bind(role.as_str())
            .bind(sha256(token.as_bytes()).as_slice())
            .bind(expires_in.map(|duration| duration.as_secs_f64()))
            .fetch_optional(&mut *transaction)
            .await?;
    let (token_id, expires_at, changed_by) = made.ok_or_else(|| AdminError::unknown_org(org))?;
    let changed = TokenChanged {
        version: 1,
        token_id,
        name,
        role: role.as_str(),
        expires_at,
        changed_by: &changed_by,
    };
    record(&mut transaction, org, TOKEN_CREATED, &changed).await?;
    transaction.commit().await?;
    Ok(token)
}

/// Whether a token is accepted.
pub async fn is_live(connection: &mut PgConnection, token: &str) -> Result<bool, AdminError> {
    Ok(
        sqlx::query_scalar(include_str!("../../../sql/queries/is_token_live.sql"))
            .bind(sha256(token.as_bytes()).as_slice())
            .fetch_one(connection)
            .await?,
    )
}

/// All tokens, or those of one organization.
pub async fn list(
    connection: &mut PgConnection,
    org: Option<&Org>,
) -> Result<Vec<TokenEntry>, AdminError> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("../../../sql/queries/list_tokens.sql"))
        .bind(org.map(Org::as_str))
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Revokes a token from now on. Answers its name.
pub async fn revoke(connection: &mut PgConnection, id: i64) -> Result<String, AdminError> {
    let mut transaction = connection.begin().await?;
    let (org, name, role, expires_at, changed_by): (
        String,
        String,
        String,
        Option<DateTime<Utc>>,
        String,
    ) = sqlx::query_as(include_str!("../../../sql/queries/revoke_token.sql"))
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AdminError::UnknownToken(id))?;
    let org = Org::from_str(&org).map_err(|_| AdminError::UnknownOrg(org))?;
    let changed = TokenChanged {
        version: 1,
        token_id: id,
        name: &name,
        role: &role,
        expires_at,
        changed_by: &changed_by,
    };
    record(&mut transaction, &org, TOKEN_REVOKED, &changed).await?;
    transaction.commit().await?;
    Ok(name)
}
