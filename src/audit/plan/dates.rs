//! A range of appointment dates: the decisions of each date are a stream, and they lie within a part of the ledger.

use std::ops::Range;

use chrono::NaiveDate;
use sqlx::PgPool;

use super::Scope;
use super::condition::Condition;
use super::stream::{Stream, Value};
use crate::audit::parameters::Order;

/// More dates than this are not looked at.
const MOST_DATES: i64 = 1_000;

/// So many dates are merged: people book some weeks ahead, so within a month of the ledger there are about as many.
const MOST_MERGED: usize = 100;

type Bounds = (Option<NaiveDate>, Option<NaiveDate>);

/// The dates of a range, each with its first and last decision.
#[derive(Debug)]
pub(super) struct Dates {
    asked: Bounds,
    found: Vec<(NaiveDate, i64, i64)>,
    are_all: bool,
}

impl Dates {
    /// The dates within the scope. If nothing else is searched for, a page's decisions are in those that a walk meets first: as many as
    /// the page has decisions. Then it is enough to know where the walk meets each, as far as they are merged at once.
    pub(super) async fn find(
        pool: &PgPool,
        scope: &Scope<'_>,
        asked: Bounds,
        page: Option<i64>,
    ) -> Result<Self, sqlx::Error> {
        let page = page.and_then(|limit| usize::try_from(limit).ok());
        let are_merged_at_once = page.is_some_and(|limit| limit <= MOST_MERGED);
        let wants_first = !are_merged_at_once || scope.order == Order::Oldest;
        let wants_last = !are_merged_at_once || scope.order == Order::Newest;
        let sql = include_str!("../../../sql/queries/find_dates.sql");
        let dates: Vec<(NaiveDate, Option<i64>, Option<i64>)> = sqlx::query_as(sql)
            .persistent(false)
            .bind(scope.org.as_str())
            .bind(asked.0)
            .bind(asked.1)
            .bind(scope.range.start)
            .bind(scope.range.end)
            .bind(MOST_DATES)
            .bind(wants_first)
            .bind(wants_last)
            .fetch_all(pool)
            .await?;
        let are_all = i64::try_from(dates.len()).is_ok_and(|dates| dates < MOST_DATES);
        let mut found: Vec<_> = (dates.into_iter())
            .filter_map(|(date, first, last)| {
                let first = first.or((!wants_first).then_some(scope.range.start))?;
                let last = last.or((!wants_last).then_some(scope.range.end - 1))?;
                Some((date, first, last))
            })
            .collect();
        // In the order in which a walk meets them.
        found.sort_by_key(|(_, first, last)| match scope.order {
            Order::Newest => -last,
            Order::Oldest => *first,
        });
        found.truncate(page.unwrap_or(usize::MAX));
        Ok(Self {
            asked,
            found,
            are_all,
        })
    }

    /// Where all of their decisions are.
    pub(super) fn range(&self, within: Range<i64>) -> Range<i64> {
        if !self.are_all {
            return within;
        }
        let first = self.found.iter().map(|(_, first, _)| *first).min();
        let last = self.found.iter().map(|(_, _, last)| *last).max();
        match (first, last) {
            (Some(first), Some(last)) => first..last.saturating_add(1),
            _ => within.start..within.start,
        }
    }

    /// The beginning of a range, as far as it has so few dates that they are merged, and their stream.
    pub(super) fn piece(&self, range: &Range<i64>, order: Order) -> (Range<i64>, Option<Stream>) {
        let within =
            |(_, first, last): &&(NaiveDate, i64, i64)| *last >= range.start && *first < range.end;
        let mut dates: Vec<_> = self.found.iter().filter(within).collect();
        let mut piece = range.clone();
        if let Some((_, first, last)) = dates.get(MOST_MERGED) {
            match order {
                Order::Newest => piece.start = piece.start.max(last.saturating_add(1)),
                Order::Oldest => piece.end = piece.end.min(*first),
            }
            dates.truncate(MOST_MERGED);
        }
        if !self.are_all || piece.is_empty() {
            return (range.clone(), None);
        }
        let prefix =
            |(date, ..): &&(NaiveDate, i64, i64)| vec![("d.appointment_date", Value::Date(*date))];
        let dates = dates.iter().map(prefix).collect();
        let covers = vec![Condition::Dates(self.asked.0, self.asked.1)];
        (piece, Some(Stream::of_index(dates, covers)))
    }
}
