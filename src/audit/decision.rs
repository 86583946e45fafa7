//! A decision as auditors get it.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::AuditError;
use super::explain::RowThen;
use super::explained::ExplainedPolicy;
use crate::cubu::response::Response;

/// A decision and the policies that made it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Its number in the organization's ledger.
    pub decision_id: i64,
    /// The number of the request that it answered.
    pub request_id: Option<i64>,
    /// The organization.
    pub org: String,
    /// The Cubu case.
    pub case_id: Option<Uuid>,
    /// By the database's clock, in microseconds.
    #[serde(serialize_with = "in_microseconds")]
    pub decided_at: DateTime<Utc>,
    /// `approved`, `modified` or `cancelled`.
    pub outcome: Option<String>,
    /// What the person who booked was told.
    pub cancellation_reason: Option<String>,
    /// The customer as decided.
    pub customer_record_id: Option<Uuid>,
    /// Where.
    pub unit_id: Option<Uuid>,
    /// What for.
    pub service_id: Option<Uuid>,
    /// The service's category.
    pub service_category_id: Option<Uuid>,
    /// The service type as decided.
    pub service_type_id: Option<Uuid>,
    /// The calendar's index.
    pub cu_index: Option<i32>,
    /// The calendar's date.
    pub appointment_date: Option<NaiveDate>,
    /// Minutes past local midnight.
    pub start: Option<i32>,
    /// Minutes.
    pub duration: Option<i32>,
    /// The channel as decided.
    pub channel: Option<String>,
    /// `agent` or `self-service`.
    pub booked_by: Option<String>,
    /// The agent.
    pub triggered_by_user_email: Option<String>,
    /// The decision whose place was freed for this one, as the case had moved. Null if none was, and once the payload is erased.
    pub moved_from: Option<i64>,
    /// The policies that it saw: the number of the newest policy event. Null once the payload is erased.
    pub policy_version: Option<i64>,
    /// The policies that applied, with what was compared. Null once the payload is erased.
    #[schema(value_type = Option<Vec<ExplainedPolicy>>)]
    pub policies: Option<Box<RawValue>>,
}

/// A decision with what explains it, what came in and what went out, the latter two exactly as they were. Null once erased.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DecisionDetail {
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// The organization itself: a `row` whose `mode` is `shadow` is the kill switch, by which no policy changes anything.
    pub organization: Option<RowThen>,
    /// The request's body.
    #[schema(value_type = Option<Object>)]
    pub request: Option<Box<RawValue>>,
    /// The answer's body.
    #[schema(value_type = Option<Object>)]
    pub response: Option<Box<RawValue>>,
}

/// A row of `search_decisions.sql` and `read_decision.sql`.
#[derive(Debug)]
pub(super) struct DecisionRow {
    pub(super) seq: i64,
    caused_by: Option<i64>,
    org: String,
    case_id: Option<Uuid>,
    recorded_at: DateTime<Utc>,
    outcome: Option<String>,
    cancellation_reason: Option<String>,
    customer_record_id: Option<Uuid>,
    unit_id: Option<Uuid>,
    service_id: Option<Uuid>,
    service_category_id: Option<Uuid>,
    service_type_id: Option<Uuid>,
    cu_index: Option<i32>,
    appointment_date: Option<NaiveDate>,
    start_minute: Option<i32>,
    duration: Option<i32>,
    channel: Option<String>,
    booked_by: Option<String>,
    triggered_by_user_email: Option<String>,
    payload: Option<String>,
}

impl<'r> FromRow<'r, PgRow> for DecisionRow {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            caused_by: row.try_get("caused_by")?,
            org: row.try_get("org")?,
            case_id: row.try_get("case_id")?,
            recorded_at: row.try_get("recorded_at")?,
            outcome: row.try_get("outcome")?,
            cancellation_reason: row.try_get("cancellation_reason")?,
            customer_record_id: row.try_get("customer_record_id")?,
            unit_id: row.try_get("unit_id")?,
            service_id: row.try_get("service_id")?,
            service_category_id: row.try_get("service_category_id")?,
            service_type_id: row.try_get("service_type_id")?,
            cu_index: row.try_get("cu_index")?,
            appointment_date: row.try_get("appointment_date")?,
            start_minute: row.try_get("start_minute")?,
            duration: row.try_get("duration")?,
            channel: row.try_get("channel")?,
            booked_by: row.try_get("booked_by")?,
            triggered_by_user_email: row.try_get("triggered_by_user_email")?,
            payload: row.try_get("payload")?,
        })
    }
}

