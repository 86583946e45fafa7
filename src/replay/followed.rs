//! What Cubu told after a booking: what it did to the place is derived again.

use super::booking::RequestedPayload;
use super::report::What;
use super::view::Event;
use super::walk::Walk;
use crate::cubu::after::{self, After};
use crate::ledger::booking::{self, Signed};
use crate::ledger::event::{BOOKING_CONFIRMED, BOOKING_RELEASED};

impl Walk {
    /// `booking.confirmed`, `booking.released` and `case.closed`
    pub(super) fn followed(&mut self, event: &Event<'_>, payload: &str) {
        self.summary.followed += 1;
        let body = event.body.unwrap_or_default();
        let case_id = match after::parse(body) {
            Ok(case_id) => case_id,
            Err(error) => {
                return self.tell(event.seq, What::Unreadable, "an after-call", error);
            }
        };
        let read = self.read::<RequestedPayload>(event.seq, payload, 1, |payload| payload.version);
        let Some(payload) = read else {
            return;
        };
        let after = if event.event_type == BOOKING_CONFIRMED {
            After::Booked
        } else {
            After::Closed
        };
        let held = self.state.places.held(case_id);
        let decision_seq = held.map(|held| held.decision_seq);
        let given_back = after == After::Closed
            && held.is_some_and(|held| held.place.is_given_back_at(event.recorded_at));
        let signed = Signed {
            authorization: payload.authorization.as_deref(),
            secret_id: payload.secret_id,
        };
        let content = booking::followed(after, given_back, case_id, decision_seq, body, signed);
        if content.event_type != event.event_type {
            self.tell(event.seq, What::Type, content.event_type, event.event_type);
        }
        self.compare(event, &content);
        self.fold_followed(event);
    }

    /// What was recorded is what the live service went on with.
    pub(super) fn fold_followed(&mut self, event: &Event<'_>) {
        if event.event_type == BOOKING_RELEASED
            && let Some(case_id) = event.case_id
        {
            self.state.places.free(case_id);
        }
    }
}
