//! The questions, asked of the database.

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, FromRow, PgPool, Postgres, QueryBuilder, Row};

use super::AuditError;
use super::cursor::Cursor;
use super::decision::{Decision, DecisionDetail, DecisionRow};
use super::filter::Filter;
use crate::org::Org;

/// A search for decisions.
#[derive(Debug, Clone)]
pub struct Search {
    /// Which.
    pub filter: Filter,
    /// Only older than this ledger number, as a cursor says.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

/// A page of decisions, newest first.
#[derive(Debug, Serialize)]
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
    let mut query = QueryBuilder::<Postgres>::with_arguments(
        include_str!("../../sql/queries/search_decisions.sql"),
        first_binds(org, search.before)?,
    );
    search.filter.push_to(&mut query);
    // One more than asked for tells whether there is a next page.
    query
        .push(" order by decided.seq desc limit ")
        .push_bind(i64::from(search.limit) + 1);
    let mut rows: Vec<DecisionRow> = query.build_query_as().fetch_all(pool).await?;
    let has_more = rows.len() > usize::from(search.limit);
    rows.truncate(usize::from(search.limit));
    let next_cursor = (rows.last())
        .filter(|_| has_more)
        .map(|last| Cursor::after(last.seq, &search.filter).encode());
    let items = (rows.into_iter())
        .map(|row| Ok(row.read()?.0))
        .collect::<Result<_, AuditError>>()?;
    Ok(Page { items, next_cursor })
}

fn first_binds(org: &Org, before: Option<i64>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    let added = arguments
        .add(org.as_str())
        .and_then(|()| arguments.add(before.unwrap_or(i64::MAX)));
    added.map_err(sqlx::Error::Encode)?;
    Ok(arguments)
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
    let (decision, response) = row.decision.read()?;
    Ok(Some(DecisionDetail {
        decision,
        request,
        response,
    }))
}
