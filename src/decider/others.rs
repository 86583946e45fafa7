//! What the bookings of other processes changed since this one last looked: what is known is kept true, not read again.

use chrono::{DateTime, NaiveDate};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::memory::PlaceChange;
use crate::cubu::request::BookedBy;
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::place::Place;

/// Of more events than this, counting anew what is asked for costs less.
const MOST_EVENTS: i64 = 5_000;

/// What a decision or a closed case of another process did.
#[derive(Debug)]
pub(super) struct Change {
    /// The number of its event.
    pub(super) seq: i64,
    pub(super) case_id: Uuid,
    /// None: a refusal. The place lacks its start as an instant, which is in no event's columns.
    pub(super) place: Option<PlaceChange>,
}

/// What has changed after a known event, up to a head.
#[derive(Debug)]
pub(super) struct Changes {
    /// The known event's number.
    pub(super) known_seq: i64,
    pub(super) changes: Vec<Change>,
}

impl Changes {
    /// Those after a number.
    pub(super) fn after(&self, seq: i64) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.seq > seq)
    }
}

/// What has changed between two heads.
#[derive(Debug)]
pub(super) enum Since {
    /// This.
    Known(Changes),
    /// It cannot be told, or would take too long.
    Unclear,
    /// The first is not of this ledger: the database was restored, and others have written on since.
    OtherLedger,
}

#[derive(FromRow)]
struct Row {
    part: i32,
    seq: Option<i64>,
    case_id: Option<Uuid>,
    unit_id: Option<Uuid>,
    service_id: Option<Uuid>,
    service_category_id: Option<Uuid>,
    service_type_id: Option<Uuid>,
    cu_index: Option<i32>,
    date: Option<NaiveDate>,
    start_minute: Option<i32>,
    duration: Option<i32>,
    channel: Option<String>,
    booked_by: Option<String>,
    customer_record_id: Option<Uuid>,
}

const KNOWN: i32 = 0;
const TAKEN: i32 = 1;
const GIVEN_BACK: i32 = 2;
const REFUSED: i32 = 4;

/// Reads what has changed after a head that was known, up to one that is locked.
pub(super) async fn since(
    connection: &mut PgConnection,
    org: &Org,
    known: &Head,
    head: &Head,
) -> Result<Since, sqlx::Error> {
    let are_few = head.last_seq - known.last_seq <= MOST_EVENTS;
    let last_seq = if are_few {
        head.last_seq
    } else {
        known.last_seq
    };
    let rows: Vec<Row> = sqlx::query_as(include_str!("../../sql/queries/read_later_decisions.sql"))
        .bind(org.as_str())
        .bind(known.last_seq)
        .bind(known.last_chain.as_slice())
        .bind(last_seq)
        .fetch_all(connection)
        .await?;
    if !rows.iter().any(|row| row.part == KNOWN) {
        return Ok(Since::OtherLedger);
    }
    let changes = rows.into_iter().filter(|row| row.part != KNOWN);
    let changes: Option<Vec<_>> = changes.map(Row::change).collect();
    Ok(match changes {
        Some(changes) if are_few => Since::Known(Changes {
            known_seq: known.last_seq,
            changes,
        }),
        _ => Since::Unclear,
    })
}

impl Row {
    fn change(self) -> Option<Change> {
        let (seq, case_id) = (self.seq?, self.case_id?);
        let place = match self.part {
            TAKEN | GIVEN_BACK => Some(self.place_change(case_id)?),
            REFUSED => None,
            _ => return None,
        };
        Some(Change {
            seq,
            case_id,
            place,
        })
    }

    fn place_change(self, case_id: Uuid) -> Option<PlaceChange> {
        let place = Place {
            unit_id: self.unit_id?,
            service_id: self.service_id?,
            service_category_id: self.service_category_id,
            service_type_id: self.service_type_id,
            cu_index: self.cu_index?,
            date: self.date?,
            start: self.start_minute?,
            duration: self.duration?,
            // No bucket asks for it.
            starts_at: DateTime::UNIX_EPOCH,
            channel: self.channel,
            booked_by: BookedBy::from_word(&self.booked_by?)?,
            customer_record_id: self.customer_record_id,
        };
        Some(PlaceChange {
            case_id,
            place,
            is_taken: self.part == TAKEN,
        })
    }
}
