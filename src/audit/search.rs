//! The questions, asked of the database.

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Row};

use super::cursor::{Cursor, CursorError};
use super::decision::{Decision, DecisionDetail, DecisionRow};
use super::filter::Filter;
use super::{AuditError, explain, plan, range};
use crate::org::Org;

/// A search for decisions.
#[derive(Debug, Clone)]
pub struct Search {
    /// Which, in which order.
    pub filter: Filter,
    /// Only what comes after this ledger number in that order.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

impl Search {
    /// Goes on where an earlier page ended.
    ///
    /// # Errors
    /// When the text is no cursor of this search.
    pub fn go_on(&mut self, cursor: &str) -> Result<(), CursorError> {
        self.after = Some(Cursor::decode(cursor, &self.filter.digest())?);
        Ok(())
    }
}

/// A page of decisions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The decisions.
    pub items: Vec<Decision>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

struct DetailRow {
    decision: DecisionRow,
    request_body: Option<String>,
}

impl<'r> FromRow<'r, PgRow> for DetailRow {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            decision: DecisionRow::from_row(row)?,
            request_body: row.try_get("request_body")?,
        })
    }
}

/// A page of an organization's decisions.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn search_decisions(
    pool: &PgPool,
    org: &Org,
    search: &Search,
) -> Result<Page, AuditError> {
    let filter = &search.filter;
    let range = range::between(pool, org, filter.from, filter.until).await?;
    let range = range::after(range, search.after, filter.order);
    // One more than asked for tells whether there is a next page.
    let mut rows = plan::find(pool, org, filter, &range, i64::from(search.limit) + 1).await?;
    let has_more = rows.len() > usize::from(search.limit);
    rows.truncate(usize::from(search.limit));
    let next_cursor = (rows.last())
        .filter(|_| has_more)
        .map(|last| Cursor::after(last.seq, filter.digest()).encode());
    let items = (rows.into_iter())
        .map(|row| Ok(row.read()?.0))
        .collect::<Result<_, AuditError>>()?;
    Ok(Page { items, next_cursor })
}

/// One decision of an organization, with its request and response.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read_decision(
    pool: &PgPool,
    org: &Org,
    decision_id: i64,
) -> Result<Option<DecisionDetail>, AuditError> {
    let sql = include_str!("../../sql/queries/read_decision.sql");
    let row = sqlx::query_as::<_, DetailRow>(sql)
        .bind(org.as_str())
        .bind(decision_id)
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let request = (row.request_body.map(RawValue::from_string).transpose()).map_err(|source| {
        AuditError::Unreadable {
            org: org.to_string(),
            seq: decision_id,
            source,
        }
    })?;
    let (mut decision, response) = row.decision.read()?;
    let explanation = explain::explain(pool, org, &decision).await?;
    let (policies, organization) = explanation
        .map(|explanation| (explanation.policies, explanation.organization))
        .unzip();
    decision.policies = policies;
    Ok(Some(DecisionDetail {
        decision,
        organization,
        request,
        response,
    }))
}
