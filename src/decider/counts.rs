//! What the caps of a batch need to have counted, as the database is asked for it.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::ledger::row::row;
use crate::policy::bucket::Bucket;

row! {
    /// A bucket whose places are to be counted.
    CountedBucket: "ledger.counted_bucket" {
        service_id: Option<Uuid>,
        unit_id: Option<Uuid>,
        service_category_id: Option<Uuid>,
        service_type_id: Option<Uuid>,
        cu_index: Option<i32>,
        channel: Option<&'a str>,
        booked_by: Option<&'a str>,
        date_from: NaiveDate,
        date_until: NaiveDate,
        from_minute: Option<i32>,
        to_minute: Option<i32>,
        weekdays: Option<i32>,
    }
}

impl<'a> From<&'a Bucket> for CountedBucket<'a> {
    fn from(bucket: &'a Bucket) -> Self {
        Self {
            service_id: bucket.service_id,
            unit_id: bucket.unit_id,
            service_category_id: bucket.service_category_id,
            service_type_id: bucket.service_type_id,
            cu_index: bucket.cu_index,
            channel: bucket.channel.as_deref(),
            booked_by: bucket.booked_by.map(|by| by.as_str()),
            date_from: bucket.from,
            date_until: bucket.until,
            from_minute: bucket.from_minute,
            to_minute: bucket.to_minute,
            weekdays: bucket.weekdays.map(|days| days.bits()),
        }
    }
}
