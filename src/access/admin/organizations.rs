//! Organizations, and whether their webhook calls must be signed.

use serde::Serialize;
use sqlx::{Connection as _, PgConnection};

use super::AdminError;
use crate::ledger::event::{SIGNATURE_REQUIRED, SIGNATURE_WAIVED};
use crate::ledger::record::record;
use crate::org::Org;

/// An organization as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationEntry {
    /// Its name.
    pub org: String,
    /// enforce or shadow.
    pub mode: String,
    /// How many secrets are live.
    pub live_secrets: i64,
    /// Whether unsigned webhook calls are accepted.
    pub accepts_unsigned: bool,
}

type Row = (String, String, i64, bool);

fn entry((org, mode, live_secrets, accepts_unsigned): Row) -> OrganizationEntry {
    OrganizationEntry {
        org,
        mode,
        live_secrets,
        accepts_unsigned,
    }
}

/// Makes an organization; false if it exists.
pub async fn add(connection: &mut PgConnection, org: &Org) -> Result<bool, AdminError> {
    let added = sqlx::query(include_str!("../../../sql/queries/insert_organization.sql"))
        .bind(org.as_str())
        .execute(connection)
        .await?;
    Ok(added.rows_affected() == 1)
}

/// All organizations.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<OrganizationEntry>, AdminError> {
    let rows: Vec<Row> =
        sqlx::query_as(include_str!("../../../sql/queries/list_organizations.sql"))
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Whether there is such an organization, before what it has is looked for.
pub async fn require(connection: &mut PgConnection, org: &Org) -> Result<(), AdminError> {
    let organizations = list(connection).await?;
    let exists = organizations.iter().any(|entry| entry.org == org.as_str());
    exists
        .then_some(())
        .ok_or_else(|| AdminError::unknown_org(org))
}

/// Accepts webhook calls without a signature from now on; false if that was so already.
pub async fn accept_unsigned(connection: &mut PgConnection, org: &Org) -> Result<bool, AdminError> {
    let mut transaction = connection.begin().await?;
    let accepted: Option<(bool, String)> =
        sqlx::query_as(include_str!("../../../sql/queries/allow_unsigned.sql"))
            .bind(org.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
    let (is_new, changed_by) = accepted.ok_or_else(|| AdminError::unknown_org(org))?;
    if is_new {
        record_signature(&mut transaction, org, SIGNATURE_WAIVED, &changed_by).await?;
    }
    transaction.commit().await?;
    Ok(is_new)
}

/// Wants every webhook call signed from now on; false if that was so already.
pub async fn require_signature(
    connection: &mut PgConnection,
    org: &Org,
) -> Result<bool, AdminError> {
    let mut transaction = connection.begin().await?;
    let changed_by: Option<String> =
        sqlx::query_scalar(include_str!("../../../sql/queries/forbid_unsigned.sql"))
            .bind(org.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
    if let Some(changed_by) = &changed_by {
        record_signature(&mut transaction, org, SIGNATURE_REQUIRED, changed_by).await?;
    }
    transaction.commit().await?;
    Ok(changed_by.is_some())
}

/// Whether calls must be signed, as the ledger is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignatureChanged<'a> {
    version: u32,
    changed_by: &'a str,
}

async fn record_signature(
    transaction: &mut PgConnection,
    org: &Org,
    event_type: &'static str,
    changed_by: &str,
) -> Result<(), sqlx::Error> {
    let changed = SignatureChanged {
        version: 1,
        changed_by,
    };
    record(transaction, org, event_type, &changed).await
}
