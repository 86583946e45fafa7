//! A batch's rows as the database takes them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::append::TakenPlace;
use super::event::{Event, PolicyMet};
use super::row::row;

row! {
    /// A row for `ledger.events`.
    NewEvent: "ledger.new_event" {
        seq: i64,
        recorded_at: DateTime<Utc>,
        event_type: &'a str,
        caused_by: Option<i64>,
        payload: &'a str,
        body: Option<&'a str>,
        salt: &'a [u8],
        payload_digest: &'a [u8],
        chain: &'a [u8],
        case_id: Option<Uuid>,
        request_digest: Option<&'a [u8]>,
        outcome: Option<&'a str>,
        unit_id: Option<Uuid>,
        service_id: Option<Uuid>,
        service_category_id: Option<Uuid>,
        service_type_id: Option<Uuid>,
        cu_index: Option<i32>,
        appointment_date: Option<NaiveDate>,
        start_minute: Option<i32>,
        duration: Option<i32>,
        channel: Option<&'a str>,
        booked_by: Option<&'a str>,
        customer_record_id: Option<Uuid>,
        triggered_by_user_email: Option<&'a str>,
        cancellation_reason: Option<&'a str>,
    }
}

impl<'a> From<&'a Event> for NewEvent<'a> {
    fn from(event: &'a Event) -> Self {
        let content = &event.content;
        let columns = &content.columns;
        Self {
            seq: event.seq,
            recorded_at: event.recorded_at,
            event_type: content.event_type,
            caused_by: content.caused_by,
            payload: &content.payload,
            body: content.body.as_deref(),
            salt: &event.salt,
            payload_digest: &event.payload_digest,
            chain: &event.chain,
            case_id: columns.case_id,
            request_digest: columns.request_digest.as_ref().map(<[u8; 32]>::as_slice),
            outcome: columns.outcome,
            unit_id: columns.unit_id,
            service_id: columns.service_id,
            service_category_id: columns.service_category_id,
            service_type_id: columns.service_type_id,
            cu_index: columns.cu_index,
            appointment_date: columns.appointment_date,
            start_minute: columns.start_minute,
            duration: columns.duration,
            channel: columns.channel.as_deref(),
            booked_by: columns.booked_by,
            customer_record_id: columns.customer_record_id,
            triggered_by_user_email: columns.triggered_by_user_email.as_deref(),
            cancellation_reason: columns.cancellation_reason.as_deref(),
        }
    }
}

row! {
    /// A row for `ledger.reservations`.
    NewPlace: "ledger.new_place" {
        case_id: Uuid,
        decision_seq: i64,
        unit_id: Uuid,
        service_id: Uuid,
        service_category_id: Option<Uuid>,
        service_type_id: Option<Uuid>,
        cu_index: i32,
        date: NaiveDate,
        start_minute: i32,
        duration: i32,
        starts_at: DateTime<Utc>,
        channel: Option<&'a str>,
        booked_by: &'a str,
        customer_record_id: Option<Uuid>,
    }
}

impl<'a> From<&'a TakenPlace> for NewPlace<'a> {
    fn from(taken: &'a TakenPlace) -> Self {
        let place = &taken.place;
        Self {
            case_id: taken.case_id,
            decision_seq: taken.decision_seq,
            unit_id: place.unit_id,
            service_id: place.service_id,
            service_category_id: place.service_category_id,
            service_type_id: place.service_type_id,
            cu_index: place.cu_index,
            date: place.date,
            start_minute: place.start,
            duration: place.duration,
            starts_at: place.starts_at,
            channel: place.channel.as_deref(),
            booked_by: place.booked_by.as_str(),
            customer_record_id: place.customer_record_id,
        }
    }
}

row! {
    /// A row for `ledger.policy_hits`.
    NewHits: "ledger.new_hits" {
        policy_kind: &'a str,
        policy_id: i64,
        verdict: &'a str,
        mode: &'a str,
        seqs: Vec<i64>,
    }
}

/// The policies that a batch met: each with one verdict and mode once, with its decisions in order.
pub(super) fn new_hits(events: &[Event]) -> Vec<NewHits<'_>> {
    let mut hits = BTreeMap::<&PolicyMet, Vec<i64>>::new();
    for event in events {
        for met in &event.content.policies {
            hits.entry(met).or_default().push(event.seq);
        }
    }
    (hits.into_iter())
        .map(|(met, seqs)| NewHits {
            policy_kind: met.kind,
            policy_id: met.id,
            verdict: met.verdict,
            mode: met.mode,
            seqs,
        })
        .collect()
}
