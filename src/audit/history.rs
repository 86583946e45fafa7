//! How a policy came to be what it is: every change of its row.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{FromRow, PgPool};

use super::AuditError;
use super::cursor::{Cursor, CursorError};
use super::policies::{Change, json};
use crate::org::Org;

/// One change in a policy's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Who, when, why.
    #[serde(flatten)]
    pub change: Change,
    /// The row before.
    #[schema(value_type = Option<Object>)]
    pub old: Option<Box<RawValue>>,
    /// The row after.
    #[schema(value_type = Option<Object>)]
    pub new: Option<Box<RawValue>>,
}

/// A page of a policy's history, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    /// The changes.
    pub items: Vec<HistoryEntry>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

#[derive(Debug, FromRow)]
struct HistoryRow {
    seq: i64,
    recorded_at: DateTime<Utc>,
    r#type: String,
    changed_by: Option<String>,
    old_row: Option<String>,
    new_row: Option<String>,
}

/// A page of one policy's changes, newest first.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn policy_history(
    pool: &PgPool,
    org: &Org,
    (kind, id): (&str, i64),
    before: Option<i64>,
    limit: u16,
) -> Result<HistoryPage, AuditError> {
    let mut rows: Vec<HistoryRow> =
        sqlx::query_as(include_str!("../../sql/queries/read_policy_history.sql"))
            .bind(org.as_str())
            .bind(kind)
            .bind(id)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit) + 1)
            .fetch_all(pool)
            .await?;
    let has_more = rows.len() > usize::from(limit);
    rows.truncate(usize::from(limit));
    let next_cursor = (rows.last())
        .filter(|_| has_more)
        .map(|last| Cursor::after(last.seq, history_search(kind, id)).encode());
    let items = (rows.into_iter())
        .map(|row| {
            Ok(HistoryEntry {
                change: Change {
                    event_id: row.seq,
                    recorded_at: row.recorded_at,
                    r#type: Some(row.r#type),
                    changed_by: json(org, row.seq, row.changed_by)?,
                },
                old: json(org, row.seq, row.old_row)?,
                new: json(org, row.seq, row.new_row)?,
            })
        })
        .collect::<Result<_, AuditError>>()?;
    Ok(HistoryPage { items, next_cursor })
}

/// Where a page of a policy's history goes on.
///
/// # Errors
/// When the text is no cursor of this history.
pub fn history_cursor(text: &str, (kind, id): (&str, i64)) -> Result<i64, CursorError> {
    Cursor::decode(text, &history_search(kind, id))
}

fn history_search(kind: &str, id: i64) -> String {
    format!("{kind} {id}")
}
