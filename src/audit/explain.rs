//! Why a decision was made: the organization and each policy with its row as it was then and the change that had made it so, and for a
//! full cap the decisions that held its places.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::AuditError;
use super::decision::{Decision, in_microseconds};
use super::policies::{self, Change, PolicyState};
use crate::org::Org;
use crate::policy::kind::Kind;

/// A cap of more places than this shows only its first holders.
const MOST_HOLDERS: u8 = 200;

/// What explains a decision.
#[derive(Debug)]
pub(super) struct Explanation {
    /// The policies as they were recorded, each with its reasons.
    pub(super) policies: Box<RawValue>,
    pub(super) organization: RowThen,
}

/// A row as it was when something was decided, and what had made it so.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct RowThen {
    /// The row; null once erased.
    #[schema(value_type = Option<Object>)]
    row: Option<Box<RawValue>>,
    /// What had made it so.
    change: Option<Change>,
}

impl From<Option<PolicyState>> for RowThen {
    fn from(state: Option<PolicyState>) -> Self {
        state.map_or_else(Self::default, |PolicyState { row, change, .. }| Self {
            row,
            change: Some(change),
        })
    }
}

/// What is added to each policy of a decision.
#[derive(Debug, Serialize)]
struct Reasons {
    #[serde(flatten)]
    then: RowThen,
    #[serde(flatten)]
    held: Option<Held>,
}

/// Who held the places of a full cap.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    held_by: Vec<Holder>,
    held_by_is_cut: bool,
}

/// A decision that held a place of a cap when another was made.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Holder {
    #[sqlx(rename = "seq")]
    decision_id: i64,
    /// The case that held it.
    case_id: Uuid,
    /// When it was booked.
    #[sqlx(rename = "recorded_at")]
    #[serde(serialize_with = "in_microseconds")]
    decided_at: DateTime<Utc>,
    /// The calendar's date.
    appointment_date: NaiveDate,
    /// The calendar's index.
    cu_index: i32,
    /// Minutes past local midnight.
    #[sqlx(rename = "start_minute")]
    start: i32,
    /// Minutes.
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

/// The decision's policies, each with what explains it, and its organization. None once it is erased.
pub(super) async fn explain(
    pool: &PgPool,
    org: &Org,
    decision: &Decision,
) -> Result<Option<Explanation>, AuditError> {
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
    let mut wanted: Vec<_> = (recorded.iter())
        .map(|policy| (policy.kind.clone(), policy.id))
        .collect();
    wanted.extend(find_organization(pool, org, version).await?);
    let mut states = policies::states(pool, org, &wanted, version).await?;
    let organization = states.split_off(recorded.len()).pop().flatten().into();
    let mut explained = Vec::with_capacity(texts.len());
    for ((text, recorded), state) in texts.into_iter().zip(recorded).zip(states) {
        let held = match &recorded.bucket {
            Some(bucket) if recorded.verdict == "refused" => {
                Some(holders(pool, org, decision, bucket, recorded.used).await?)
            }
            _ => None,
        };
        let then = state.into();
        let reasons = Reasons { then, held };
        let reasons = serde_json::to_string(&reasons).map_err(unreadable)?;
        // What was recorded stays as it is; the reasons are put behind it, into the same object.
        let text = text.get();
        let object = text.strip_suffix('}').unwrap_or(text);
        explained.push(format!("{object},{}", &reasons[1..]));
    }
    let policies = RawValue::from_string(format!("[{}]", explained.join(",")));
    Ok(Some(Explanation {
        policies: policies.map_err(unreadable)?,
        organization,
    }))
}

/// The organization's own row among the policies, by kind and id: its mode is the kill switch.
async fn find_organization(
    pool: &PgPool,
    org: &Org,
    version: i64,
) -> Result<Option<(String, i64)>, AuditError> {
    let kind = Kind::Organizations.table();
    let rows = policies::next_as_of(pool, org, version, Some(kind), ("", 0), 1).await?;
    let id = rows.into_iter().next().map(|row| row.policy_id);
    Ok(id.map(|id| (kind.to_owned(), id)))
}

/// Whoever held a place then and still does is found in the calendar. Only if the decision counted more has the ledger to be searched
/// for those who moved or closed since.
async fn holders(
    pool: &PgPool,
    org: &Org,
    decision: &Decision,
    bucket: &Bucket,
    used: Option<i64>,
) -> Result<Held, AuditError> {
    let current = include_str!("../../sql/queries/read_current_holders.sql");
    let current: Vec<CurrentHolder> = read(pool, current, org, decision, bucket).await?;
    let total = current.first().map_or(0, |holder| holder.total);
    let mut held_by: Vec<Holder> = if used == Some(total) {
        current.into_iter().map(|current| current.holder).collect()
    } else {
        let all = include_str!("../../sql/queries/read_holders.sql");
        read(pool, all, org, decision, bucket).await?
    };
    let held_by_is_cut = held_by.len() > usize::from(MOST_HOLDERS);
    held_by.truncate(MOST_HOLDERS.into());
    Ok(Held {
        held_by,
        held_by_is_cut,
    })
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
        // One more tells whether there are more.
        .bind(i64::from(MOST_HOLDERS) + 1)
        .fetch_all(pool)
        .await?;
    Ok(rows)
}
