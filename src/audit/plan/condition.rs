//! What a decision must be to be found, as a condition on its row.

use chrono::NaiveDate;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::audit::filter::Filter;
use crate::org::Org;

/// One condition of a search.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Case(Uuid),
    Customer(Uuid),
    Agent(String),
    ServiceType(Uuid),
    Service(Uuid),
    Unit(Uuid),
    CuIndex(i32),
    Outcome(&'static str),
    Channel(String),
    BookedBy(&'static str),
    /// From, until.
    Dates(Option<NaiveDate>, Option<NaiveDate>),
    /// The hashes of the distinct reasons that have the part asked for.
    Reasons(Vec<i64>),
    Policy(Met),
}

/// A policy that was met, and how.
#[derive(Debug, Clone)]
pub(super) struct Met {
    pub(super) kind: String,
    pub(super) id: i64,
    /// As it was ever met: verdicts, and as many modes.
    pub(super) verdicts: Vec<String>,
    pub(super) modes: Vec<String>,
}

/// The conditions of a filter; none if no decision can fulfil them.
pub(super) async fn of(
    pool: &PgPool,
    org: &Org,
    filter: &Filter,
) -> Result<Option<Vec<Condition>>, sqlx::Error> {
    let mut conditions = Vec::new();
    conditions.extend(filter.case_id.map(Condition::Case));
    conditions.extend(filter.customer_record_id.map(Condition::Customer));
    conditions.extend(filter.triggered_by_user_email.clone().map(Condition::Agent));
    conditions.extend(filter.service_type_id.map(Condition::ServiceType));
    conditions.extend(filter.service_id.map(Condition::Service));
    conditions.extend(filter.unit_id.map(Condition::Unit));
    conditions.extend(filter.cu_index.map(Condition::CuIndex));
    match (filter.outcome, &filter.reason) {
        // Who was refused was told why, and nobody else.
        (Some("cancelled"), Some(_)) => {}
        (Some(_), Some(_)) => return Ok(None),
        (outcome, _) => conditions.extend(outcome.map(Condition::Outcome)),
    }
    conditions.extend(filter.channel.clone().map(Condition::Channel));
    conditions.extend(filter.booked_by.map(Condition::BookedBy));
    let (from, until) = (filter.appointment_from, filter.appointment_until);
    if from.is_some() || until.is_some() {
        conditions.push(Condition::Dates(from, until));
    }
    if let (Some(kind), Some(id)) = (&filter.policy_kind, filter.policy_id) {
        let verdicts = match filter.policy_verdict {
            None | Some("applied") => vec!["allowed", "refused", "changed", "error"],
            Some(verdict) => vec![verdict],
        };
        let modes = (filter.policy_mode).map_or(vec!["enforce", "shadow"], |mode| vec![mode]);
        let pairs: Vec<(String, String)> =
            sqlx::query_as(include_str!("../../../sql/queries/list_verdicts.sql"))
                .bind(org.as_str())
                .bind(kind)
                .bind(id)
                .bind(verdicts)
                .bind(modes)
                .fetch_all(pool)
                .await?;
        if pairs.is_empty() {
            return Ok(None);
        }
        let (verdicts, modes) = pairs.into_iter().unzip();
        conditions.push(Condition::Policy(Met {
            kind: kind.clone(),
            id,
            verdicts,
            modes,
        }));
    }
    if let Some(part) = &filter.reason {
        let reasons: Vec<i64> =
            sqlx::query_scalar(include_str!("../../../sql/queries/find_reasons.sql"))
                .bind(org.as_str())
                .bind(part)
                .fetch_all(pool)
                .await?;
        if reasons.is_empty() {
            return Ok(None);
        }
        conditions.push(Condition::Reasons(reasons));
    }
    Ok(Some(conditions))
}

impl Condition {
    /// The condition on the row `d`, in a form that leads Postgres to no index: which one leads is decided here.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>, org: &Org) {
        macro_rules! is {
            ($column:literal, $value:expr) => {{
                query.push(concat!("d.", $column, " is not distinct from "));
                query.push_bind($value);
            }};
        }
        match self {
            Self::Case(id) => is!("case_id", *id),
            Self::Customer(id) => is!("customer_record_id", *id),
            Self::Agent(email) => is!("triggered_by_user_email", email.clone()),
            Self::ServiceType(id) => is!("service_type_id", *id),
            Self::Service(id) => is!("service_id", *id),
            Self::Unit(id) => is!("unit_id", *id),
            Self::CuIndex(index) => is!("cu_index", *index),
            Self::Outcome(outcome) => is!("outcome", *outcome),
            Self::Channel(channel) => is!("channel", channel.clone()),
            Self::BookedBy(booker) => is!("booked_by", *booker),
            Self::Dates(from, until) => {
                query.push("d.appointment_date + 0 >= coalesce(");
                query.push_bind(*from).push(", '-infinity'::date)");
                query.push(" and d.appointment_date + 0 < coalesce(");
                query.push_bind(*until).push(", 'infinity'::date)");
            }
            Self::Reasons(hashes) => {
                query.push("d.reason_hash + 0 = any (");
                query.push_bind(hashes.clone()).push("::bigint[])");
            }
            Self::Policy(met) => met.push(query, org),
        }
    }
}

impl Met {
    /// Whether the decision met the policy: its batch is the first that ends at or after it.
    fn push(&self, query: &mut QueryBuilder<Postgres>, org: &Org) {
        query.push("exists (select from unnest(");
        query.push_bind(self.verdicts.clone());
        query.push("::text[], ");
        query.push_bind(self.modes.clone());
        query.push("::text[]) as v (verdict, mode) cross join lateral (select hits.seqs from ledger.policy_hits as hits where hits.org = ");
        query.push_bind(org.as_str().to_owned());
        (query.push(" and hits.policy_kind = ")).push_bind(self.kind.clone());
        (query.push(" and hits.policy_id = ")).push_bind(self.id);
        query.push(
            " and hits.verdict = v.verdict and hits.mode = v.mode and hits.batch_seq >= d.seq
              order by hits.batch_seq limit 1) as batch where d.seq = any (batch.seqs))",
        );
    }
}
