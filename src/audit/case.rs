//! A case's whole story, in order.

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::events::{EventFilter, EventSearch, search_events};
use super::parameters::Order;
use super::{AuditError, EventPage};
use crate::org::Org;

/// What happened to a case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// The Cubu case.
    pub case_id: Uuid,
    /// The organization.
    pub org: String,
    /// The place that it holds now.
    pub place: Option<HeldPlace>,
    /// Its events, oldest first.
    #[serde(flatten)]
    pub events: EventPage,
}

/// A place that is held now.
#[derive(Debug, Serialize, utoipa::ToSchema, FromRow)]
#[serde(rename_all = "camelCase")]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V1__ledger.sql"
)]
pub struct HeldPlace {
    #[sqlx(rename = "decision_seq")]
    pub decision_id: i64,
    pub unit_id: Uuid,
    pub service_id: Uuid,
    pub service_category_id: Option<Uuid>,
    pub service_type_id: Option<Uuid>,
    pub cu_index: i32,
    #[sqlx(rename = "date")]
    pub appointment_date: NaiveDate,
    #[sqlx(rename = "start_minute")]
    pub start: i32,
    pub duration: i32,
    pub channel: Option<String>,
    pub booked_by: String,
    pub customer_record_id: Option<Uuid>,
}

impl Case {
    /// The search over a case's events, oldest first.
    #[must_use]
    pub fn search(case_id: Uuid, limit: u16) -> EventSearch {
        EventSearch {
            filter: EventFilter {
                case_id: Some(case_id),
                order: Order::Oldest,
                ..EventFilter::default()
            },
            after: None,
            limit,
        }
    }
}

/// A page of a case's story; none if the ledger does not know the case.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read_case(
    pool: &PgPool,
    org: &Org,
    case_id: Uuid,
    search: &EventSearch,
) -> Result<Option<Case>, AuditError> {
    let events = search_events(pool, org, search).await?;
    if events.items.is_empty() && search.after.is_none() {
        return Ok(None);
    }
    let place = sqlx::query_as(include_str!("../../sql/queries/read_held_place.sql"))
        .bind(org.as_str())
        .bind(case_id)
        .fetch_optional(pool)
        .await?;
    Ok(Some(Case {
        case_id,
        org: org.to_string(),
        place,
        events,
    }))
}
