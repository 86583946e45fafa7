//! What auditors take along is on the ledger, too.

use serde::Serialize;
use sqlx::{Connection as _, PgPool};

use super::AuditError;
use super::export::Format;
use crate::access::tokens::Caller;
use crate::ledger::event::AUDIT_EXPORTED;
use crate::ledger::record::record;

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
    record(&mut transaction, &caller.org, AUDIT_EXPORTED, &payload).await?;
    transaction.commit().await?;
    Ok(())
}
