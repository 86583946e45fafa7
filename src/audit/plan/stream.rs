//! Decisions in the ledger's order, out of an index: of one value, or of a few values merged.

use std::mem::discriminant;

use chrono::NaiveDate;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::Scope;
use super::condition::{Condition, Met};
use crate::ledger::append::MOST_EVENTS_OF_A_BATCH;

/// So many entries of each stream are looked at.
pub(super) const LOOKED_AT: i64 = 200;

/// What an index finds: all of its columns but the ledger number.
pub(super) type Prefix = Vec<(&'static str, Value)>;

/// The value of an index's column.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Id(Uuid),
    Text(String),
    Number(i32),
    Date(NaiveDate),
    Hash(i64),
    Null,
}

#[derive(Debug)]
enum Source {
    /// `ledger.events`, by prefixes of one index that do not overlap.
    Index(Vec<Prefix>),
    /// `ledger.policy_hits`.
    Policy(Met),
}

/// What was seen of a stream at its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// At most [`LOOKED_AT`].
    pub(super) entries: i64,
    /// Within so many events.
    pub(super) events: i64,
}

/// A way to the decisions that fulfil some of a search's conditions.
#[derive(Debug)]
pub(super) struct Stream {
    source: Source,
    covers: Vec<Condition>,
    seen: Option<Seen>,
}

impl Stream {
    pub(super) fn of_index(prefixes: Vec<Prefix>, covers: Vec<Condition>) -> Self {
        Self {
            source: Source::Index(prefixes),
            covers,
            seen: None,
        }
    }

    pub(super) fn of_policy(met: &Met) -> Self {
        Self {
            source: Source::Policy(met.clone()),
            covers: vec![Condition::Policy(met.clone())],
            seen: None,
        }
    }

    /// Whether what it leads to fulfils the condition.
    pub(super) fn covers(&self, condition: &Condition) -> bool {
        (self.covers.iter()).any(|covered| discriminant(covered) == discriminant(condition))
    }

    /// What was seen of it, or of the same search's stream before.
    pub(super) fn was_seen(&mut self, seen: Option<Seen>) {
        self.seen = seen;
    }

    /// Its part of all decisions, as far as was looked.
    pub(super) fn share(&self) -> f64 {
        // Every other event or so is a decision.
        let share = |seen: Seen| 2.0 * seen.entries as f64 / seen.events.max(1) as f64;
        self.seen.map_or(1.0, share).clamp(1e-9, 1.0)
    }

    /// About how many entries it has.
    pub(super) fn entries(&self, scope: &Scope<'_>) -> f64 {
        match self.seen {
            Some(seen) if seen.entries < LOOKED_AT => seen.entries as f64,
            _ => self.share() * (scope.range.end.saturating_sub(scope.range.start)) as f64 / 2.0,
        }
    }

    /// Within how many events there are so many of its entries, and of a second stream's not many more.
    pub(super) fn events_with(&self, entries: f64, second: Option<&Self>) -> i64 {
        let of_two = second.map_or(0.0, |second| second.share() / 4.0);
        (2.0 * entries / self.share().max(of_two)) as i64
    }

    pub(super) fn is_policy(&self) -> bool {
        matches!(self.source, Source::Policy(_))
    }

    /// Its rows: `seq`, and what else is asked of the row `d`. Of an index they come in order, for as long as they are asked for.
    pub(super) fn push(
        &self,
        query: &mut QueryBuilder<Postgres>,
        scope: &Scope<'_>,
        rest: Rest<'_>,
        limit: Option<i64>,
    ) {
        match &self.source {
            Source::Index(prefixes) => {
                if let Some(columns) = columns(prefixes, &rest, limit) {
                    return push_values(query, scope, (&columns, prefixes), &rest, limit);
                }
                for (number, prefix) in prefixes.iter().enumerate() {
                    query.push(if number > 0 { " union all (" } else { "(" });
                    push_prefix(query, scope, prefix, &rest);
                    // Each in order, so that they are merged as far as they are read, and never sorted.
                    if prefixes.len() > 1 {
                        push_order(query, scope, prefix, limit);
                    }
                    query.push(")");
                }
            }
            Source::Policy(met) => push_policy(query, scope, met, limit),
        }
    }
}

/// Postgres plans each part of a union by itself, with every index there is. So few are planned sooner than a page of each is read, or
/// all of a window instead of its beginning.
const FEW_FOR_A_PAGE: usize = 3;
const FEW_FOR_A_WINDOW: usize = 8;

/// The columns of prefixes that are read by [`push_values`].
fn columns(prefixes: &[Prefix], rest: &Rest<'_>, limit: Option<i64>) -> Option<Vec<&'static str>> {
    let is_null = |(_, value): &(&str, Value)| matches!(value, Value::Null);
    let few = limit.map_or(FEW_FOR_A_WINDOW, |_| FEW_FOR_A_PAGE);
    let are_apart = prefixes.len() > few
        && !matches!(rest, Rest::Column(_))
        && !prefixes.iter().flatten().any(is_null);
    let columns = |prefix: &Prefix| prefix.iter().map(|(column, _)| *column).collect();
    prefixes.first().filter(|_| are_apart).map(columns)
}

/// What becomes of the conditions that the stream does not cover.
pub(super) enum Rest<'a> {
    /// Nothing: they are looked at elsewhere.
    Elsewhere,
    /// They must hold.
    Holds(&'a [&'a Condition]),
    /// Whether they hold, as the column `holds`.
    Column(&'a [&'a Condition]),
}

