//! A ledger in memory, written as the service writes it: the same core, the same contents, the same numbering.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::cubu::after::After;
use crate::cubu::request::parse;
use crate::ledger::booking::{self, DecidedContext, Rejected, Signed, Version};
use crate::ledger::digest::{self, Header, Salts, sha256};
use crate::ledger::event::Content;
use crate::policy::change::PolicyChange;
use crate::policy::kind::Kind;
use crate::replay::event::{StoredAttachment, StoredEvent, StoredHead};
use crate::replay::places::Held;
use crate::replay::report::Summary;
use crate::replay::run::{Replay, Scope};
use crate::replay::state::{Refusal, State};

const SIGNED: Signed<'_> = Signed {
    authorization: Some("HMAC bWFj"),
    secret_id: Some(1),
};

pub(super) struct Ledger {
    pub(super) now: DateTime<Utc>,
    pub(super) events: Vec<StoredEvent>,
    state: State,
}

/// The sample booking, of a case, on a calendar, at a minute.
pub(super) fn body(case: u128, cu_index: i32, start: i32) -> String {
    let mut body: Value = serde_json::from_str(include_str!(
        "../../../tests/samples/before-book-appointment.json"
    ))
    .unwrap();
    body["caseId"] = uuid::Uuid::from_u128(case).to_string().into();
    body["appointment"]["cuIndex"] = cu_index.into();
    body["appointment"]["start"] = start.into();
    body.to_string()
}

/// A row of policy.capacity_caps as the triggers write it.
pub(super) fn cap(id: i64, max_appointments: i64, mode: &str) -> String {
    json!({
        "id": id, "org": "default", "name": null, "mode": mode, "unit_id": null, "service_id": null, "service_category_id": null,
        "service_type_id": null, "cu_index": null, "channel": null, "booked_by": null, "applies_when": null, "on_error": "ignore",
        "max_appointments": max_appointments, "max_minutes": null, "counted_per": "calendar", "period": "day", "weekdays": null,
        "from_minute": null, "to_minute": null, "active_from": null, "active_until": null, "message": null, "translations": null,
        "note": null
    })
    .to_string()
}

