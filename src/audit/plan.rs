//! How a search is asked of the database.
//!
//! Every index ends in the ledger number, so a search by one value reads the index's end and stops at the page's. Three filters are
//! not one value: a policy (by verdict and mode), a part of a reason, a range of appointment dates. A part of a reason becomes the
//! distinct reasons that have it, before anything else. When nothing more selective is asked, the page of each of the few values
//! (verdicts, reasons, dates) is read from its index, and the newest of all are the page. Everything else is a plain condition, and Postgres chooses among the indexes by what it
//! knows of the values: statements are never prepared for later, so that each is planned with its own.

use std::ops::Range;

use sqlx::{Postgres, QueryBuilder};

use super::filter::Filter;
use super::parameters::Order;
use crate::org::Org;

/// A batch ends at most so many events after any of its decisions (settings: at most 10,000 bookings a batch, two events each).
const MOST_EVENTS_OF_A_BATCH: i64 = 20_000;

const LONGEST_MERGED_PAGE: i64 = 500;

/// What leads to the decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    Conditions,
    Policy,
    Reasons,
    Dates,
}

impl Lead {
    fn of(filter: &Filter) -> Self {
        let by_person = filter.case_id.is_some()
            || filter.customer_record_id.is_some()
            || filter.triggered_by_user_email.is_some();
        let by_place = filter.unit_id.is_some()
            || filter.service_id.is_some()
            || filter.service_type_id.is_some()
            || filter.cu_index.is_some();
        let by_date = filter.appointment_from.is_some() || filter.appointment_until.is_some();
        if by_person {
            Self::Conditions
        } else if filter.policy_id.is_some() {
            Self::Policy
        } else if filter.reason.is_some() && !by_place && !by_date {
            Self::Reasons
        } else if by_date && !by_place && filter.reason.is_none() {
            Self::Dates
        } else {
            Self::Conditions
        }
    }
}

/// The search as a `with found as (…)`: the numbers of at most so many decisions within a range of the ledger, in their order.
pub(super) fn push_found(
    query: &mut QueryBuilder<Postgres>,
    org: &Org,
    filter: &Filter,
    reasons: &[i64],
    range: &Range<i64>,
    limit: i64,
) {
    // A file's page is long: merging one of each value would read each many times over.
    let lead = match Lead::of(filter) {
        Lead::Reasons | Lead::Dates if limit > LONGEST_MERGED_PAGE => Lead::Conditions,
        lead => lead,
    };
    push_values(query, lead, org, filter, reasons);
    query.push("found as materialized (");
    if lead != Lead::Conditions {
        query.push("select page.seq from wanted cross join lateral (");
    }
    match lead {
        Lead::Policy => push_policy_page(query, org, filter, reasons, range, limit),
        _ => push_page(query, lead, org, filter, reasons, range, limit),
    }
    if lead != Lead::Conditions {
        query.push(") as page order by page.seq");
        query.push(filter.order.as_sql());
        query.push(" limit ").push_bind(limit);
    }
    query.push(") ");
}

/// The values over which the pages are merged, as `wanted`.
fn push_values(
    query: &mut QueryBuilder<Postgres>,
    lead: Lead,
    org: &Org,
    filter: &Filter,
    reasons: &[i64],
) {
    match lead {
        Lead::Conditions => {
            query.push("with ");
        }
        Lead::Policy => {
            query.push("with wanted as (select verdict, mode from unnest(");
            let (verdicts, modes) = verdicts_and_modes(filter);
            query.push_bind(verdicts);
            query.push("::text[]) as v (verdict) cross join unnest(");
            query.push_bind(modes);
            query.push("::text[]) as m (mode)), ");
        }
        Lead::Reasons => {
            query.push("with wanted as (select hash from unnest(");
            query.push_bind(reasons.to_vec());
            query.push("::bigint[]) as r (hash)), ");
        }
        Lead::Dates => {
            query.push("with recursive dates as ((");
            push_next_date(query, org, filter, "");
            query.push(") union all select next.* from dates cross join lateral (");
            push_next_date(query, org, filter, " and e.appointment_date > dates.date");
            query.push(") as next), wanted as (select date from dates), ");
        }
    }
}

fn push_next_date(query: &mut QueryBuilder<Postgres>, org: &Org, filter: &Filter, after: &str) {
    query.push("select e.appointment_date as date from ledger.events as e where e.org = ");
    query.push_bind(org.as_str().to_owned());
    query.push(" and e.type = 'booking.decided'");
    push_dates(query, "e", filter);
    query.push(after);
    query.push(" order by e.appointment_date, e.seq limit 1");
}

fn push_page(
    query: &mut QueryBuilder<Postgres>,
    lead: Lead,
    org: &Org,
    filter: &Filter,
    reasons: &[i64],
    range: &Range<i64>,
    limit: i64,
) {
    query.push("select decided.seq from ledger.events as decided where decided.org = ");
    query.push_bind(org.as_str().to_owned());
    query.push(" and decided.type = 'booking.decided'");
    match lead {
        Lead::Reasons => {
            query.push(
                " and decided.cancellation_reason is not null
                  and hashtextextended(decided.cancellation_reason, 0) = wanted.hash",
            );
        }
        Lead::Dates => {
            query.push(" and decided.appointment_date = wanted.date");
        }
        Lead::Conditions | Lead::Policy => {}
    }
    push_range(query, "decided.seq", range);
    push_conditions(query, lead, org, filter, reasons);
    push_order_and_limit(query, "decided.seq", filter.order, limit);
}

