//! The search over events of every type.

use std::ops::Range;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::cursor::{Cursor, CursorError};
use super::described;
use super::event::{Event, EventRow};
use super::filter::digest;
use super::parameters::{self, Order, ParameterFault};
use super::{AuditError, range};
use crate::org::Org;

/// Which events, and in which order: all conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// Recorded at or after this time (RFC 3339) or day (its midnight, UTC).
    #[param(required = false, inline, value_type = described::Time)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time or day.
    #[param(required = false, inline, value_type = described::Time)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The type, such as `policy.updated`.
    #[param(required = false, inline, value_type = described::EventType)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The Cubu case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<Uuid>,
    /// Changes of this policy table.
    #[param(required = false, inline, value_type = described::PolicyKind)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_kind: Option<String>,
    /// Changes of this policy; needs policyKind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<i64>,
    /// `newest` first, unless `oldest`.
    #[param(required = false, inline)]
    pub order: Order,
}

impl EventFilter {
    /// Takes a query parameter. `false`: no filter has this name.
    ///
    /// # Errors
    /// When the filter has this name and cannot take this value.
    pub fn add(&mut self, name: &str, value: &str) -> Result<bool, ParameterFault> {
        self.set(name, value)
            .map_err(|message| ParameterFault::new(name, message))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<bool, &'static str> {
        use parameters::{event_type, guid, kind, order, policy_id, time};
        match name {
            "from" => self.from = time(value)?,
            "until" => self.until = time(value)?,
            "type" => self.r#type = event_type(value)?,
            "caseId" => self.case_id = guid(value)?,
            "policyKind" => self.policy_kind = kind(value)?,
            "policyId" => self.policy_id = policy_id(value)?,
            "order" => self.order = order(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What is wrong with the parameters together.
    ///
    /// # Errors
    /// When some need others.
    pub fn check(&self) -> Result<(), Vec<ParameterFault>> {
        if self.policy_id.is_some() && self.policy_kind.is_none() {
            let message = "needs policyKind: a policy is a kind and an id";
            return Err(vec![ParameterFault::new("policyId", message)]);
        }
        Ok(())
    }
}

/// A search for events.
#[derive(Debug, Clone)]
pub struct EventSearch {
    /// Which, in which order.
    pub filter: EventFilter,
    /// Only what comes after this ledger number in that order.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

impl EventSearch {
    /// Goes on where an earlier page ended.
    ///
    /// # Errors
    /// When the text is no cursor of this search.
    pub fn go_on(&mut self, cursor: &str) -> Result<(), CursorError> {
        self.after = Some(Cursor::decode(cursor, &digest(&self.filter))?);
        Ok(())
    }
}

/// A page of events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// A page of an organization's events.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn search_events(
    pool: &PgPool,
    org: &Org,
    search: &EventSearch,
) -> Result<EventPage, AuditError> {
    let filter = &search.filter;
    let range = range::between(pool, org, filter.from, filter.until).await?;
    let range = range::after(range, search.after, filter.order);
    // One more than asked for tells whether there is a next page.
    let mut rows = find(pool, org, filter, &range, i64::from(search.limit) + 1).await?;
    let has_more = rows.len() > usize::from(search.limit);
    rows.truncate(usize::from(search.limit));
    let next_cursor = (rows.last())
        .filter(|_| has_more)
        .map(|last| Cursor::after(last.seq, digest(filter)).encode());
    let items = (rows.into_iter().map(EventRow::read)).collect::<Result<_, AuditError>>()?;
    Ok(EventPage { items, next_cursor })
}

/// At most so many events within a range of the ledger, in the filter's order.
pub(super) async fn find(
    pool: &PgPool,
    org: &Org,
    filter: &EventFilter,
    range: &Range<i64>,
    limit: i64,
) -> Result<Vec<EventRow>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("with ");
    push_found(&mut query, org, filter, range, limit);
    query.push(include_str!("../../sql/queries/read_found_events.sql"));
    query
        .push(" where e.org = ")
        .push_bind(org.as_str().to_owned());
    query.push(" order by e.seq").push(filter.order.as_sql());
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await
}

pub(super) fn read(row: EventRow) -> Result<Event, AuditError> {
    row.read()
}

fn push_found(
    query: &mut QueryBuilder<Postgres>,
    org: &Org,
    filter: &EventFilter,
    range: &Range<i64>,
    limit: i64,
) {
    let org = || org.as_str().to_owned();
    if let Some(case_id) = filter.case_id {
        // A request is found through its decision: events_by_case leaves requests out, to cost each booking one entry only.
        query.push(
            "of_case as (select c.seq, c.type, c.caused_by from ledger.events c where c.org = ",
        );
        query
            .push_bind(org())
            .push(" and c.case_id = ")
            .push_bind(case_id);
        query.push(" and c.type <> 'booking.requested'), ");
    }
    query.push("found as materialized (select e.seq from ledger.events as e where e.org = ");
    query.push_bind(org());
    query.push(" and e.seq >= ").push_bind(range.start);
    query.push(" and e.seq < ").push_bind(range.end);
    if filter.case_id.is_some() {
        query.push(
            " and e.seq in (select seq from of_case
                union all select caused_by from of_case where type = 'booking.decided')",
        );
    }
    if let Some(event_type) = &filter.r#type {
        query.push(" and e.type = ").push_bind(event_type.clone());
    }
    if let Some(kind) = &filter.policy_kind {
        query.push(" and e.policy_kind = ").push_bind(kind.clone());
    }
    if let (Some(kind), Some(id)) = (&filter.policy_kind, filter.policy_id) {
        query.push(" and e.seq in (select seq from audit.policy_event_seqs(");
        query.push_bind(org()).push(", ").push_bind(kind.clone());
        query.push(", ").push_bind(id).push("))");
    }
    query.push(" order by e.seq").push(filter.order.as_sql());
    query.push(" limit ").push_bind(limit).push(") ");
}