/// A row of policy.customer_blocklist that blocks a case field's value.
pub(super) fn blocked(id: i64, field_type_id: &str, field_value: &str) -> String {
    json!({
        "id": id, "org": "default", "name": null, "mode": "enforce", "customer_record_id": null, "field_type_id": field_type_id,
        "field_value": field_value, "unit_id": null, "service_id": null, "service_category_id": null, "service_type_id": null,
        "cu_index": null, "channel": null, "booked_by": null, "applies_when": null, "on_error": "ignore", "active_from": null,
        "active_until": null, "message": null, "translations": null, "note": null
    })
    .to_string()
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            now: "2027-03-01T08:00:00.000001Z".parse().unwrap(),
            events: Vec::new(),
            state: State::default(),
        }
    }

    /// Time goes on.
    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    /// Asks, and gets the number of the decision.
    pub(super) fn ask(&mut self, body: &str) -> i64 {
        let booking = parse(body).unwrap();
        let case_id = booking.case_id;
        let request_digest = sha256(body.as_bytes());
        if let Some(standing) = self.state.standing(case_id, &request_digest, self.now) {
            self.append(booking::repeated(
                case_id,
                standing,
                &request_digest,
                SIGNED,
            ));
            return standing;
        }
        let decision = self.state.decide(&booking, self.now);
        let request_seq = self.append(booking::requested(Version::CURRENT, case_id, body, SIGNED));
        let approved = decision.approves();
        let held = self.state.places.held(case_id).filter(|_| approved);
        let context = DecidedContext {
            request_seq,
            request_digest,
            policy_version: self.state.policies.version,
            moved_from: held.map(|held| held.decision_seq),
            case_id,
            triggered_by_user_email: booking.triggered_by_user_email.as_deref(),
        };
        let answer = decision.response.to_body();
        let decided = booking::decided(Version::CURRENT, &decision, &answer, context);
        let decision_seq = self.append(decided);
        if approved {
            let place = decision.place;
            self.state.approve(
                case_id,
                Held {
                    decision_seq,
                    request_digest,
                    place,
                },
            );
        } else {
            let decided_at = self.now;
            self.state.refuse(
                request_digest,
                Refusal {
                    case_id,
                    decision_seq,
                    decided_at,
                    is_superseded: false,
                },
            );
        }
        decision_seq
    }

    /// A case ends, before its appointment.
    pub(super) fn close(&mut self, case: u128) {
        let case_id = uuid::Uuid::from_u128(case);
        let held = self.state.places.held(case_id);
        let decision_seq = held.map(|held| held.decision_seq);
        let body = format!(r#"{{"caseId":"{case_id}"}}"#);
        self.append(booking::followed(
            After::Closed,
            held.is_some(),
            case_id,
            decision_seq,
            &body,
            SIGNED,
        ));
        self.state.places.free(case_id);
    }

    /// A request that could not be understood.
    pub(super) fn reject(&mut self) {
        self.append(booking::rejected(Rejected {
            reason: "not-json",
            detail: "not JSON",
            size: 3,
            body_digest: &sha256(b"abc"),
            excerpt: "abc",
            dropped_before: 2,
        }));
    }

    /// One policy row changes.
    pub(super) fn change(&mut self, kind: Kind, id: i64, old: Option<&str>, new: Option<&str>) {
        let row = |row: Option<&str>| row.unwrap_or("null").to_owned();
        let payload = format!(
            r#"{{"version" : 1, "kind" : "{kind}", "id" : {id}, "old" : {}, "new" : {}, "changedBy" : {{"user" : "admin"}}}}"#,
            row(old),
            row(new)
        );
        self.state
            .apply(&PolicyChange { kind, id, old, new })
            .unwrap();
        self.append_policy(kind, operation(old, new), payload, (id, id), None);
    }

    /// Many rows of one kind are made.
    pub(super) fn create_many(&mut self, kind: Kind, rows: &[(i64, String)]) {
        for (id, new) in rows {
            self.state
                .apply(&PolicyChange {
                    kind,
                    id: *id,
                    old: None,
                    new: Some(new),
                })
                .unwrap();
        }
        let rows_text: Vec<String> = rows
            .iter()
            .map(|(id, new)| format!(r#"{{"id":{id},"old":null,"new":{new}}}"#))
            .collect();
        let text = format!("[{}]", rows_text.join(","));
        let salt = Salts::default().draw().to_vec();
        let attachment = StoredAttachment {
            attachment_id: uuid::Uuid::from_u128(77),
            org: "default".to_owned(),
            payload_digest: digest::payload_digest(&salt, &text, None).to_vec(),
            payload: Some(text),
            salt: Some(salt),
        };
        let (from, to) = (rows[0].0, rows[rows.len() - 1].0);
        let payload = format!(
            r#"{{"version" : 1, "kind" : "{kind}", "idFrom" : {from}, "idTo" : {to}, "rows" : {}, "attachment" : "{}", "attachmentDigest" : "{}"}}"#,
            rows.len(),
            attachment.attachment_id,
            hex::encode(&attachment.payload_digest),
        );
        self.append_policy(
            kind,
            "policy.created",
            payload,
            (from, to),
            Some(attachment),
        );
    }

    fn append_policy(
        &mut self,
        kind: Kind,
        event_type: &'static str,
        payload: String,
        ids: (i64, i64),
        attachment: Option<StoredAttachment>,
    ) {
        let seq = self.append(Content {
            event_type,
            caused_by: None,
            payload,
            body: None,
            columns: Default::default(),
            policies: Vec::new(),
        });
        let event = self.events.last_mut().unwrap();
        event.policy_kind = Some(kind.table().to_owned());
        (event.policy_id_from, event.policy_id_to) = (Some(ids.0), Some(ids.1));
        event.attachment_id = attachment
            .as_ref()
            .map(|attachment| attachment.attachment_id);
        event.attachment = attachment;
        self.state.policies.version = seq;
    }

    fn append(&mut self, content: Content) -> i64 {
        let columns = content.columns;
        self.events.push(StoredEvent {
            org: "default".to_owned(),
            seq: self.events.len() as i64 + 1,
            recorded_at: self.now,
            event_type: content.event_type.to_owned(),
            caused_by: content.caused_by,
            payload: Some(content.payload),
            body: content.body,
            salt: Some(Salts::default().draw().to_vec()),
            case_id: columns.case_id,
            request_digest: columns.request_digest.map(|digest| digest.to_vec()),
            outcome: columns.outcome.map(str::to_owned),
            unit_id: columns.unit_id,
            service_id: columns.service_id,
            service_category_id: columns.service_category_id,
            service_type_id: columns.service_type_id,
            cu_index: columns.cu_index,
            appointment_date: columns.appointment_date,
            start_minute: columns.start_minute,
            duration: columns.duration,
            channel: columns.channel,
            booked_by: columns.booked_by.map(str::to_owned),
            customer_record_id: columns.customer_record_id,
            triggered_by_user_email: columns.triggered_by_user_email,
            cancellation_reason: columns.cancellation_reason,
            ..StoredEvent::default()
        });
        self.prove_from(self.events.len() - 1);
        self.events.len() as i64
    }

    /// Computes digests and chain anew from an event on: what a forger with all rights would do.
    pub(super) fn prove_from(&mut self, index: usize) {
        for index in index..self.events.len() {
            let previous = match index {
                0 => digest::GENESIS,
                _ => self.events[index - 1].chain.clone().try_into().unwrap(),
            };
            let event = &mut self.events[index];
            if let (Some(salt), Some(payload)) = (&event.salt, &event.payload) {
                event.payload_digest =
                    digest::payload_digest(salt, payload, event.body.as_deref()).to_vec();
            }
            let header = Header {
                org: &event.org,
                seq: event.seq,
                event_type: &event.event_type,
                recorded_at: event.recorded_at,
                caused_by: event.caused_by,
            };
            event.chain = digest::chain(&previous, &event.payload_digest, &header).to_vec();
        }
    }

    pub(super) fn head(&self) -> StoredHead {
        let last = self.events.last().unwrap();
        StoredHead {
            org: "default".to_owned(),
            last_seq: last.seq,
            last_chain: last.chain.clone(),
            last_recorded_at: last.recorded_at,
            policy_version: self.state.policies.version,
        }
    }
}

fn operation(old: Option<&str>, new: Option<&str>) -> &'static str {
    match (old, new) {
        (None, _) => "policy.created",
        (_, Some(_)) => "policy.updated",
        _ => "policy.deleted",
    }
}

/// Replays events that end with a head.
pub(super) fn replay(events: &[StoredEvent], head: &StoredHead) -> Summary {
    replay_within(Scope::default(), events, head)
}

/// The same, within a scope.
pub(super) fn replay_within(scope: Scope, events: &[StoredEvent], head: &StoredHead) -> Summary {
    let mut replay = Replay::new(scope, Default::default());
    replay.begin("default");
    let events: Vec<_> = events.iter().map(StoredEvent::view).collect();
    replay.events(&events);
    replay.end(Some(head));
    replay.finish()
}
