//! The one statement that appends a batch.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use uuid::Uuid;

use super::event::Event;
use super::head::Head;
use super::rows::{NewEvent, NewPlace, new_hits};
use crate::org::Org;
use crate::policy::place::Place;

/// A batch ends at most so many events after any of its decisions (settings: at most 10,000 bookings a batch, two events each).
pub const MOST_EVENTS_OF_A_BATCH: i64 = 20_000;

/// What a batch does to the places.
#[derive(Debug, Default)]
pub struct PlaceChanges {
    /// Cases whose place, if they hold one, is freed.
    pub freed: Vec<Uuid>,
    /// Places taken, when those are freed, by cases that hold none then.
    pub taken: Vec<TakenPlace>,
}

/// A place and the decision that gave it.
#[derive(Debug, Clone)]
pub struct TakenPlace {
    /// The case that holds it.
    pub case_id: Uuid,
    /// The decision's number.
    pub decision_seq: i64,
    /// The place.
    pub place: Place,
}

/// Appends a batch in one statement. It is encoded when it is made, so that nothing is left to do but to send it when its turn comes.
pub struct Append<'a>(Option<Query<'a, Postgres, PgArguments>>);

impl<'a> Append<'a> {
    /// Encodes the events and what they change, to be appended behind this head.
    pub fn new(
        org: &'a Org,
        head: &'a Head,
        events: &'a [Event],
        places: &'a PlaceChanges,
    ) -> Self {
        Self(events.last().map(|last| {
            sqlx::query(include_str!("../../sql/queries/append_events.sql"))
                .bind(org.as_str())
                .bind(head.last_seq)
                .bind(head.last_chain.as_slice())
                .bind(last.seq)
                .bind(last.chain.as_slice())
                .bind(last.recorded_at)
                .bind(events.iter().map(NewEvent::from).collect::<Vec<_>>())
                .bind(&places.freed)
                .bind(places.taken.iter().map(NewPlace::from).collect::<Vec<_>>())
                .bind(new_hits(events))
        }))
    }

    /// Appends the events and moves the head, if it is still where the events follow it: for certain, if this transaction has locked
    /// it. Otherwise nothing is appended, and `false` answered.
    pub async fn run(self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        match self.0 {
            Some(statement) => Ok(statement.execute(connection).await?.rows_affected() == 1),
            None => Ok(true),
        }
    }
}
