//! How often each policy was met, and what it did.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::counted::{Decisions, add_counted};
use super::{StatsError, StatsQuery};
use crate::audit::cursor::{Cursor, CursorError};
use crate::audit::decision::optionally_in_microseconds;
use crate::audit::{AuditError, described, parameters, policies, range};
use crate::ledger::append::MOST_EVENTS_OF_A_BATCH;
use crate::ledger::counts::{POLICY, policy_key, read_policy_key};
use crate::org::Org;
use crate::policy::kind::Kind;

/// The most policies of a page.
pub(super) const MOST_OF_A_PAGE: u16 = 1_000;

/// The kinds whose policies are listed even if they were never met, by name: blocked customers may be a million.
const LISTED: [Kind; 5] = [
    Kind::Blackouts,
    Kind::BookingWindows,
    Kind::CapacityCaps,
    Kind::CustomerLimits,
    Kind::Rules,
];

/// Every policy in force or met, by kind and id, and how often it bit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStats {
    #[schema(schema_with = described::policy_group)]
    by: &'static str,
    items: Vec<PolicyCounts>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// A policy, and how many decisions met it.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct PolicyCounts {
    kind: String,
    id: i64,
    /// Null if it is not in force.
    name: Option<String>,
    /// Null if it is not in force.
    mode: Option<String>,
    /// Whether it was there at the end of the range, whatever its mode and dates; of a blocked customer: now.
    in_force: bool,
    /// Decisions that it took part in.
    met: i64,
    refused: i64,
    /// Bookings that it changed, also those that were cancelled then.
    changed: i64,
    /// In shadow.
    would_have_refused: i64,
    /// In shadow.
    would_have_changed: i64,
    /// Decisions for which its expression failed, in either mode. With `on_error` `cancel` it refused them.
    errors: i64,
    /// The last decision that it refused or changed, or would have.
    last_hit_id: Option<i64>,
    #[serde(serialize_with = "optionally_in_microseconds")]
    last_hit_at: Option<DateTime<Utc>>,
}

impl PolicyCounts {
    fn of(kind: String, id: i64) -> Self {
        Self {
            kind,
            id,
            ..Self::default()
        }
    }

    fn add(&mut self, verdict: &str, mode: &str, met: i64, newest: i64) {
        self.met += met;
        match (verdict, mode) {
            ("refused", "enforce") => self.refused += met,
            ("refused", _) => self.would_have_refused += met,
            ("changed", "enforce") => self.changed += met,
            ("changed", _) => self.would_have_changed += met,
            ("error", _) => self.errors += met,
            _ => {}
        }
        if matches!(verdict, "refused" | "changed") {
            self.last_hit_id = self.last_hit_id.max(Some(newest));
        }
    }

    fn is_in_force(&mut self, name: Option<String>, mode: Option<String>) {
        self.in_force = true;
        self.name = name;
        self.mode = mode;
    }
}

/// By kind and id.
type Policies = BTreeMap<(String, i64), PolicyCounts>;

/// What of a row is shown.
#[derive(Deserialize)]
struct Shown {
    name: Option<String>,
    mode: Option<String>,
}

/// Which page of which numbers of the ledger.
struct Page {
    range: Range<i64>,
    after: (String, i64),
    limit: usize,
}

/// The policies in force at the end of a part of the ledger, and those that its decisions met.
pub(super) async fn count_policies(
    pool: &PgPool,
    org: &Org,
    query: &StatsQuery,
) -> Result<PolicyStats, StatsError> {
    let page = page(pool, org, query).await?;
    let mut found = met(pool, org, &page).await?;
    add_in_force(pool, org, &page, &mut found).await?;
    let mut items: Vec<PolicyCounts> = found.into_values().take(page.limit + 1).collect();
    let has_more = items.len() > page.limit;
    items.truncate(page.limit);
    complete(pool, org, &mut items).await?;
    let next_cursor = items.last().filter(|_| has_more).map(|last| {
        let Range { start, end } = page.range;
        let place = format!("{}{start} {end} {}", search(query), last.kind);
        Cursor::after(last.id, place).encode()
    });
    Ok(PolicyStats {
        by: POLICY,
        items,
        next_cursor,
    })
}

/// What must be the same for all pages.
fn search(query: &StatsQuery) -> String {
    let time = |time: Option<DateTime<Utc>>| time.map_or(0, |time| time.timestamp_micros());
    format!(
        "by=policy&from={}&until={} ",
        time(query.from),
        time(query.until)
    )
}

async fn page(pool: &PgPool, org: &Org, query: &StatsQuery) -> Result<Page, StatsError> {
    let limit = usize::from(query.limit.unwrap_or(MOST_OF_A_PAGE));
    if let Some(cursor) = &query.cursor {
        let (range, after) = place(cursor, &search(query))?;
        return Ok(Page {
            range,
            after,
            limit,
        });
    }
    let mut range = range::between(pool, org, query.from, query.until).await?;
    if query.until.is_none() {
        // All pages count the same decisions.
        let last_seq: Option<i64> =
            sqlx::query_scalar(include_str!("../../../sql/queries/read_last_seq.sql"))
                .bind(org.as_str())
                .fetch_optional(pool)
                .await
                .map_err(AuditError::from)?;
        range.end = last_seq.unwrap_or(0) + 1;
    }
    Ok(Page {
        range,
        after: (String::new(), 0),
        limit,
    })
}

