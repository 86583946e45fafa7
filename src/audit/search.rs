//! The questions, asked of the database.

use std::ops::Range;

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row};

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
    let mut rows = find(pool, org, filter, &range, i64::from(search.limit) + 1).await?;
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

/// At most so many decisions within a range of the ledger, in the filter's order.
pub(super) async fn find(
    pool: &PgPool,
    org: &Org,
    filter: &Filter,
    range: &Range<i64>,
    limit: i64,
) -> Result<Vec<DecisionRow>, sqlx::Error> {
    let reasons = match &filter.reason {
        None => Vec::new(),
        Some(part) => find_reasons(pool, org, part).await?,
    };
    if filter.reason.is_some() && reasons.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Postgres>::new("");
    plan::push_found(&mut query, org, filter, &reasons, range, limit);
    query.push(include_str!("../../sql/queries/read_found.sql"));
    query
        .push(" where decided.org = ")
        .push_bind(org.as_str().to_owned());
    query
        .push(" order by decided.seq")
        .push(filter.order.as_sql());
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await
}

/// The distinct reasons that have this part, as their hashes.
async fn find_reasons(pool: &PgPool, org: &Org, part: &str) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar(include_str!("../../sql/queries/find_reasons.sql"))
        .bind(org.as_str())
        .bind(part)
        .fetch_all(pool)
        .await
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
    decision.policies = explain::explain(pool, org, &decision).await?;
    Ok(Some(DecisionDetail {
        decision,
        request,
        response,
    }))
}
