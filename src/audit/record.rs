//! What auditors and operators do is on the ledger, too.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::AuditError;
use super::export::Format;
use crate::access::tokens::Caller;
use crate::ledger::append::{PlaceChanges, append};
use crate::ledger::event::{AUDIT_EXPORTED, Columns, Content, Numbering};
use crate::ledger::head;
use crate::org::Org;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported<'a, F> {
    version: u32,
    what: &'a str,
    format: Format,
    filter: &'a F,
    after: Option<i64>,
    token_id: i64,
    token_name: &'a str,
}

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

/// What is told of a token: never the token.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub name: &'a str,
    /// auditor or operator.
    pub role: &'a str,
    /// Accepted before this time.
    pub expires_at: Option<DateTime<Utc>>,
    /// The database login that changed it.
    pub changed_by: &'a str,
}

/// `audit.exported`, before the first line goes out.
///
/// # Errors
/// When it cannot be recorded: then nothing may be exported.
pub async fn exported(
    pool: &PgPool,
    caller: &Caller,
    what: &str,
    format: Format,
    filter: &impl Serialize,
    after: Option<i64>,
) -> Result<(), AuditError> {
    let payload = Exported {
        version: 1,
        what,
        format,
        filter,
        after,
        token_id: caller.token_id,
        token_name: &caller.name,
    };
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    add(&mut transaction, &caller.org, AUDIT_EXPORTED, &payload).await?;
    transaction.commit().await?;
    Ok(())
}

/// `token.created` or `token.revoked`, within the transaction that changes the token.
///
/// # Errors
/// When it cannot be recorded.
pub async fn token_changed(
    transaction: &mut PgConnection,
    org: &Org,
    event_type: &'static str,
    token: TokenFacts<'_>,
) -> Result<(), sqlx::Error> {
    let payload = TokenChanged {
        version: 1,
        token_id: token.id,
        name: token.name,
        role: token.role,
        expires_at: token.expires_at,
        changed_by: token.changed_by,
    };
    add(transaction, org, event_type, &payload).await
}

async fn add(
    transaction: &mut PgConnection,
    org: &Org,
    event_type: &'static str,
    payload: &impl Serialize,
) -> Result<(), sqlx::Error> {
    let head = head::lock(transaction, org)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    let mut numbering = Numbering::after(org.as_str(), &head);
    numbering.push(Content {
        event_type,
        caused_by: None,
        payload: serde_json::to_string(payload)
            .map_err(|error| sqlx::Error::Encode(error.into()))?,
        body: None,
        columns: Columns::default(),
        policies: Vec::new(),
    });
    append(
        transaction,
        org,
        &head,
        &numbering.into_events(),
        &PlaceChanges::default(),
    )
    .await
}
