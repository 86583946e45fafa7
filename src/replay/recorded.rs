//! Folding events in as they are recorded: those before the numbers that are to be checked, those that were erased, and those that do
//! not match, because the live service went on with what it had answered.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

use super::decided::DecidedPayload;
use super::places::Held;
use super::prepared::Asked;
use super::state::Refusal;
use super::view::Event;
use super::walk::{Request, Walk};
use crate::cubu::request::{BookedBy, Booking};
use crate::ledger::digest::Digest;
use crate::ledger::event::{BOOKING_DECIDED, BOOKING_RELEASED, BOOKING_REQUESTED};
use crate::policy::decide::Outcome;
use crate::policy::place::Place;

impl Walk {
    /// Takes a recorded decision as it is: the columns have the place, but for the instant at which it starts.
    pub(super) fn fold_decided(&mut self, event: &Event<'_>, booking: Option<&Booking>) {
        let payload = event
            .payload
            .and_then(|payload| serde_json::from_str::<DecidedPayload<'_>>(payload).ok());
        if let Some(hits) = &mut self.state.hits {
            hits.recorded(
                event.seq,
                payload.as_ref().map(|payload| payload.policies.get()),
            );
        }
        let starts_at = (payload.and_then(|payload| payload.starts_at))
            .or(booking.map(|booking| booking.appointment.time_utc));
        let digest = event
            .request_digest
            .and_then(|digest| Digest::try_from(digest).ok());
        let (Some(case_id), Some(request_digest)) = (event.case_id, digest) else {
            return;
        };
        if event.outcome == Some(Outcome::Cancelled.as_str()) {
            self.note_refusal(event, case_id, request_digest);
        } else if let Some(place) = recorded_place(event, starts_at) {
            let held = Held {
                decision_seq: event.seq,
                request_digest,
                place,
            };
            self.state.approve(case_id, held);
        }
    }

    pub(super) fn note_refusal(
        &mut self,
        event: &Event<'_>,
        case_id: Uuid,
        request_digest: Digest,
    ) {
        let refusal = Refusal {
            case_id,
            decision_seq: event.seq,
            decided_at: event.recorded_at,
            is_superseded: false,
        };
        self.state.refuse(request_digest, refusal);
    }

    /// Folds an event in as it is recorded, unchecked.
    pub(super) fn fold(&mut self, event: &Event<'_>, asked: Option<Asked>) {
        let request = self.request.take();
        match event.event_type {
            BOOKING_REQUESTED => {
                self.request = Some(Request {
                    seq: event.seq,
                    recorded_at: event.recorded_at,
                    asked: asked.and_then(Result::ok),
                });
            }
            BOOKING_DECIDED => {
                let request = request.filter(|request| request.is_of(event));
                let asked = request.and_then(|request| request.asked);
                self.fold_decided(event, asked.as_ref().map(|(booking, _)| booking));
            }
            BOOKING_RELEASED => self.fold_followed(event),
            _ if event.policy_kind.is_some() => self.fold_policy(event, |_, _| true),
            _ => {}
        }
    }
}

/// None: an event whose columns cannot be.
fn recorded_place(event: &Event<'_>, starts_at: Option<DateTime<Utc>>) -> Option<Place> {
    let date = event.appointment_date?;
    let start = event.start_minute?;
    Some(Place {
        unit_id: event.unit_id?,
        service_id: event.service_id?,
        service_category_id: event.service_category_id,
        service_type_id: event.service_type_id,
        cu_index: event.cu_index?,
        date,
        start,
        duration: event.duration?,
        // Of an erased decision only the local time is left.
        starts_at: starts_at.unwrap_or_else(|| {
            let midnight = date.and_time(NaiveTime::MIN);
            midnight
                .checked_add_signed(TimeDelta::minutes(start.into()))
                .unwrap_or(midnight)
                .and_utc()
        }),
        channel: event.channel.map(str::to_owned),
        booked_by: BookedBy::from_word(event.booked_by?)?,
        customer_record_id: event.customer_record_id,
    })
}
