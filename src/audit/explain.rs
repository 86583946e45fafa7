//! Why a decision was made: each policy with its row as it was then and the change that had made it so, and for a full cap the
//! decisions that held its places.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::AuditError;
use super::decision::{Decision, in_microseconds};
use super::policies::{self, Change};
use crate::org::Org;

/// A cap of more places than this shows only its first holders.
const MOST_HOLDERS: i64 = 200;

/// What is added to each policy of a decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reasons {
    row: Option<Box<RawValue>>,
    change: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<Vec<Holder>>,
}

/// A decision that holds a place.
#[derive(Debug, Serialize, FromRow)]
#[serde(rename_all = "camelCase")]
struct Holder {
    #[sqlx(rename = "seq")]
    decision_id: i64,
    case_id: Uuid,
    #[sqlx(rename = "recorded_at")]
    #[serde(serialize_with = "in_microseconds")]
    decided_at: DateTime<Utc>,
    appointment_date: NaiveDate,
    cu_index: i32,
    #[sqlx(rename = "start_minute")]
    start: i32,
    duration: i32,
}

#[derive(Debug, FromRow)]
struct CurrentHolder {
    #[sqlx(flatten)]
    holder: Holder,
    total: i64,
}

/// What is read of a recorded policy.
#[derive(Debug, Deserialize)]
struct Recorded {
    kind: String,
    id: i64,
    verdict: String,
    bucket: Option<Bucket>,
    used: Option<i64>,
}

/// The places that a cap counted, as the explanation tells them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bucket {
    unit_id: Option<Uuid>,
    service_id: Option<Uuid>,
    service_category_id: Option<Uuid>,
    service_type_id: Option<Uuid>,
    cu_index: Option<i32>,
    channel: Option<String>,
    booked_by: Option<String>,
    from: NaiveDate,
    until: NaiveDate,
    from_minute: Option<i32>,
    to_minute: Option<i32>,
    weekdays: Option<Vec<i16>>,
}

/// The decision's policies, each with what explains it.
pub(super) async fn explain(
    pool: &PgPool,
    org: &Org,
    decision: &Decision,
) -> Result<Option<Box<RawValue>>, AuditError> {
    let (Some(policies), Some(version)) = (&decision.policies, decision.policy_version) else {
        return Ok(None);
    };
    let unreadable = |source| AuditError::Unreadable {
        org: org.to_string(),
        seq: decision.decision_id,
        source,
    };
    let texts: Vec<&RawValue> = serde_json::from_str(policies.get()).map_err(unreadable)?;
    let recorded: Vec<Recorded> = serde_json::from_str(policies.get()).map_err(unreadable)?;
    let wanted: Vec<_> = (recorded.iter())
        .map(|policy| (policy.kind.clone(), policy.id))
        .collect();
    let states = policies::states(pool, org, &wanted, version).await?;
    let mut explained = Vec::with_capacity(texts.len());
    for ((text, recorded), state) in texts.into_iter().zip(recorded).zip(states) {
        let held_by = match &recorded.bucket {
            Some(bucket) if recorded.verdict == "refused" => {
                Some(holders(pool, org, decision, bucket, recorded.used).await?)
            }
            _ => None,
        };
        let (row, change) = state.map_or((None, None), |state| (state.row, Some(state.change)));
        let reasons = Reasons {
            row,
            change,
            held_by,
        };
        let reasons = serde_json::to_string(&reasons).map_err(unreadable)?;
        // What was recorded stays as it is; the reasons are put behind it, into the same object.
        let text = text.get();
        let object = text.strip_suffix('}').unwrap_or(text);
        explained.push(format!("{object},{}", &reasons[1..]));
    }
    let explained = RawValue::from_string(format!("[{}]", explained.join(",")));
    explained.map(Some).map_err(unreadable)
}

/// Whoever held a place then and still does is found in the calendar. Only if the decision counted more has the ledger to be searched
/// for those who moved or closed since.
async fn holders(
    pool: &PgPool,
    org: &Org,
    decision: &Decision,
    bucket: &Bucket,
    used: Option<i64>,
) -> Result<Vec<Holder>, AuditError> {
    let current = include_str!("../../sql/queries/read_current_holders.sql");
    let current: Vec<CurrentHolder> = read(pool, current, org, decision, bucket).await?;
    let total = current.first().map_or(0, |holder| holder.total);
    if used == Some(total) {
        return Ok(current.into_iter().map(|current| current.holder).collect());
    }
    let all = include_str!("../../sql/queries/read_holders.sql");
    read(pool, all, org, decision, bucket).await
}

async fn read<T>(
    pool: &PgPool,
    query: &'static str,
    org: &Org,
    decision: &Decision,
    bucket: &Bucket,
) -> Result<Vec<T>, AuditError>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let rows = sqlx::query_as(query)
        .persistent(false)
        .bind(org.as_str())
        .bind(decision.decision_id)
        .bind(decision.case_id.unwrap_or_default())
        .bind(bucket.service_id)
        .bind(bucket.unit_id)
        .bind(bucket.service_category_id)
        .bind(bucket.service_type_id)
        .bind(bucket.cu_index)
        .bind(&bucket.channel)
        .bind(&bucket.booked_by)
        .bind(bucket.from)
        .bind(bucket.until)
        .bind(bucket.from_minute)
        .bind(bucket.to_minute)
        .bind(&bucket.weekdays)
        .bind(MOST_HOLDERS)
        .fetch_all(pool)
        .await?;
    Ok(rows)
}
