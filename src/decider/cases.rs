//! What a batch knows of the cases it is asked about: the place each holds, and the answers that still stand.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::cubu::request::BookedBy;
use crate::ledger::booking::Decided;
use crate::ledger::digest::Digest;
use crate::org::Org;
use crate::policy::place::Place;

/// A place that a case holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) decision_seq: i64,
    pub(super) place: Place,
}

/// An answer that still stands.
#[derive(Debug, Clone)]
pub(super) struct StandingAnswer {
    pub(super) request_digest: Digest,
    pub(super) decision_seq: i64,
    pub(super) body: Arc<str>,
}

/// What is known of one case.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) held: Option<Held>,
    refusals: Vec<StandingAnswer>,
    approval: Option<StandingAnswer>,
}

impl Case {
    /// The answer to the same request, if it still stands: an approval while its place is held, or a refusal.
    pub(super) fn standing_answer(&self, request_digest: &Digest) -> Option<&StandingAnswer> {
        let approval = self.approval.as_ref().filter(|answer| {
            let holds = |held: &Held| held.decision_seq == answer.decision_seq;
            answer.request_digest == *request_digest && self.held.as_ref().is_some_and(holds)
        });
        approval.or_else(|| {
            let same = |answer: &&StandingAnswer| answer.request_digest == *request_digest;
            self.refusals.iter().rev().find(same)
        })
    }

    pub(super) fn approve(&mut self, held: Held, answer: StandingAnswer) {
        self.held = Some(held);
        self.approval = Some(answer);
    }

    pub(super) fn refuse(&mut self, answer: StandingAnswer) {
        self.refusals.push(answer);
    }
}

#[derive(FromRow)]
struct CaseRow {
    item: i64,
    decision_seq: Option<i64>,
    unit_id: Option<Uuid>,
    service_id: Option<Uuid>,
    service_category_id: Option<Uuid>,
    service_type_id: Option<Uuid>,
    cu_index: Option<i32>,
    date: Option<NaiveDate>,
    start_minute: Option<i32>,
    duration: Option<i32>,
    starts_at: Option<DateTime<Utc>>,
    channel: Option<String>,
    booked_by: Option<String>,
    customer_record_id: Option<Uuid>,
    answer_seq: Option<i64>,
    answer_payload: Option<String>,
}

/// Reads what is known of the cases of these requests.
pub(super) async fn read(
    connection: &mut PgConnection,
    org: &Org,
    requests: &[(Uuid, Digest)],
    refusals_stand_after: DateTime<Utc>,
) -> Result<HashMap<Uuid, Case>, sqlx::Error> {
    let mut cases: HashMap<Uuid, Case> = HashMap::with_capacity(requests.len());
    if requests.is_empty() {
        return Ok(cases);
    }
    let rows: Vec<CaseRow> = sqlx::query_as(include_str!("../../sql/queries/read_cases.sql"))
        .bind(org.as_str())
        .bind(
            requests
                .iter()
                .map(|(case_id, _)| *case_id)
                .collect::<Vec<_>>(),
        )
        .bind(
            requests
                .iter()
                .map(|(_, digest)| digest.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(refusals_stand_after)
        .fetch_all(connection)
        .await?;
    for row in rows {
        let position = usize::try_from(row.item - 1).unwrap_or(usize::MAX);
        let Some((case_id, digest)) = requests.get(position) else {
            continue;
        };
        let case = cases.entry(*case_id).or_default();
        if let (Some(decision_seq), Some(payload)) = (row.answer_seq, &row.answer_payload) {
            let decided: Decided<'_> =
                serde_json::from_str(payload).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let answer = StandingAnswer {
                request_digest: *digest,
                decision_seq,
                body: decided.response.get().into(),
            };
            if row.decision_seq == Some(decision_seq) {
                case.approval = Some(answer);
            } else {
                case.refusals.push(answer);
            }
        }
        if case.held.is_none() {
            case.held = row.held();
        }
    }
    Ok(cases)
}

impl CaseRow {
    fn held(self) -> Option<Held> {
        Some(Held {
            decision_seq: self.decision_seq?,
            place: Place {
                unit_id: self.unit_id?,
                service_id: self.service_id?,
                service_category_id: self.service_category_id,
                service_type_id: self.service_type_id,
                cu_index: self.cu_index?,
                date: self.date?,
                start: self.start_minute?,
                duration: self.duration?,
                starts_at: self.starts_at?,
                channel: self.channel,
                booked_by: match self.booked_by?.as_str() {
                    "agent" => BookedBy::Agent,
                    _ => BookedBy::SelfService,
                },
                customer_record_id: self.customer_record_id,
            },
        })
    }
}
