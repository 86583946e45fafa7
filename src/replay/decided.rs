//! Decisions: each is derived again from the events before it, and compared byte for byte with what was answered and explained.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::places::Held;
use super::report::What;
use super::view::Event;
use super::walk::{Request, Walk};
use crate::ledger::booking::{self, DecidedContext, Version};
use crate::ledger::digest::Digest;
use crate::policy::decide::Decision;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecidedPayload<'a> {
    version: u32,
    policy_version: i64,
    moved_from: Option<i64>,
    pub(super) starts_at: Option<DateTime<Utc>>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) policies: &'a RawValue,
}

impl Walk {
    /// `booking.decided`
    pub(super) fn decided(&mut self, event: &Event<'_>, payload: &str) {
        self.summary.decisions += 1;
        let Some(request) = self.cause_of_decision(event) else {
            return self.fold_decided(event, None);
        };
        let Some((booking, request_digest)) = request.asked else {
            return self.fold_decided(event, None);
        };
        if request.recorded_at != event.recorded_at {
            self.tell(
                event.seq,
                What::Time,
                request.recorded_at,
                event.recorded_at,
            );
        }
        let now = event.recorded_at;
        let case_id = booking.case_id;
        if let Some(standing) = self.state.standing(case_id, &request_digest, now) {
            let expected = format!("the answer of event {standing}, which stands");
            self.tell(event.seq, What::Repeat, expected, "decided anew");
        }
        let decision = self.state.decide(&booking, now);
        let approved = decision.approves();
        let held = self.state.places.held(case_id).filter(|_| approved);
        let context = DecidedContext {
            request_seq: request.seq,
            request_digest,
            policy_version: self.state.policies.version,
            moved_from: held.map(|held| held.decision_seq),
            case_id,
            triggered_by_user_email: booking.triggered_by_user_email.as_deref(),
        };
        self.derived.clear();
        booking::write_decided(
            Version::of(payload),
            &decision,
            |out| decision.response.write(out),
            context,
            &mut self.derived,
        );
        let same_payload = self.derived == payload.as_bytes();
        if !same_payload {
            let derived = String::from_utf8_lossy(&self.derived).into_owned();
            self.tell_payload(event.seq, &derived, payload);
        }
        let columns = booking::decided_columns(&decision, context);
        if !self.compare_columns(event, &columns) || !same_payload {
            // What was answered is what the live service went on with.
            return self.fold_decided(event, Some(&booking));
        }
        if let Some(hits) = &mut self.state.hits {
            hits.derived(event.seq, booking::policies_met(&decision));
        }
        self.settle(event, case_id, request_digest, decision);
    }

    /// What was booked takes its place; what was not may be asked again.
    pub(super) fn settle(
        &mut self,
        event: &Event<'_>,
        case_id: Uuid,
        request_digest: Digest,
        decision: Decision,
    ) {
        if decision.approves() {
            let held = Held {
                decision_seq: event.seq,
                request_digest,
                place: decision.place,
            };
            self.state.approve(case_id, held);
        } else {
            self.note_refusal(event, case_id, request_digest);
        }
    }

    fn cause_of_decision(&mut self, event: &Event<'_>) -> Option<Request> {
        let request = self.request.take();
        if request.as_ref().is_some_and(|request| request.is_of(event)) {
            return request;
        }
        let expected = request.map_or_else(
            || "a request right before it".to_owned(),
            |request| format!("event {}, the request right before it", request.seq),
        );
        let found = event
            .caused_by
            .map_or_else(|| "none".to_owned(), |seq| format!("event {seq}"));
        self.tell(event.seq, What::Cause, expected, found);
        None
    }

    /// Names the parts of a decision's payload that differ.
    fn tell_payload(&mut self, seq: i64, expected: &str, found: &str) {
        let read = |payload| serde_json::from_str::<DecidedPayload<'_>>(payload);
        let (derived, stored) = match (read(expected), read(found)) {
            (Ok(derived), Ok(stored)) if stored.version == derived.version => (derived, stored),
            (_, Ok(stored)) => {
                return self.tell(
                    seq,
                    What::Unreadable,
                    "payload version 1 to 2",
                    format!("version {}", stored.version),
                );
            }
            (_, Err(error)) => return self.tell(seq, What::Unreadable, "a payload", error),
        };
        let shown_time = |time: Option<DateTime<Utc>>| {
            time.map_or_else(|| "none".to_owned(), |time| time.to_string())
        };
        let shown_response = |response: Option<&RawValue>| {
            response.map_or_else(
                || "none: what was asked for is booked".to_owned(),
                |response| response.get().to_owned(),
            )
        };
        let shown = |seq: Option<i64>| seq.map_or_else(|| "none".to_owned(), |seq| seq.to_string());
        let parts = [
            (
                What::PolicyVersion,
                derived.policy_version.to_string(),
                stored.policy_version.to_string(),
            ),
            (
                What::MovedFrom,
                shown(derived.moved_from),
                shown(stored.moved_from),
            ),
            (
                What::StartsAt,
                shown_time(derived.starts_at),
                shown_time(stored.starts_at),
            ),
            (
                What::Response,
                shown_response(derived.response),
                shown_response(stored.response),
            ),
            (
                What::Policies,
                derived.policies.get().to_owned(),
                stored.policies.get().to_owned(),
            ),
        ];
        let mut told = false;
        for (what, expected, found) in parts {
            if expected != found {
                told = true;
                self.tell(seq, what, expected, found);
            }
        }
        if !told {
            self.tell(seq, What::Payload, expected, found);
        }
    }
}
