//! Requests: each is read again, and what would be written compared with what is stored. Decisions have a file of their own.

use serde::Deserialize;

use super::columns::{self, PolicyColumns};
use super::prepared::Asked;
use super::report::What;
use super::view::Event;
use super::walk::{Request, Walk};
use crate::ledger::booking::{self, Rejected, Signed, Version};
use crate::ledger::digest::Digest;
use crate::ledger::event::{Columns, Content};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestedPayload {
    pub(super) version: u32,
    pub(super) authorization: Option<String>,
    pub(super) secret_id: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepeatedPayload {
    version: u32,
    request_digest: String,
    authorization: Option<String>,
    secret_id: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RejectedPayload {
    version: u32,
    reason: String,
    detail: String,
    size: usize,
    body_digest: String,
    excerpt: String,
    dropped_before: u64,
}

impl Walk {
    /// `booking.requested`
    pub(super) fn requested(
        &mut self,
        event: &Event<'_>,
        payload_text: &str,
        asked: Option<Asked>,
    ) {
        let asked = asked.and_then(|asked| {
            asked
                .map_err(|error| self.tell(event.seq, What::Unreadable, "a booking", error))
                .ok()
        });
        let newest = Version::CURRENT as u32;
        let read = self
            .read::<RequestedPayload>(event.seq, payload_text, newest, |payload| payload.version);
        if let (Some((booking, _)), Some(payload)) = (&asked, read) {
            let signed = Signed {
                authorization: payload.authorization.as_deref(),
                secret_id: payload.secret_id,
            };
            let payload = booking::requested_payload(Version::of(payload_text), signed);
            self.compare_payload(event, &payload, None);
            self.compare_columns(event, &Columns::of_case(booking.case_id));
        }
        self.request = Some(Request {
            seq: event.seq,
            recorded_at: event.recorded_at,
            asked,
        });
    }

    /// `booking.repeated`: the answer must stand, by promise 4.
    pub(super) fn repeated(&mut self, event: &Event<'_>, payload: &str) {
        self.summary.repeats += 1;
        let Some(payload_read) =
            self.read::<RepeatedPayload>(event.seq, payload, 1, |payload| payload.version)
        else {
            return;
        };
        let Some(digest) = digest_of(&payload_read.request_digest) else {
            return self.tell(
                event.seq,
                What::Unreadable,
                "a SHA-256 value",
                payload_read.request_digest,
            );
        };
        let case_id = event.case_id.unwrap_or_default();
        let now = event.recorded_at;
        let standing = self.state.standing(case_id, &digest, now);
        let standing = standing.or_else(|| self.state.superseded(case_id, &digest, now));
        let Some(standing) = standing else {
            return self.tell(
                event.seq,
                What::Repeat,
                "decided anew: no answer stands",
                "a repeat",
            );
        };
        let signed = Signed {
            authorization: payload_read.authorization.as_deref(),
            secret_id: payload_read.secret_id,
        };
        self.compare(
            event,
            &booking::repeated(case_id, standing, &digest, signed),
        );
    }

    /// `request.rejected`
    pub(super) fn rejected(&mut self, event: &Event<'_>, payload: &str) {
        self.summary.rejected += 1;
        let Some(read) =
            self.read::<RejectedPayload>(event.seq, payload, 1, |payload| payload.version)
        else {
            return;
        };
        let Some(body_digest) = digest_of(&read.body_digest) else {
            return self.tell(
                event.seq,
                What::Unreadable,
                "a SHA-256 value",
                read.body_digest,
            );
        };
        let content = booking::rejected(Rejected {
            reason: &read.reason,
            detail: &read.detail,
            size: read.size,
            body_digest: &body_digest,
            excerpt: &read.excerpt,
            dropped_before: read.dropped_before,
        });
        self.compare(event, &content);
    }

    /// Reads a payload of a version up to the newest.
    pub(super) fn read<'a, T: Deserialize<'a>>(
        &mut self,
        seq: i64,
        payload: &'a str,
        newest: u32,
        version: impl Fn(&T) -> u32,
    ) -> Option<T> {
        match serde_json::from_str::<T>(payload) {
            Ok(read) if (1..=newest).contains(&version(&read)) => Some(read),
            Ok(read) => {
                self.tell(
                    seq,
                    What::Unreadable,
                    if newest == 1 {
                        "payload version 1".to_owned()
                    } else {
                        format!("payload version 1 to {newest}")
                    },
                    format!("version {}", version(&read)),
                );
                None
            }
            Err(error) => {
                self.tell(seq, What::Unreadable, "a payload", error);
                None
            }
        }
    }

    /// Compares an event with what would be written.
    pub(super) fn compare(&mut self, event: &Event<'_>, content: &Content) {
        self.compare_payload(event, &content.payload, content.caused_by);
        if content.body.is_none() && event.body.is_some() {
            self.tell(event.seq, What::Payload, "no body", "a body");
        }
        self.compare_columns(event, &content.columns);
    }

    fn compare_payload(&mut self, event: &Event<'_>, payload: &str, caused_by: Option<i64>) {
        if event.payload != Some(payload) {
            self.tell(
                event.seq,
                What::Payload,
                payload,
                event.payload.unwrap_or("null"),
            );
        }
        if event.caused_by != caused_by {
            let shown = |cause: Option<i64>| {
                cause.map_or_else(|| "none".to_owned(), |seq| format!("event {seq}"))
            };
            self.tell(
                event.seq,
                What::Cause,
                shown(caused_by),
                shown(event.caused_by),
            );
        }
    }

    pub(super) fn compare_columns(&mut self, event: &Event<'_>, columns: &Columns) -> bool {
        let mut equal = true;
        columns::compare(
            event,
            columns,
            &PolicyColumns::default(),
            |what, expected, found| {
                equal = false;
                self.mismatches
                    .push(&self.org, event.seq, what, expected, found);
            },
        );
        equal
    }
}

fn digest_of(hex: &str) -> Option<Digest> {
    hex::decode(hex).ok()?.try_into().ok()
}
