//! How a search is asked of the database: it looks before it leaps.
//!
//! Every index ends in the ledger number, so each of its values is a [`stream`] of decisions in order, and a search by one of them
//! reads the stream's end and stops when the page is full. Of several conditions the rarest should lead, and the others be looked up
//! in the rows that it leads to. Which one that is, Postgres would guess from statistics over the whole table; here each stream's next
//! few entries are read first ([`look`]), which says how rare it is just where this page begins, costs a fraction of a millisecond and is never out of date.
//!
//! Two conditions that are frequent but hardly ever meet would make the leader read on and on. So it reads a bounded number of rows;
//! if they do not fill the page, its stream is merged with the next rarest, number by number, from the indexes alone, one part of the
//! ledger after the other.

mod condition;
mod dates;
mod look;
mod query;
mod stream;

use std::ops::Range;

use sqlx::{PgPool, Postgres, QueryBuilder};

use self::condition::Condition;
use self::dates::Dates;
use self::query::Asked;
use self::stream::Stream;
use super::decision::DecisionRow;
use super::filter::Filter;
use super::parameters::Order;
use crate::org::Org;

/// A row costs about as much as 20 entries of an index, and 1,000 rows about 4 ms.
const ENTRIES_FOR_A_ROW: f64 = 20.0;
const ROWS_AT_FIRST: i64 = 1_000;
/// So many times as many rows as at first still cost less than merging two streams.
const MOST_TIMES: i64 = 3;

/// A part of the ledger has so many entries of the rarest stream at first, later more, but never so many that Postgres could not keep the
/// second stream's in a hash table of its default memory.
const ENTRIES_AT_FIRST: f64 = 2_000.0;
const MOST_ENTRIES: f64 = 60_000.0;

/// Dates are merged with what has more than this part of all decisions; of what is rarer the rows are read.
const DENSE: f64 = 0.01;

/// Where to look: a part of one organization's ledger, in one order.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) org: &'a Org,
    pub(super) range: Range<i64>,
    pub(super) order: Order,
}

impl<'a> Scope<'a> {
    /// What is left of a range after this one, which begins it.
    fn left_of(&self, range: Range<i64>) -> Range<i64> {
        match self.order {
            Order::Newest => range.start..self.range.start,
            Order::Oldest => self.range.end..range.end,
        }
    }

    /// Whether a walk through this begins where one through a range that has all of it has gone for a while.
    fn begins_elsewhere_than(&self, range: &Range<i64>) -> bool {
        let gone = match self.order {
            Order::Newest => range.end - self.range.end,
            Order::Oldest => self.range.start - range.start,
        };
        gone > ROWS_AT_FIRST
    }

    /// The beginning of a range.
    fn begin_of(&self, range: &Range<i64>, events: i64) -> Scope<'a> {
        let range = match self.order {
            Order::Newest => range.start.max(range.end.saturating_sub(events))..range.end,
            Order::Oldest => range.start..range.end.min(range.start.saturating_add(events)),
        };
        Scope { range, ..*self }
    }
}

/// At most so many decisions of a search within a range of the ledger, in its order.
pub(super) async fn find(
    pool: &PgPool,
    org: &Org,
    filter: &Filter,
    range: &Range<i64>,
    limit: i64,
) -> Result<Vec<DecisionRow>, sqlx::Error> {
    let Some(conditions) = condition::of(pool, org, filter).await? else {
        return Ok(Vec::new());
    };
    let Some(mut streams) = look::streams(pool, org, &conditions).await? else {
        return Ok(Vec::new());
    };
    let mut scope = Scope {
        org,
        range: range.clone(),
        order: filter.order,
    };
    if conditions.len() > 1 {
        look::look(pool, &mut scope, &mut streams).await?;
    }
    let rest: Vec<&Condition> = (conditions.iter())
        .filter(|condition| !streams.first().is_some_and(|lead| lead.covers(condition)))
        .collect();
    let asked = Asked {
        scope: &scope,
        limit,
    };
    match streams.first() {
        None if rest.is_empty() => return read(pool, &scope, asked.everything()).await,
        Some(lead) if rest.is_empty() || lead.entries(&scope) < ROWS_AT_FIRST as f64 => {
            return read(pool, &scope, asked.one(lead, &rest)).await;
        }
        lead => {
            let found = walk(pool, asked, lead, &rest).await?;
            if found.len() as i64 == limit {
                return Ok(found);
            }
        }
    }
    let mut dates = None;
    if filter.appointment_from.is_some() || filter.appointment_until.is_some() {
        let asked = (filter.appointment_from, filter.appointment_until);
        let page = (conditions.len() == 1).then_some(limit);
        let found = Dates::find(pool, &scope, asked, page).await?;
        let whole = scope.range.clone();
        scope.range = found.range(whole.clone());
        if !streams.is_empty() && scope.begins_elsewhere_than(&whole) {
            look::look(pool, &mut scope, &mut streams).await?;
        }
        dates = Some(found);
    }
    find_by_windows(pool, &scope, &conditions, (streams, dates), limit).await
}

