//! Counting: decisions over time by one trait, and how often each policy bites.
//!
//! What is counted already is read (`counted`), and only the rest counted now.

mod buckets;
mod counted;
mod policies;
mod time_zones;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;

use super::cursor::CursorError;
use super::described;
use super::parameters::{self, ParameterFault};
use super::{AuditError, range};
use crate::ledger::counts::{NONE, POLICY};
use crate::org::Org;
use buckets::find_buckets;
use counted::{Decisions, add_counted};
pub use policies::PolicyStats;
use policies::{MOST_OF_A_PAGE, count_policies};

/// By what decisions are counted.
const GROUPS: [&str; 6] = [
    "outcome",
    "unitId",
    "serviceId",
    "channel",
    "bookedBy",
    POLICY,
];

/// The time zone unless another is given.
const UTC: &str = "UTC";

/// What is counted.
#[derive(Debug, Clone, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// Decided at or after this time (RFC 3339) or day (its midnight, UTC).
    #[param(required = false, inline, value_type = described::Time)]
    from: Option<DateTime<Utc>>,
    /// Decided before this time or day.
    #[param(required = false, inline, value_type = described::Time)]
    until: Option<DateTime<Utc>>,
    /// By what; `outcome` unless given.
    #[param(rename = "by", required = false, inline, value_type = described::Group)]
    group: &'static str,
    /// `day` unless given. Not with `by=policy`.
    #[param(required = false, inline, value_type = described::Bucket)]
    bucket: Option<&'static str>,
    /// An IANA name, exactly; UTC unless given. Not with `by=policy`.
    #[param(rename = "timeZone", required = false, inline, value_type = described::TimeZone)]
    time_zone: Option<String>,
    /// Policies a page; 1,000 unless given. Only with `by=policy`.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// `nextCursor` of the page before. Only with `by=policy`.
    cursor: Option<String>,
}

impl Default for StatsQuery {
    fn default() -> Self {
        Self {
            from: None,
            until: None,
            group: "outcome",
            bucket: None,
            time_zone: None,
            limit: None,
            cursor: None,
        }
    }
}

impl StatsQuery {
    /// Takes a query parameter. `false`: none has this name.
    ///
    /// # Errors
    /// When it cannot take this value.
    pub fn add(&mut self, name: &str, value: &str) -> Result<bool, ParameterFault> {
        self.set(name, value)
            .map_err(|message| ParameterFault::new(name, message))
    }

    /// Whether the parameters fit each other.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self) -> Result<(), Vec<ParameterFault>> {
        let (message, given) = if self.group == POLICY {
            let given = [
                ("bucket", self.bucket.is_some()),
                ("timeZone", self.time_zone.is_some()),
            ];
            ("is not a parameter of this call with by=policy", given)
        } else {
            let given = [
                ("limit", self.limit.is_some()),
                ("cursor", self.cursor.is_some()),
            ];
            ("is not a parameter of this call without by=policy", given)
        };
        let faults: Vec<_> = (given.into_iter())
            .filter(|(_, is_given)| *is_given)
            .map(|(name, _)| ParameterFault::new(name, message))
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn bucket(&self) -> &'static str {
        self.bucket.unwrap_or("day")
    }

    fn time_zone(&self) -> &str {
        self.time_zone.as_deref().unwrap_or(UTC)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<bool, &'static str> {
        match name {
            "from" => self.from = parameters::time(value)?,
            "until" => self.until = parameters::time(value)?,
            "by" => {
                let message = "must be outcome, unitId, serviceId, channel, bookedBy or policy";
                self.group = parameters::word(value, &GROUPS, message)?.unwrap_or("outcome");
            }
            "bucket" => {
                let buckets = ["hour", "day", "week"];
                self.bucket = parameters::word(value, &buckets, "must be hour, day or week")?;
            }
            "timeZone" => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "_/+-".contains(c);
                if !(1..=64).contains(&value.len()) || !value.chars().all(is_name) {
                    return Err(UnknownTimeZone::MESSAGE);
                }
                self.time_zone = Some(value.to_owned());
            }
            "limit" => {
                let limit = value.parse().ok();
                let limit = limit.filter(|limit| (1..=MOST_OF_A_PAGE).contains(limit));
                self.limit = Some(limit.ok_or("must be from 1 to 1000")?);
            }
            "cursor" => self.cursor = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Decisions counted, or policies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Stats {
    /// By anything but policies.
    Decisions(DecisionStats),
    /// By policy.
    Policies(PolicyStats),
}

/// Decisions by bucket and value.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionStats {
    #[schema(schema_with = described::decision_group)]
    by: &'static str,
    bucket: &'static str,
    time_zone: String,
    /// All buckets together.
    totals: BTreeMap<String, i64>,
    items: Vec<BucketCounts>,
}

