//! A page's statement, as `with found as (…)`: the numbers of its decisions.

use sqlx::{Postgres, QueryBuilder};

use super::Scope;
use super::condition::Condition;
use super::stream::{Rest, Stream, push_conditions, push_decided, push_prefix};

/// What all statements of a page have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) limit: i64,
}

impl Asked<'_> {
    fn begin(self) -> QueryBuilder<Postgres> {
        QueryBuilder::new("with found as materialized (")
    }

    fn end(self, query: &mut QueryBuilder<Postgres>, column: &str) {
        (query.push(" order by ").push(column)).push(self.scope.order.as_sql());
        query.push(" limit ").push_bind(self.limit).push(") ");
    }

    /// The ledger itself, from its end.
    pub(super) fn everything(self) -> QueryBuilder<Postgres> {
        self.filtered(&[])
    }

    /// The same, as far as the conditions hold.
    pub(super) fn filtered(self, rest: &[&Condition]) -> QueryBuilder<Postgres> {
        let mut query = self.begin();
        query.push("select d.seq");
        push_decided(&mut query, self.scope);
        if !rest.is_empty() {
            query.push(" and ");
            push_conditions(&mut query, self.scope, rest);
        }
        self.end(&mut query, "d.seq");
        query
    }

    /// One stream, to its end if need be; the rest is looked up in its rows.
    pub(super) fn one(self, lead: &Stream, rest: &[&Condition]) -> QueryBuilder<Postgres> {
        let mut query = self.begin();
        query.push("select lead.seq from (");
        let limit = (rest.is_empty() || !lead.is_policy()).then_some(self.limit);
        lead.push(&mut query, self.scope, Rest::Holds(rest), limit);
        query.push(") as lead");
        if lead.is_policy() {
            self.push_rows(&mut query, "lead.seq", rest);
        }
        self.end(&mut query, "lead.seq");
        query
    }

    /// One stream, or the ledger itself, at most so many of its rows.
    pub(super) fn bounded(
        self,
        lead: Option<&Stream>,
        rest: &[&Condition],
        rows: i64,
    ) -> QueryBuilder<Postgres> {
        let mut query = self.begin();
        query.push("select lead.seq from (select * from (");
        match lead {
            Some(lead) => lead.push(&mut query, self.scope, Rest::Column(rest), Some(rows)),
            None => push_prefix(&mut query, self.scope, &Vec::new(), &Rest::Column(rest)),
        }
        (query.push(") as entries order by seq")).push(self.scope.order.as_sql());
        query.push(" limit ").push_bind(rows).push(") as lead");
        if lead.is_some_and(Stream::is_policy) {
            self.push_rows(&mut query, "lead.seq", rest);
        } else {
            query.push(" where lead.holds");
        }
        self.end(&mut query, "lead.seq");
        query
    }

    /// What is in two streams; the rest is looked up in its rows.
    pub(super) fn both(
        self,
        lead: &Stream,
        second: &Stream,
        rest: &[&Condition],
    ) -> QueryBuilder<Postgres> {
        let mut query = self.begin();
        query.push("select lead.seq from (");
        lead.push(&mut query, self.scope, Rest::Elsewhere, None);
        query.push(") as lead");
        self.push_rows(&mut query, "lead.seq", rest);
        // "is true" keeps it a look into a hash table: as a join it would be planned by what Postgres guesses of both.
        query.push(" where (lead.seq in (select second.seq from (");
        second.push(&mut query, self.scope, Rest::Elsewhere, None);
        query.push(") as second)) is true");
        self.end(&mut query, "lead.seq");
        query
    }

    /// The decisions' rows, one look-up each ("offset 0").
    fn push_rows(self, query: &mut QueryBuilder<Postgres>, seq: &str, rest: &[&Condition]) {
        if rest.is_empty() {
            return;
        }
        query.push(" cross join lateral (select");
        push_decided(query, self.scope);
        query.push(" and d.seq = ").push(seq).push(" and ");
        push_conditions(query, self.scope, rest);
        query.push(" offset 0) as row");
    }
}