/// A bounded number of rows: of the rarest stream, or else of the ledger itself. If they have some of the page and not all, a few more
/// may have the rest.
async fn walk(
    pool: &PgPool,
    asked: Asked<'_>,
    lead: Option<&Stream>,
    rest: &[&Condition],
) -> Result<Vec<DecisionRow>, sqlx::Error> {
    let rows = match lead {
        Some(_) => ROWS_AT_FIRST.max(asked.limit.saturating_mul(10)),
        None => asked.limit.saturating_mul(4),
    };
    let found = read(pool, asked.scope, asked.bounded(lead, rest, rows)).await?;
    let found_rows = found.len() as i64;
    if found_rows == 0 || found_rows == asked.limit {
        return Ok(found);
    }
    let wanted = rows.saturating_mul(asked.limit) / found_rows;
    if wanted > MOST_TIMES * rows {
        return Ok(found);
    }
    let rows = wanted + wanted / 2;
    read(pool, asked.scope, asked.bounded(lead, rest, rows)).await
}

/// One part of the ledger after the other, by the two rarest streams.
async fn find_by_windows(
    pool: &PgPool,
    scope: &Scope<'_>,
    conditions: &[Condition],
    (mut streams, dates): (Vec<Stream>, Option<Dates>),
    limit: i64,
) -> Result<Vec<DecisionRow>, sqlx::Error> {
    let mut rows = Vec::new();
    let mut left = scope.range.clone();
    let mut entries = ENTRIES_AT_FIRST;
    let mut is_first = true;
    while !left.is_empty() && (rows.len() as i64) < limit {
        if !std::mem::take(&mut is_first) {
            // What was rare where the page began may be frequent here.
            let range = left.clone();
            look::look(pool, &mut Scope { range, ..*scope }, &mut streams).await?;
        }
        let mut window = match (streams.first(), streams.get(1)) {
            (Some(lead), second) => scope.begin_of(&left, lead.events_with(entries, second)),
            (None, _) => scope.begin_of(&left, i64::MAX),
        };
        let mut by_date = None;
        let is_dense = |lead: &Stream| lead.share() > DENSE;
        if let Some(dates) = dates
            .as_ref()
            .filter(|_| streams.first().is_none_or(is_dense))
        {
            (window.range, by_date) = dates.piece(&window.range, scope.order);
        }
        left = window.left_of(left);
        if let Some(by_date) = by_date.as_mut().filter(|_| !streams.is_empty()) {
            look::look(pool, &mut window, std::slice::from_mut(by_date)).await?;
        }
        let mut by_rarity: Vec<&Stream> = streams.iter().chain(&by_date).collect();
        by_rarity.sort_by(|one, other| one.share().total_cmp(&other.share()));
        let second = by_rarity.get(1).filter(|second| {
            by_rarity
                .first()
                .is_some_and(|lead| second.share() < lead.share() * ENTRIES_FOR_A_ROW)
        });
        let asked = Asked {
            scope: &window,
            limit: limit - rows.len() as i64,
        };
        let rest = |streams: &[&Stream]| -> Vec<&Condition> {
            let is_rest = |condition: &&Condition| !streams.iter().any(|s| s.covers(condition));
            conditions.iter().filter(is_rest).collect()
        };
        let query = match (by_rarity.first(), second) {
            // Whatever has no stream: dates, if there are too many.
            (None, _) => asked.filtered(&rest(&[])),
            (Some(lead), None) => asked.one(lead, &rest(&[lead])),
            (Some(lead), Some(second)) => asked.both(lead, second, &rest(&[lead, second])),
        };
        rows.extend(read(pool, &window, query).await?);
        entries = (entries * 4.0).min(MOST_ENTRIES);
    }
    Ok(rows)
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