/// Where a page begins.
fn place(cursor: &str, search: &str) -> Result<(Range<i64>, (String, i64)), CursorError> {
    let (of, id) = Cursor::read(cursor)?;
    let place = of.strip_prefix(search).ok_or(CursorError::OtherFilters)?;
    let [start, end, kind] = place.split(' ').collect::<Vec<_>>()[..] else {
        return Err(CursorError::Malformed);
    };
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 1);
    let start = number(start).ok_or(CursorError::Malformed)?;
    let end = number(end).ok_or(CursorError::Malformed)?;
    let kind = parameters::kind(kind).ok().flatten();
    let kind = kind.ok_or(CursorError::Malformed)?;
    Ok((start..end, (kind, id)))
}

/// The policies that decisions of the range met, behind the page before.
async fn met(pool: &PgPool, org: &Org, page: &Page) -> Result<Policies, AuditError> {
    let range = &page.range;
    // How many decisions met it, and the last of them.
    let mut met = HashMap::<String, (i64, i64)>::new();
    let mut add = |key: &str, count: i64, newest: i64| match met.get_mut(key) {
        Some((met, last)) => {
            *met += count;
            *last = newest.max(*last);
        }
        None => {
            met.insert(key.to_owned(), (count, newest));
        }
    };
    let add_row = |_, Decisions { key, count, newest }: Decisions<'_>| add(key, count, newest);
    let rest = add_counted(pool, org, POLICY, range, &[range.start], add_row).await?;
    for (kind, id, verdict, mode, count, newest) in count_hits(pool, org, rest..range.end).await? {
        add(&policy_key(&kind, id, &verdict, &mode), count, newest);
    }
    let mut policies = Policies::new();
    for (key, (count, newest)) in met {
        let Some((kind, id, verdict, mode)) = read_policy_key(&key) else {
            tracing::error!(key, "a key of ledger.decision_counts is none of a policy");
            continue;
        };
        if (kind, id) > (page.after.0.as_str(), page.after.1) {
            let counts = policies.entry((kind.to_owned(), id));
            let counts = counts.or_insert_with(|| PolicyCounts::of(kind.to_owned(), id));
            counts.add(verdict, mode, count, newest);
        }
    }
    Ok(policies)
}

/// What is not counted yet: kind, id, verdict, mode, how many decisions and the last of them.
async fn count_hits(
    pool: &PgPool,
    org: &Org,
    range: Range<i64>,
) -> Result<Vec<(String, i64, String, String, i64, i64)>, AuditError> {
    let rows = sqlx::query_as(include_str!("../../../sql/queries/count_hits.sql"))
        .persistent(false)
        .bind(org.as_str())
        .bind(range.start)
        .bind(range.end)
        .bind(range.end.saturating_add(MOST_EVENTS_OF_A_BATCH))
        .fetch_all(pool)
        .await?;
    Ok(rows)
}

/// Adds the policies that were in force at the end of the range, as far as the page may reach.
async fn add_in_force(
    pool: &PgPool,
    org: &Org,
    page: &Page,
    found: &mut Policies,
) -> Result<(), AuditError> {
    let (after_kind, after_id) = &page.after;
    for kind in LISTED {
        let kind = kind.table();
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX - 1) + 1;
        let seq = page.range.end - 1;
        let after = (after_kind.as_str(), *after_id);
        let rows = policies::next_as_of(pool, org, seq, Some(kind), after, limit).await?;
        for row in rows {
            let shown: Shown = serde_json::from_str(&row.policy).map_err(|source| {
                let (org, seq) = (org.to_string(), row.changed_seq);
                AuditError::Unreadable { org, seq, source }
            })?;
            let counts = found.entry((kind.to_owned(), row.policy_id));
            let counts = counts.or_insert_with(|| PolicyCounts::of(kind.to_owned(), row.policy_id));
            counts.is_in_force(shown.name, shown.mode);
        }
        if found.range(..=(kind.to_owned(), i64::MAX)).count() > page.limit {
            break;
        }
    }
    Ok(())
}

/// Adds what only a page's policies are asked for.
async fn complete(pool: &PgPool, org: &Org, items: &mut [PolicyCounts]) -> Result<(), AuditError> {
    let blocklist = Kind::CustomerBlocklist.table();
    let blocked = items.iter().filter(|item| item.kind == blocklist);
    let blocked: Vec<i64> = blocked.map(|item| item.id).collect();
    let rows: Vec<(i64, Option<String>, String)> = sqlx::query_as(include_str!(
        "../../../sql/queries/read_blocked_customers.sql"
    ))
    .bind(org.as_str())
    .bind(blocked)
    .fetch_all(pool)
    .await?;
    let mut blocked: HashMap<i64, _> = (rows.into_iter())
        .map(|(id, name, mode)| (id, (name, mode)))
        .collect();
    let hits: Vec<i64> = items.iter().filter_map(|item| item.last_hit_id).collect();
    let times: Vec<(i64, DateTime<Utc>)> =
        sqlx::query_as(include_str!("../../../sql/queries/read_times.sql"))
            .bind(org.as_str())
            .bind(hits)
            .fetch_all(pool)
            .await?;
    let times: HashMap<i64, DateTime<Utc>> = times.into_iter().collect();
    for item in items {
        item.last_hit_at = item.last_hit_id.and_then(|seq| times.get(&seq).copied());
        if item.kind == blocklist
            && let Some((name, mode)) = blocked.remove(&item.id)
        {
            item.is_in_force(name, Some(mode));
        }
    }
    Ok(())
}
