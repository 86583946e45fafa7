//! Appends a batch in one statement.

use sqlx::PgConnection;
use uuid::Uuid;

use super::digest::Digest;
use super::event::Event;
use super::head::Head;
use crate::org::Org;
use crate::policy::place::Place;

/// What a batch does to the places.
#[derive(Debug, Default)]
pub struct PlaceChanges {
    /// Cases whose place is freed.
    pub freed: Vec<Uuid>,
    /// Places taken; a case's earlier place goes.
    pub taken: Vec<TakenPlace>,
}

/// A place and the decision that gave it.
#[derive(Debug, Clone)]
pub struct TakenPlace {
    /// The case that holds it.
    pub case_id: Uuid,
    /// The decision's number.
    pub decision_seq: i64,
    /// SHA-256 of the request body that was approved.
    pub request_digest: Digest,
    /// The place.
    pub place: Place,
}

/// Appends the events and moves the head, if it is still where the events follow it: for certain, if this transaction has locked it.
/// Otherwise nothing is appended.
pub async fn append(
    connection: &mut PgConnection,
    org: &Org,
    head: &Head,
    events: &[Event],
    places: &PlaceChanges,
) -> Result<bool, sqlx::Error> {
    let Some(last) = events.last() else {
        return Ok(true);
    };
    macro_rules! column {
        (|$event:ident| $value:expr) => {
            events.iter().map(|$event| $value).collect::<Vec<_>>()
        };
    }
    macro_rules! query_column {
        ($column:ident) => {
            column!(|event| event.content.columns.$column)
        };
    }
    macro_rules! query_text {
        ($column:ident) => {
            column!(|event| event.content.columns.$column.as_deref())
        };
    }
    macro_rules! place {
        (|$taken:ident| $value:expr) => {
            places.taken.iter().map(|$taken| $value).collect::<Vec<_>>()
        };
    }
    macro_rules! verdict {
        (|$event:pat_param, $met:pat_param| $value:expr) => {
            (events.iter())
                .flat_map(|event| event.content.policies.iter().map(move |met| (event, met)))
                .map(|($event, $met)| $value)
                .collect::<Vec<_>>()
        };
    }
    let query = sqlx::query(include_str!("../../sql/queries/append_events.sql"))
        .bind(org.as_str())
        .bind(head.last_seq)
        .bind(column!(|event| event.seq))
        .bind(column!(|event| event.recorded_at))
        .bind(column!(|event| event.content.event_type))
        .bind(column!(|event| event.content.caused_by))
        .bind(column!(|event| event.content.payload.as_str()))
        .bind(column!(|event| event.content.body.as_deref()))
        .bind(column!(|event| event.salt.as_slice()))
        .bind(column!(|event| event.payload_digest.as_slice()))
        .bind(column!(|event| event.chain.as_slice()))
        .bind(query_column!(case_id))
        .bind(column!(|event| {
            event
                .content
                .columns
                .request_digest
                .as_ref()
                .map(|digest| digest.as_slice())
        }))
        .bind(query_column!(outcome))
        .bind(query_column!(unit_id))
        .bind(query_column!(service_id))
        .bind(query_column!(service_category_id))
        .bind(query_column!(service_type_id))
        .bind(query_column!(cu_index))
        .bind(query_column!(appointment_date))
        .bind(query_column!(start_minute))
        .bind(query_column!(duration))
        .bind(query_text!(channel))
        .bind(query_column!(booked_by))
        .bind(query_column!(customer_record_id))
        .bind(query_text!(triggered_by_user_email))
        .bind(query_text!(cancellation_reason))
        .bind(&places.freed)
        .bind(place!(|taken| taken.case_id))
        .bind(place!(|taken| taken.decision_seq))
        .bind(place!(|taken| taken.request_digest.as_slice()))
        .bind(place!(|taken| taken.place.unit_id))
        .bind(place!(|taken| taken.place.service_id))
        .bind(place!(|taken| taken.place.service_category_id))
        .bind(place!(|taken| taken.place.service_type_id))
        .bind(place!(|taken| taken.place.cu_index))
        .bind(place!(|taken| taken.place.date))
        .bind(place!(|taken| taken.place.start))
        .bind(place!(|taken| taken.place.duration))
        .bind(place!(|taken| taken.place.starts_at))
        .bind(place!(|taken| taken.place.channel.as_deref()))
        .bind(place!(|taken| taken.place.booked_by.as_str()))
        .bind(place!(|taken| taken.place.customer_record_id))
        .bind(last.seq)
        .bind(last.chain.as_slice())
        .bind(last.recorded_at)
        .bind(verdict!(|_event, met| met.kind))
        .bind(verdict!(|_event, met| met.id))
        .bind(verdict!(|_event, met| met.verdict))
        .bind(verdict!(|_event, met| met.mode))
        .bind(verdict!(|event, _met| event.seq))
        .bind(head.last_chain.as_slice());
    Ok(query.execute(connection).await?.rows_affected() == 1)
}
