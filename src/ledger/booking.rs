//! What the ledger says of a booking: the contents of its events.
//!
//! Every payload carries a version; whoever reads accepts every version that was ever written.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::digest::Digest;
use super::event::{
    BOOKING_CONFIRMED, BOOKING_DECIDED, BOOKING_RELEASED, BOOKING_REPEATED, BOOKING_REQUESTED,
    CASE_CLOSED, Columns, Content, PolicyMet, REQUEST_REJECTED,
};
use crate::cubu::after::After;
use crate::cubu::response::Response;
use crate::json::Members;
use crate::policy::decide::Decision;
use crate::policy::explanation::{Compared, Explained};

/// The forms of `booking.requested` and `booking.decided`. Replay writes each event again in its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Says again what the type, the request or the columns say.
    First = 1,
    /// Does not: some 400 bytes less for a booking that is kept as it was asked for.
    Second = 2,
}

impl Version {
    /// What is written today.
    pub const CURRENT: Self = Self::Second;

    /// That of a stored payload; today's if it is of neither.
    #[must_use]
    pub fn of(payload: &str) -> Self {
        if payload.starts_with(r#"{"version":1,"#) {
            Self::First
        } else {
            Self::CURRENT
        }
    }
}

/// The version of all other payloads.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestedPayload<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    authorization: Option<&'a str>,
    secret_id: Option<i64>,
}

/// What readers need of a `booking.decided` payload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided<'a> {
    /// The policies that it saw.
    pub policy_version: i64,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    /// The explanation.
    #[serde(borrow)]
    pub policies: &'a RawValue,
}

impl<'a> Decided<'a> {
    /// The exact answer. The one that books what was asked for is not written down.
    #[must_use]
    pub fn response(&self) -> Cow<'a, RawValue> {
        self.response
            .map_or_else(|| Cow::Owned(Response::default().to_raw()), Cow::Borrowed)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RepeatedPayload<'a> {
    version: u32,
    decision_id: i64,
    request_digest: String,
    authorization: Option<&'a str>,
    secret_id: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedPayload<'a> {
    version: u32,
    reason: &'a str,
    detail: &'a str,
    size: usize,
    body_digest: String,
    excerpt: &'a str,
    dropped_before: u64,
}

/// How a request was signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The `Authorization` header as it came.
    pub authorization: Option<&'a str>,
    /// The webhook secret that matched.
    pub secret_id: Option<i64>,
}

fn json(payload: &impl Serialize) -> String {
    serde_json::to_string(payload).expect("texts and numbers with text keys are always JSON")
}

/// `booking.requested`
#[must_use]
pub fn requested(version: Version, case_id: Uuid, body: &str, signed: Signed<'_>) -> Content {
    Content {
        event_type: BOOKING_REQUESTED,
        caused_by: None,
        payload: requested_payload(version, signed),
        body: Some(body.to_owned()),
        columns: Columns::of_case(case_id),
        policies: Vec::new(),
    }
}

/// The payload of `booking.requested`.
#[must_use]
pub fn requested_payload(version: Version, signed: Signed<'_>) -> String {
    json(&RequestedPayload {
        version: version as u32,
        action: (version == Version::First).then_some("beforeBookAppointment"),
        authorization: signed.authorization,
        secret_id: signed.secret_id,
    })
}

/// What a decision's event says besides the decision.
#[derive(Debug, Clone, Copy)]
pub struct DecidedContext<'a> {
    /// The request's number.
    pub request_seq: i64,
    /// SHA-256 of the request body.
    pub request_digest: Digest,
    /// The policies that it saw.
    pub policy_version: i64,
    /// The decision whose place this one replaces.
    pub moved_from: Option<i64>,
    /// The case.
    pub case_id: Uuid,
    /// The agent.
    pub triggered_by_user_email: Option<&'a str>,
}

/// Most decisions' payloads fit without growing on the way.
const USUAL_BYTES: usize = 4_096;

/// `booking.decided`, with the very text that is answered.
#[must_use]
pub fn decided(
    version: Version,
    decision: &Decision,
    answer: &str,
    context: DecidedContext<'_>,
) -> Content {
    let mut payload = Vec::with_capacity(USUAL_BYTES);
    let write_answer = |out: &mut Vec<u8>| out.extend_from_slice(answer.as_bytes());
    write_decided(version, decision, write_answer, context, &mut payload);
    // A batch's payloads are kept until it is written.
    payload.shrink_to_fit();
    Content {
        event_type: BOOKING_DECIDED,
        caused_by: Some(context.request_seq),
        payload: String::from_utf8(payload).expect("JSON is UTF-8"),
        body: None,
        columns: decided_columns(decision, context),
        policies: policies_met(decision).collect(),
    }
}