/// What is read of a `booking.decided` payload.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    moved_from: Option<i64>,
    policy_version: Option<i64>,
    policies: Option<Box<RawValue>>,
    response: Option<Box<RawValue>>,
}

impl DecisionRow {
    /// The decision, and the answer's body.
    pub(super) fn read(self) -> Result<(Decision, Option<Box<RawValue>>), AuditError> {
        let is_stored = self.payload.is_some();
        let payload: Payload = match self.payload.as_deref().map(serde_json::from_str) {
            None => Payload::default(),
            Some(Ok(payload)) => payload,
            Some(Err(source)) => {
                return Err(AuditError::Unreadable {
                    org: self.org,
                    seq: self.seq,
                    source,
                });
            }
        };
        // The answer that books what was asked for is not written down (`ledger::booking::Version::Second`).
        let response =
            (payload.response).or_else(|| is_stored.then(|| Response::default().to_raw()));
        let decision = Decision {
            decision_id: self.seq,
            request_id: self.caused_by,
            org: self.org,
            case_id: self.case_id,
            decided_at: self.recorded_at,
            outcome: self.outcome,
            cancellation_reason: self.cancellation_reason,
            customer_record_id: self.customer_record_id,
            unit_id: self.unit_id,
            service_id: self.service_id,
            service_category_id: self.service_category_id,
            service_type_id: self.service_type_id,
            cu_index: self.cu_index,
            appointment_date: self.appointment_date,
            start: self.start_minute,
            duration: self.duration,
            channel: self.channel,
            booked_by: self.booked_by,
            triggered_by_user_email: self.triggered_by_user_email,
            moved_from: payload.moved_from,
            policy_version: payload.policy_version,
            policies: payload.policies,
        };
        Ok((decision, response))
    }
}

pub(super) fn in_microseconds<S: Serializer>(
    time: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

pub(super) fn optionally_in_microseconds<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => in_microseconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_in_the_interfaces_shape() {
        let row = DecisionRow {
            seq: 7,
            caused_by: Some(6),
            org: "default".to_owned(),
            case_id: Some(Uuid::nil()),
            recorded_at: DateTime::from_timestamp(1_800_000_000, 120_000).unwrap(),
            outcome: Some("cancelled".to_owned()),
            cancellation_reason: Some("full".to_owned()),
            customer_record_id: None,
            unit_id: Some(Uuid::nil()),
            service_id: Some(Uuid::nil()),
            service_category_id: None,
            service_type_id: None,
            cu_index: Some(0),
            appointment_date: NaiveDate::from_ymd_opt(2027, 3, 9),
            start_minute: Some(650),
            duration: Some(15),
            channel: None,
            booked_by: Some("agent".to_owned()),
            triggered_by_user_email: None,
            payload: Some(
                r#"{"version":1,"policyVersion":3,"movedFrom":2,"response":{"a": 1.0},"policies":[ {"id":1}]}"#
                    .to_owned(),
            ),
        };
        let (decision, response) = row.read().unwrap();
        let detail = DecisionDetail {
            decision,
            organization: None,
            request: None,
            response,
        };
        let text = serde_json::to_string(&detail).unwrap();
        for part in [
            r#"{"decisionId":7,"requestId":6,"org":"default","caseId":"00000000-"#,
            r#""decidedAt":"2027-01-15T08:00:00.000120Z""#,
            r#""appointmentDate":"2027-03-09","start":650"#,
            r#""movedFrom":2,"policyVersion":3,"policies":[ {"id":1}],"organization":null,"request":null,"response":{"a": 1.0}}"#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
