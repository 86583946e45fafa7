//! Counts what the caps of a batch need to know.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::org::Org;
use crate::policy::bucket::Bucket;
use crate::policy::tallies::{Tallies, Tally};

/// Counts the buckets that are not known yet.
pub(super) async fn count(
    connection: &mut PgConnection,
    org: &Org,
    buckets: impl IntoIterator<Item = Bucket>,
    tallies: &mut Tallies,
) -> Result<(), sqlx::Error> {
    let unknown: std::collections::HashSet<Bucket> = buckets
        .into_iter()
        .filter(|bucket| tallies.get(bucket).is_none())
        .collect();
    let (of_service, of_unit): (Vec<_>, Vec<_>) = unknown
        .into_iter()
        .partition(|bucket| bucket.service_id.is_some());
    let by_service = include_str!("../../sql/queries/tally_by_service.sql");
    let by_unit = include_str!("../../sql/queries/tally_by_unit.sql");
    for (statement, buckets) in [(by_service, of_service), (by_unit, of_unit)] {
        if !buckets.is_empty() {
            count_with(connection, org, statement, buckets, tallies).await?;
        }
    }
    Ok(())
}

async fn count_with(
    connection: &mut PgConnection,
    org: &Org,
    statement: &'static str,
    buckets: Vec<Bucket>,
    tallies: &mut Tallies,
) -> Result<(), sqlx::Error> {
    fn column<'a, T>(buckets: &'a [Bucket], value: impl Fn(&'a Bucket) -> T) -> Vec<T> {
        buckets.iter().map(value).collect()
    }
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(statement)
        .bind(org.as_str())
        .bind(column(&buckets, |bucket| bucket.service_id))
        .bind(column(&buckets, |bucket| bucket.unit_id))
        .bind(column::<Option<Uuid>>(&buckets, |bucket| {
            bucket.service_category_id
        }))
        .bind(column(&buckets, |bucket| bucket.service_type_id))
        .bind(column(&buckets, |bucket| bucket.cu_index))
        .bind(column(&buckets, |bucket| bucket.channel.as_deref()))
        .bind(column(&buckets, |bucket| {
            bucket.booked_by.map(|by| by.as_str())
        }))
        .bind(column(&buckets, |bucket| bucket.from))
        .bind(column(&buckets, |bucket| bucket.until))
        .bind(column(&buckets, |bucket| bucket.from_minute))
        .bind(column(&buckets, |bucket| bucket.to_minute))
        .bind(column(&buckets, |bucket| {
            bucket.weekdays.map(|days| days.bits())
        }))
        .fetch_all(connection)
        .await?;
    let mut buckets: Vec<Option<Bucket>> = buckets.into_iter().map(Some).collect();
    for (item, appointments, minutes) in rows {
        let position = usize::try_from(item - 1).unwrap_or(usize::MAX);
        if let Some(bucket) = buckets.get_mut(position).and_then(Option::take) {
            tallies.learn(
                bucket,
                Tally {
                    appointments,
                    minutes,
                },
            );
        }
    }
    Ok(())
}
