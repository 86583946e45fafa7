//! How a search is asked of the database: it looks before it leaps.
//!
//! Every index ends in the ledger number, so each of its values is a [`stream`] of decisions in order, and a search by one of them
//! reads the stream's end and stops when the page is full. Of several conditions the rarest should lead, and the others be looked up
//! in the rows that it leads to. Which one that is, Postgres would guess from statistics over the whole table; here each stream's next
//! few entries are read first ([`look`]), which says how rare it is just where this page begins, costs a fraction of a millisecond and is never out of date.
//!
//! Two conditions that are frequent but hardly ever meet would make the leader read on and on. So it reads a bounded number of rows;
//! if they do not fill the page, its stream is merged with the next rarest, number by number, from the indexes alone.

mod condition;
mod look;
mod query;
mod stream;

use std::ops::Range;

use sqlx::{PgPool, Postgres, QueryBuilder};

use self::condition::Condition;
use self::query::Asked;
use self::stream::Stream;
use super::decision::DecisionRow;
use super::filter::Filter;
use super::parameters::Order;
use crate::org::Org;

/// A row costs about as much as 30 entries of an index, and 2,000 rows about 8 ms.
const ENTRIES_FOR_A_ROW: f64 = 30.0;
const ROWS_AT_FIRST: i64 = 2_000;

/// Where to look: a part of one organization's ledger, in one order.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) org: &'a Org,
    pub(super) range: Range<i64>,
    pub(super) order: Order,
}

/// At most so many decisions of a search within a range of the ledger, in its order.
pub(super) async fn find(
    pool: &PgPool,
    org: &Org,
    filter: &Filter,
    range: &Range<i64>,
    limit: i64,
) -> Result<Vec<DecisionRow>, sqlx::Error> {
    let mut scope = Scope {
        org,
        range: range.clone(),
        order: filter.order,
    };
    let Some(conditions) = condition::of(pool, org, filter).await? else {
        return Ok(Vec::new());
    };
    let Some(streams) = look::streams(pool, &mut scope, &conditions, limit).await? else {
        return Ok(Vec::new());
    };
    let rest = |streams: &[&Stream]| -> Vec<&Condition> {
        let is_rest = |condition: &&Condition| !streams.iter().any(|s| s.covers(condition));
        conditions.iter().filter(is_rest).collect()
    };
    let asked = Asked {
        scope: &scope,
        limit,
    };
    let Some(lead) = streams.first() else {
        return read(pool, &scope, asked.everything(&rest(&[]))).await;
    };
    let others = rest(&[lead]);
    if others.is_empty() || lead.is_read_to_its_end() {
        return read(pool, &scope, asked.one(lead, &others)).await;
    }
    let second = (streams.get(1))
        .filter(|second| second.entries(&scope) < lead.entries(&scope) * ENTRIES_FOR_A_ROW);
    let at_first = ROWS_AT_FIRST.max(limit.saturating_mul(10));
    let kept: f64 = (streams[1..].iter()).map(|other| other.share()).product();
    let expected = (limit as f64 / kept).min(lead.entries(&scope));
    let Some(second) = second else {
        return read(pool, &scope, asked.one(lead, &others)).await;
    };
    if expected <= at_first as f64 {
        let found = read(pool, &scope, asked.bounded(lead, &others, at_first)).await?;
        if found.len() as i64 == limit {
            return Ok(found);
        }
    }
    read(
        pool,
        &scope,
        asked.both(lead, second, &rest(&[lead, second])),
    )
    .await
}

async fn read(
    pool: &PgPool,
    scope: &Scope<'_>,
    mut query: QueryBuilder<Postgres>,
) -> Result<Vec<DecisionRow>, sqlx::Error> {
    query.push(include_str!("../../../sql/queries/read_found.sql"));
    (query.push(" where decided.org = ")).push_bind(scope.org.as_str().to_owned());
    (query.push(" order by decided.seq")).push(scope.order.as_sql());
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await
}
