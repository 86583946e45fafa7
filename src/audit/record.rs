//! What auditors take along is on the ledger, too.

use serde::Serialize;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::AuditError;
use super::export::Format;
use crate::access::tokens::Caller;
use crate::ledger::event::AUDIT_EXPORTED;
use crate::ledger::record::record;
use crate::org::Org;

/// Among the batches of a full load, whose turn comes later than most locks are waited for.
const WAIT_FOR_HEAD: &str = "set local lock_timeout = '3s'";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported<'a, F> {
    version: u32,
    what: &'a str,
    format: Format,
    filter: &'a F,
    after: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
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
        token_id: Some(caller.token_id),
        token_name: Some(&caller.name),
        login: None,
    };
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(WAIT_FOR_HEAD)
        .execute(&mut *transaction)
        .await?;
    record(&mut transaction, &caller.org, AUDIT_EXPORTED, &payload).await?;
    transaction.commit().await?;
    Ok(())
}

/// The same, by someone who has the database's own login: `bookwarden export`.
///
/// # Errors
/// When it cannot be recorded: then nothing may be exported.
pub async fn exported_by_login(
    connection: &mut PgConnection,
    org: &Org,
    what: &str,
    format: Format,
    filter: &impl Serialize,
    after: Option<i64>,
) -> Result<(), AuditError> {
    let mut transaction = connection.begin().await?;
    let login: String = sqlx::query_scalar("select session_user::text")
        .fetch_one(&mut *transaction)
        .await?;
    let payload = Exported {
        version: 1,
        what,
        format,
        filter,
        after,
        token_id: None,
        token_name: None,
        login: Some(&login),
    };
    record(&mut transaction, org, AUDIT_EXPORTED, &payload).await?;
    transaction.commit().await?;
    Ok(())
}