/// Batches do not overlap, so going through them in their order goes through their decisions in theirs.
fn push_policy_page(
    query: &mut QueryBuilder<Postgres>,
    org: &Org,
    filter: &Filter,
    reasons: &[i64],
    range: &Range<i64>,
    limit: i64,
) {
    query.push(
        "select decided.seq from ledger.policy_hits as hits cross join unnest(hits.seqs) as hit (seq)
         join ledger.events as decided on decided.seq = hit.seq and decided.org = ",
    );
    query.push_bind(org.as_str().to_owned());
    query
        .push(" where hits.org = ")
        .push_bind(org.as_str().to_owned());
    query
        .push(" and hits.policy_kind = ")
        .push_bind(filter.policy_kind.clone());
    query
        .push(" and hits.policy_id = ")
        .push_bind(filter.policy_id);
    query.push(
        " and hits.verdict = wanted.verdict and hits.mode = wanted.mode and hits.batch_seq >= ",
    );
    query.push_bind(range.start);
    query.push(" and hits.batch_seq < ");
    query.push_bind(range.end.saturating_add(MOST_EVENTS_OF_A_BATCH));
    push_range(query, "hit.seq", range);
    push_conditions(query, Lead::Policy, org, filter, reasons);
    query.push(" order by hits.batch_seq");
    query.push(filter.order.as_sql());
    query.push(", hit.seq");
    query.push(filter.order.as_sql());
    query.push(" limit ").push_bind(limit);
}

fn push_range(query: &mut QueryBuilder<Postgres>, column: &str, range: &Range<i64>) {
    query
        .push(" and ")
        .push(column)
        .push(" >= ")
        .push_bind(range.start);
    query
        .push(" and ")
        .push(column)
        .push(" < ")
        .push_bind(range.end);
}

fn push_order_and_limit(
    query: &mut QueryBuilder<Postgres>,
    column: &str,
    order: Order,
    limit: i64,
) {
    query.push(" order by ").push(column).push(order.as_sql());
    query.push(" limit ").push_bind(limit);
}

fn push_dates(query: &mut QueryBuilder<Postgres>, events: &str, filter: &Filter) {
    if let Some(from) = filter.appointment_from {
        query
            .push(" and ")
            .push(events)
            .push(".appointment_date >= ")
            .push_bind(from);
    }
    if let Some(until) = filter.appointment_until {
        query
            .push(" and ")
            .push(events)
            .push(".appointment_date < ")
            .push_bind(until);
    }
}

/// Every condition but the one that leads.
fn push_conditions(
    query: &mut QueryBuilder<Postgres>,
    lead: Lead,
    org: &Org,
    filter: &Filter,
    reasons: &[i64],
) {
    macro_rules! equal {
        ($($column:literal = $value:expr;)*) => {
            $(if let Some(value) = $value.clone() {
                query.push(concat!(" and decided.", $column, " = ")).push_bind(value);
            })*
        };
    }
    equal! {
        "case_id" = filter.case_id;
        "customer_record_id" = filter.customer_record_id;
        "service_id" = filter.service_id;
        "service_type_id" = filter.service_type_id;
        "cu_index" = filter.cu_index;
        "channel" = filter.channel;
        "outcome" = filter.outcome;
        "booked_by" = filter.booked_by;
        "triggered_by_user_email" = filter.triggered_by_user_email;
    }
    if let Some(unit_id) = filter.unit_id {
        // A service has one unit, so beside a service the unit's index leads nowhere: this form keeps Postgres from it.
        let by_service = filter.service_id.is_some();
        let equal = if by_service {
            " is not distinct from "
        } else {
            " = "
        };
        query
            .push(" and decided.unit_id")
            .push(equal)
            .push_bind(unit_id);
    }
    if lead != Lead::Dates {
        push_dates(query, "decided", filter);
    }
    if lead != Lead::Reasons && filter.reason.is_some() {
        query.push(
            " and decided.cancellation_reason is not null
              and hashtextextended(decided.cancellation_reason, 0) = any (",
        );
        query.push_bind(reasons.to_vec()).push("::bigint[])");
    }
    if lead != Lead::Policy && filter.policy_id.is_some() {
        push_met(query, org, filter);
    }
}

/// Whether the decision met the policy: its batch is the first that ends at or after it.
fn push_met(query: &mut QueryBuilder<Postgres>, org: &Org, filter: &Filter) {
    let (verdicts, modes) = verdicts_and_modes(filter);
    query.push(" and exists (select from unnest(");
    query.push_bind(verdicts);
    query.push("::text[]) as v (verdict) cross join unnest(");
    query.push_bind(modes);
    query.push("::text[]) as m (mode) cross join lateral (select hits.seqs from ledger.policy_hits as hits where hits.org = ");
    query.push_bind(org.as_str().to_owned());
    query
        .push(" and hits.policy_kind = ")
        .push_bind(filter.policy_kind.clone());
    query
        .push(" and hits.policy_id = ")
        .push_bind(filter.policy_id);
    query.push(
        " and hits.verdict = v.verdict and hits.mode = m.mode and hits.batch_seq >= decided.seq
          order by hits.batch_seq limit 1) as batch where decided.seq = any (batch.seqs))",
    );
}

fn verdicts_and_modes(filter: &Filter) -> (Vec<&'static str>, Vec<&'static str>) {
    let verdicts = match filter.policy_verdict {
        None | Some("applied") => vec!["allowed", "refused", "changed", "error"],
        Some(verdict) => vec![verdict],
    };
    let modes = (filter.policy_mode).map_or(vec!["enforce", "shadow"], |mode| vec![mode]);
    (verdicts, modes)
}
