//! Reads the places of the customers whose limits a batch has to keep.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::cubu::request::BookedBy;
use crate::org::Org;
use crate::policy::customer_places::CustomerPlaces;
use crate::policy::facts::CustomerSpan;
use crate::policy::place::Place;

#[derive(FromRow)]
struct PlaceRow {
    case_id: Uuid,
    unit_id: Uuid,
    service_id: Uuid,
    service_category_id: Option<Uuid>,
    service_type_id: Option<Uuid>,
    cu_index: i32,
    date: NaiveDate,
    start_minute: i32,
    duration: i32,
    starts_at: DateTime<Utc>,
    channel: Option<String>,
    booked_by: String,
    customer_record_id: Option<Uuid>,
}

/// Reads these customers' places; a customer who is named more than once, on the dates that cover all.
pub(super) async fn read(
    connection: &mut PgConnection,
    org: &Org,
    spans: impl IntoIterator<Item = CustomerSpan>,
) -> Result<CustomerPlaces, sqlx::Error> {
    let mut wanted: BTreeMap<Uuid, CustomerSpan> = BTreeMap::new();
    for span in spans {
        let covering = wanted.entry(span.customer).or_insert(span);
        *covering = covering.covering(span);
    }
    let mut places = CustomerPlaces::default();
    if wanted.is_empty() {
        return Ok(places);
    }
    let rows: Vec<PlaceRow> =
        sqlx::query_as(include_str!("../../sql/queries/read_customer_places.sql"))
            .bind(org.as_str())
            .bind(wanted.keys().copied().collect::<Vec<_>>())
            .bind(wanted.values().map(|span| span.from).collect::<Vec<_>>())
            .bind(wanted.values().map(|span| span.until).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    for row in rows {
        places.take(row.case_id, &row.place());
    }
    Ok(places)
}

impl PlaceRow {
    fn place(self) -> Place {
        Place {
            unit_id: self.unit_id,
            service_id: self.service_id,
            service_category_id: self.service_category_id,
            service_type_id: self.service_type_id,
            cu_index: self.cu_index,
            date: self.date,
            start: self.start_minute,
            duration: self.duration,
            starts_at: self.starts_at,
            channel: self.channel,
            booked_by: match self.booked_by.as_str() {
                "agent" => BookedBy::Agent,
                _ => BookedBy::SelfService,
            },
            customer_record_id: self.customer_record_id,
        }
    }
}