/// The decisions of one bucket by value; `none` counts those without one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BucketCounts {
    /// Its beginning in the time zone.
    start: String,
    counts: BTreeMap<String, i64>,
}

/// No time zone has this name.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{}", Self::MESSAGE)]
pub struct UnknownTimeZone;

impl UnknownTimeZone {
    /// What is wrong, as a parameter's fault.
    pub const MESSAGE: &str = "must be a time zone's IANA name such as Asia/Jerusalem";
}

/// Why nothing is counted.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The database does not know the time zone.
    #[error(transparent)]
    UnknownTimeZone(#[from] UnknownTimeZone),
    /// The ledger cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The cursor does not fit.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// Counts.
///
/// # Errors
/// When the ledger cannot be read, or the time zone is not known.
pub async fn stats(pool: &PgPool, org: &Org, query: &StatsQuery) -> Result<Stats, StatsError> {
    if query.group == POLICY {
        return Ok(Stats::Policies(count_policies(pool, org, query).await?));
    }
    let is_known = time_zones::is_known(pool, query.time_zone()).await;
    if !is_known.map_err(AuditError::from)? {
        return Err(UnknownTimeZone.into());
    }
    let range = range::between(pool, org, query.from, query.until).await?;
    let (starts, seqs) = find_buckets(pool, org, query, &range).await?;
    let mut counts = HashMap::<String, BTreeMap<i32, i64>>::new();
    let mut add = |bucket: i32, value: &str, decisions: i64| {
        if !counts.contains_key(value) {
            counts.insert(value.to_owned(), BTreeMap::new());
        }
        let buckets = counts.get_mut(value);
        *buckets.expect("inserted above").entry(bucket).or_default() += decisions;
    };
    let add_row = |bucket, Decisions { key, count, .. }: Decisions<'_>| add(bucket, key, count);
    let rest = add_counted(pool, org, query.group, &range, &seqs, add_row)
        .await
        .map_err(AuditError::from)?;
    let rows = count(pool, org, query.group, &(rest..range.end), &seqs)
        .await
        .map_err(AuditError::from)?;
    for (bucket, value, decisions) in rows {
        add(bucket, value.as_deref().unwrap_or(NONE), decisions);
    }
    let mut totals = BTreeMap::new();
    let mut buckets = BTreeMap::<i32, BTreeMap<String, i64>>::new();
    for (value, counts) in counts {
        totals.insert(value.clone(), counts.values().sum());
        for (bucket, decisions) in counts {
            buckets
                .entry(bucket)
                .or_default()
                .insert(value.clone(), decisions);
        }
    }
    let items = (buckets.into_iter())
        .filter_map(|(bucket, counts)| {
            let start = usize::try_from(bucket - 1).ok();
            let start = start.and_then(|at| starts.get(at))?.clone();
            Some(BucketCounts { start, counts })
        })
        .collect();
    Ok(Stats::Decisions(DecisionStats {
        by: query.group,
        bucket: query.bucket(),
        time_zone: query.time_zone().to_owned(),
        totals,
        items,
    }))
}

/// How many, by the number of the bucket and the value.
async fn count(
    pool: &PgPool,
    org: &Org,
    group: &str,
    range: &Range<i64>,
    buckets: &[i64],
) -> Result<Vec<(i32, Option<String>, i64)>, sqlx::Error> {
    let sql = match group {
        "unitId" => include_str!("../../sql/queries/count_by_unit.sql"),
        "serviceId" => include_str!("../../sql/queries/count_by_service.sql"),
        _ => include_str!("../../sql/queries/count_by_trait.sql"),
    };
    let mut query = sqlx::query_as(sql)
        .persistent(false)
        .bind(org.as_str())
        .bind(range.start)
        .bind(range.end)
        .bind(buckets);
    if !matches!(group, "unitId" | "serviceId") {
        let channels: Vec<Option<String>> =
            sqlx::query_scalar(include_str!("../../sql/queries/list_channels.sql"))
                .bind(org.as_str())
                .fetch_all(pool)
                .await?;
        query = query.bind(group).bind(channels);
    }
    query.fetch_all(pool).await
}