/// The payload of `booking.decided`, written to the end of a buffer.
pub(crate) fn write_decided(
    version: Version,
    decision: &Decision,
    write_answer: impl FnOnce(&mut Vec<u8>),
    context: DecidedContext<'_>,
    out: &mut Vec<u8>,
) {
    let is_first = version == Version::First;
    let mut members = Members::begin(out);
    members.value("version", version as u32);
    members.value("policyVersion", context.policy_version);
    members.optional("movedFrom", context.moved_from);
    members.optional("startsAt", is_first.then_some(decision.place.starts_at));
    if is_first || !decision.response.keeps_all() {
        write_answer(members.key("response"));
    }
    let policies = if is_first {
        Cow::Owned(policies_in_first_version(decision))
    } else {
        Cow::Borrowed(&decision.policies)
    };
    members.list("policies", &*policies, Explained::write);
    members.end();
}

/// What queries find a decision by.
pub(crate) fn decided_columns(decision: &Decision, context: DecidedContext<'_>) -> Columns {
    let place = &decision.place;
    Columns {
        case_id: Some(context.case_id),
        request_digest: Some(context.request_digest),
        outcome: Some(decision.outcome.as_str()),
        unit_id: Some(place.unit_id),
        service_id: Some(place.service_id),
        service_category_id: place.service_category_id,
        service_type_id: place.service_type_id,
        cu_index: Some(place.cu_index),
        appointment_date: Some(place.date),
        start_minute: Some(place.start),
        duration: Some(place.duration),
        channel: place.channel.clone(),
        booked_by: Some(place.booked_by.as_str()),
        customer_record_id: place.customer_record_id,
        triggered_by_user_email: context.triggered_by_user_email.map(str::to_owned),
        cancellation_reason: decision.response.cancellation_reason.clone(),
    }
}

/// For the projection `ledger.policy_hits`.
pub(crate) fn policies_met(decision: &Decision) -> impl Iterator<Item = PolicyMet> {
    decision.policies.iter().map(|explained| PolicyMet {
        kind: explained.kind.table(),
        id: explained.id,
        verdict: explained.verdict.as_str(),
        mode: explained.mode.as_str(),
    })
}

/// A customer limit said again who the customer is.
fn policies_in_first_version(decision: &Decision) -> Vec<Explained> {
    let mut policies = decision.policies.clone();
    for explained in &mut policies {
        if let Compared::CustomerLimit(compared) = &mut explained.compared {
            compared.customer_record_id = decision.place.customer_record_id;
        }
    }
    policies
}

/// `booking.repeated`
#[must_use]
pub fn repeated(
    case_id: Uuid,
    decision_seq: i64,
    request_digest: &Digest,
    signed: Signed<'_>,
) -> Content {
    Content {
        event_type: BOOKING_REPEATED,
        caused_by: Some(decision_seq),
        payload: json(&RepeatedPayload {
            version: VERSION,
            decision_id: decision_seq,
            request_digest: hex::encode(request_digest),
            authorization: signed.authorization,
            secret_id: signed.secret_id,
        }),
        body: None,
        columns: Columns::of_case(case_id),
        policies: Vec::new(),
    }
}

/// `booking.confirmed`, `booking.released` or `case.closed`: what a call after the booking told.
#[must_use]
pub fn followed(
    after: After,
    frees_place: bool,
    case_id: Uuid,
    decision_seq: Option<i64>,
    body: &str,
    signed: Signed<'_>,
) -> Content {
    let event_type = match (after, frees_place) {
        (After::Booked, _) => BOOKING_CONFIRMED,
        (After::Closed, true) => BOOKING_RELEASED,
        (After::Closed, false) => CASE_CLOSED,
    };
    Content {
        event_type,
        caused_by: decision_seq,
        payload: json(&RequestedPayload {
            version: VERSION,
            action: Some(after.action()),
            authorization: signed.authorization,
            secret_id: signed.secret_id,
        }),
        body: Some(body.to_owned()),
        columns: Columns::of_case(case_id),
        policies: Vec::new(),
    }
}

/// A request that could not be understood or authenticated.
#[derive(Debug, Clone, Copy)]
pub struct Rejected<'a> {
    /// A stable word.
    pub reason: &'a str,
    /// What was wrong.
    pub detail: &'a str,
    /// Length of the body in bytes.
    pub size: usize,
    /// SHA-256 of the body.
    pub body_digest: &'a Digest,
    /// The beginning of the body.
    pub excerpt: &'a str,
    /// How many rejections before this one were over the rate limit and only counted.
    pub dropped_before: u64,
}

/// `request.rejected`
#[must_use]
pub fn rejected(rejected: Rejected<'_>) -> Content {
    Content {
        event_type: REQUEST_REJECTED,
        caused_by: None,
        payload: json(&RejectedPayload {
            version: VERSION,
            reason: rejected.reason,
            detail: rejected.detail,
            size: rejected.size,
            body_digest: hex::encode(rejected.body_digest),
            excerpt: rejected.excerpt,
            dropped_before: rejected.dropped_before,
        }),
        body: None,
        columns: Columns::default(),
        policies: Vec::new(),
    }
}