pub(super) fn push_conditions(
    query: &mut QueryBuilder<Postgres>,
    scope: &Scope<'_>,
    conditions: &[&Condition],
) {
    for (number, condition) in conditions.iter().enumerate() {
        query.push(if number > 0 { " and " } else { "" });
        condition.push(query, scope.org);
    }
}

/// Decisions of the table itself, as `d`.
pub(super) fn push_decided(query: &mut QueryBuilder<Postgres>, scope: &Scope<'_>) {
    query.push(" from ledger.events as d where d.org = ");
    query.push_bind(scope.org.as_str().to_owned());
    query.push(" and d.type = 'booking.decided'");
    push_range(query, "d.seq", scope);
}

pub(super) fn push_prefix(
    query: &mut QueryBuilder<Postgres>,
    scope: &Scope<'_>,
    prefix: &Prefix,
    rest: &Rest<'_>,
) {
    query.push("select d.seq");
    if let Rest::Column(conditions) = rest {
        query.push(", coalesce(");
        push_conditions(query, scope, conditions);
        query.push(", false) as holds");
    }
    push_decided(query, scope);
    for (column, value) in prefix {
        query.push(" and ").push(*column);
        query.push(if matches!(value, Value::Null) {
            " is "
        } else {
            " = "
        });
        push_value(query, value);
    }
    if let Rest::Holds(conditions @ [_, ..]) = rest {
        query.push(" and ");
        push_conditions(query, scope, conditions);
    }
}

/// Many prefixes of the same columns, planned once: the first entries of each, or all, one prefix after the other.
fn push_values(
    query: &mut QueryBuilder<Postgres>,
    scope: &Scope<'_>,
    (columns, prefixes): (&[&'static str], &[Prefix]),
    rest: &Rest<'_>,
    limit: Option<i64>,
) {
    query.push("select entry.seq from (values ");
    for (number, prefix) in prefixes.iter().enumerate() {
        query.push(if number > 0 { ", (" } else { "(" });
        for (number, (_, value)) in prefix.iter().enumerate() {
            query.push(if number > 0 { ", " } else { "" });
            push_value(query, value);
        }
        query.push(")");
    }
    query.push(") as v (");
    for number in 0..columns.len() {
        (query.push(if number > 0 { ", c" } else { "c" })).push(number);
    }
    query.push(") cross join lateral (select d.seq");
    push_decided(query, scope);
    for (number, column) in columns.iter().enumerate() {
        (query.push(" and ").push(*column))
            .push(" = v.c")
            .push(number);
    }
    if let Rest::Holds(conditions @ [_, ..]) = rest {
        query.push(" and ");
        push_conditions(query, scope, conditions);
    }
    match limit {
        Some(limit) => {
            (query.push(" order by d.seq")).push(scope.order.as_sql());
            query.push(" limit ").push_bind(limit)
        }
        // A look-up each, not a join.
        None => query.push(" offset 0"),
    };
    query.push(") as entry");
}

fn push_value(query: &mut QueryBuilder<Postgres>, value: &Value) {
    match value {
        Value::Id(id) => query.push_bind(*id),
        Value::Text(text) => query.push_bind(text.clone()),
        Value::Number(number) => query.push_bind(*number),
        Value::Date(date) => query.push_bind(*date),
        Value::Hash(hash) => query.push_bind(*hash),
        Value::Null => query.push("null"),
    };
}

/// Postgres does not see that the rows of one null are in the order of the next column: they are asked for in the index's own order,
/// and sorted once they are few. Without the limit, each part would be planned to be read whole.
fn push_order(
    query: &mut QueryBuilder<Postgres>,
    scope: &Scope<'_>,
    prefix: &Prefix,
    limit: Option<i64>,
) {
    let order = scope.order.as_sql();
    query.push(" order by ");
    let null = (prefix.iter()).find(|(_, value)| matches!(value, Value::Null));
    if let (Some((column, _)), Some(_)) = (null, limit) {
        query.push(*column).push(order).push(", ");
    }
    query.push("d.seq").push(order);
    if let Some(limit) = limit {
        query.push(" limit ").push_bind(limit);
    }
}

/// Batches do not overlap, so going through them in their order goes through their decisions in theirs.
fn push_policy(
    query: &mut QueryBuilder<Postgres>,
    scope: &Scope<'_>,
    met: &Met,
    limit: Option<i64>,
) {
    query.push("select page.seq from unnest(");
    query.push_bind(met.verdicts.clone());
    query.push("::text[], ");
    query.push_bind(met.modes.clone());
    query.push(
        "::text[]) as v (verdict, mode) cross join lateral (select hit.seq from ledger.policy_hits as hits
         cross join unnest(hits.seqs) as hit (seq) where hits.org = ",
    );
    query.push_bind(scope.org.as_str().to_owned());
    (query.push(" and hits.policy_kind = ")).push_bind(met.kind.clone());
    (query.push(" and hits.policy_id = ")).push_bind(met.id);
    query.push(" and hits.verdict = v.verdict and hits.mode = v.mode and hits.batch_seq >= ");
    query.push_bind(scope.range.start);
    query.push(" and hits.batch_seq < ");
    query.push_bind(scope.range.end.saturating_add(MOST_EVENTS_OF_A_BATCH));
    push_range(query, "hit.seq", scope);
    if let Some(limit) = limit {
        let order = scope.order.as_sql();
        (query.push(" order by hits.batch_seq").push(order)).push(", hit.seq");
        query.push(order).push(" limit ").push_bind(limit);
    }
    query.push(") as page");
}

fn push_range(query: &mut QueryBuilder<Postgres>, column: &str, scope: &Scope<'_>) {
    (query.push(" and ").push(column).push(" >= ")).push_bind(scope.range.start);
    (query.push(" and ").push(column).push(" < ")).push_bind(scope.range.end);
}
