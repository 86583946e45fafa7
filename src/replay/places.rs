//! The places that cases hold, and how many are in a bucket.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::times::{StoredDate, StoredTime};
use crate::cubu::request::BookedBy;
use crate::ledger::digest::Digest;
use crate::policy::bucket::Bucket;
use crate::policy::facts::CustomerSpan;
use crate::policy::hash::FastMap;
use crate::policy::place::Place;
use crate::policy::tallies::{Tallies, Tally};

/// More known counts than this are forgotten together: a bound on memory.
const MOST_TALLIES: usize = 100_000;

/// A count that is taken from so many days and places, or fewer, is not kept: it is had again as quickly as it is found, and most
/// are of a slot or a day that hardly anybody asks for twice.
const FEW: usize = 8;

/// A place and the decision that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) decision_seq: i64,
    pub(super) request_digest: Digest,
    pub(super) place: Place,
}

/// The same as a row of `ledger.reservations`, which does not know the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub(super) struct Reservation {
    pub(super) case_id: Uuid,
    pub(super) decision_seq: i64,
    pub(super) unit_id: Uuid,
    pub(super) service_id: Uuid,
    pub(super) service_category_id: Option<Uuid>,
    pub(super) service_type_id: Option<Uuid>,
    pub(super) cu_index: i32,
    #[sqlx(try_from = "StoredDate")]
    pub(super) date: NaiveDate,
    pub(super) start_minute: i32,
    pub(super) duration: i32,
    #[sqlx(try_from = "StoredTime")]
    pub(super) starts_at: DateTime<Utc>,
    pub(super) channel: Option<String>,
    pub(super) booked_by: String,
    pub(super) customer_record_id: Option<Uuid>,
}

impl Reservation {
    pub(super) fn new(case_id: Uuid, held: &Held) -> Self {
        let place = &held.place;
        Self {
            case_id,
            decision_seq: held.decision_seq,
            unit_id: place.unit_id,
            service_id: place.service_id,
            service_category_id: place.service_category_id,
            service_type_id: place.service_type_id,
            cu_index: place.cu_index,
            date: place.date,
            start_minute: place.start,
            duration: place.duration,
            starts_at: place.starts_at,
            channel: place.channel.clone(),
            booked_by: place.booked_by.as_str().to_owned(),
            customer_record_id: place.customer_record_id,
        }
    }

    /// None: a word that cannot be.
    pub(super) fn into_held(self, request_digest: Digest) -> Option<Held> {
        Some(Held {
            decision_seq: self.decision_seq,
            request_digest,
            place: Place {
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
                booked_by: BookedBy::from_word(&self.booked_by)?,
                customer_record_id: self.customer_record_id,
            },
        })
    }
}

/// By service and date, or by unit and date: which places are held there, in no order.
#[derive(Debug, Default)]
struct Days(FastMap<(Uuid, NaiveDate), Vec<Arc<Held>>>);

impl Days {
    fn insert(&mut self, anchor: Uuid, held: &Arc<Held>) {
        let day = self.0.entry((anchor, held.place.date)).or_default();
        day.push(Arc::clone(held));
    }

    fn remove(&mut self, anchor: Uuid, held: &Arc<Held>) {
        if let Entry::Occupied(mut day) = self.0.entry((anchor, held.place.date)) {
            let places = day.get_mut();
            if let Some(position) = places.iter().position(|other| Arc::ptr_eq(other, held)) {
                places.swap_remove(position);
            }
            if places.is_empty() {
                day.remove();
            }
        }
    }

    /// The places of each day from a date on, before another: at most a month apart.
    fn places(
        &self,
        anchor: Uuid,
        from: NaiveDate,
        until: NaiveDate,
    ) -> impl Iterator<Item = impl Iterator<Item = &Place>> {
        let days = from.iter_days().take_while(move |date| *date < until);
        days.map(move |date| {
            let places = self.0.get(&(anchor, date)).into_iter().flatten();
            places.map(|held| &held.place)
        })
    }
}

/// A customer, a date and a case. The ids as numbers, which are in the same order and quicker to compare.
type CustomersPlace = (u128, NaiveDate, u128);

/// The held places of one ledger. Each is shared by all ways to find it: looking cases up one by one is what counting cost most.
#[derive(Debug, Default)]
pub(super) struct Places {
    by_case: FastMap<Uuid, Arc<Held>>,
    by_service: Days,
    by_unit: Days,
    tallies: Tallies,
    by_customer: BTreeMap<CustomersPlace, Arc<Held>>,
}

impl Places {
    pub(super) fn held(&self, case_id: Uuid) -> Option<&Held> {
        self.by_case.get(&case_id).map(AsRef::as_ref)
    }

    /// A customer's places on some dates.
    pub(super) fn of_customer(&self, span: CustomerSpan) -> Vec<(Uuid, &Place)> {
        let customer = span.customer.as_u128();
        let (first, end) = ((customer, span.from, 0), (customer, span.until, 0));
        if first >= end {
            return Vec::new();
        }
        let places = self.by_customer.range(first..end);
        places
            .map(|((_, _, case_id), held)| (Uuid::from_u128(*case_id), &held.place))
            .collect()
    }

    /// A case takes a place; the one that it held goes.
    pub(super) fn take(&mut self, case_id: Uuid, held: Held) {
        self.free(case_id);
        let held = Arc::new(held);
        let place = &held.place;
        self.tallies.take(place);
        if let Some(customer) = place.customer_record_id {
            let key = (customer.as_u128(), place.date, case_id.as_u128());
            self.by_customer.insert(key, Arc::clone(&held));
        }
        self.by_service.insert(place.service_id, &held);
        self.by_unit.insert(place.unit_id, &held);
        self.by_case.insert(case_id, held);
    }

    /// A case's place goes.
    pub(super) fn free(&mut self, case_id: Uuid) {
        let Some(held) = self.by_case.remove(&case_id) else {
            return;
        };
        let place = &held.place;
        self.tallies.free(place);
        if let Some(customer) = place.customer_record_id {
            let key = (customer.as_u128(), place.date, case_id.as_u128());
            self.by_customer.remove(&key);
        }
        self.by_service.remove(place.service_id, &held);
        self.by_unit.remove(place.unit_id, &held);
    }

    /// How many are in a bucket. What took long to count is known from then on, and kept true.
    pub(super) fn count(&mut self, bucket: &Bucket) -> Tally {
        if let Some(known) = self.tallies.get(bucket) {
            return known;
        }
        let (days, anchor) = match (bucket.service_id, bucket.unit_id) {
            (Some(service), _) => (&self.by_service, service),
            (None, Some(unit)) => (&self.by_unit, unit),
            // Every bucket has one of the two: CountedPer.
            (None, None) => return Tally::default(),
        };
        let mut looked_at = 0;
        let mut tally = Tally::default();
        for places in days.places(anchor, bucket.from, bucket.until) {
            looked_at += 1;
            for place in places {
                looked_at += 1;
                if bucket.contains(place) {
                    tally = tally.with(place);
                }
            }
        }
        if looked_at > FEW {
            if self.tallies.len() > MOST_TALLIES {
                self.tallies.clear();
            }
            self.tallies.learn(bucket.clone(), tally);
        }
        tally
    }

    /// Every case that holds a place, in the order of the cases.
    pub(super) fn cases(&self) -> Vec<Uuid> {
        let mut cases: Vec<Uuid> = self.by_case.keys().copied().collect();
        cases.sort_unstable();
        cases
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cubu::request;
    use crate::policy::bucket::{CountedPer, Period};
    use crate::policy::scope::Scope;

    const BODY: &str = include_str!("../../tests/samples/before-book-appointment.json");

    /// A place on one of six days of two units' services.
    fn place(number: u64) -> Place {
        let mut place = Place::of(&request::parse(BODY).unwrap());
        let other = |id: Uuid, by: u64| Uuid::from_u128(id.as_u128() ^ u128::from(number / by % 2));
        place.unit_id = other(place.unit_id, 1);
        place.service_id = other(place.service_id, 2);
        place.date = place.date + chrono::Days::new(number % 6);
        place
    }

    fn bucket(number: u64) -> Bucket {
        let per = [CountedPer::Calendar, CountedPer::Service, CountedPer::Unit];
        let periods = [Period::Slot, Period::Day, Period::Week, Period::Month];
        let per = per[(number % 3) as usize];
        let period = periods[(number / 3 % 4) as usize];
        let scope = Scope::default();
        Bucket::around(&place(number), &scope, per, period, (None, None), None)
    }

    /// Whatever is known of a bucket, and since when.
    #[test]
    fn a_count_is_always_what_counting_one_by_one_finds() {
        let mut places = Places::default();
        let mut held = BTreeMap::new();
        let mut most = 0;
        for number in 0..600 {
            // Some cases move, and some go.
            let case_id = Uuid::from_u128(u128::from(number % 170));
            if number % 5 == 4 {
                places.free(case_id);
                held.remove(&case_id);
            } else {
                let place = place(number * 7);
                let taken = Held {
                    decision_seq: number.cast_signed(),
                    request_digest: [0; 32],
                    place: place.clone(),
                };
                places.take(case_id, taken);
                held.insert(case_id, place);
            }
            for bucket in (0..12).map(|other| bucket(number + other)) {
                let found = held.values().filter(|place| bucket.contains(place));
                let expected = found.fold(Tally::default(), Tally::with);
                assert_eq!(places.count(&bucket), expected, "{number} {bucket:?}");
                most = most.max(expected.appointments);
            }
        }
        assert!(most > FEW as i64, "some buckets are long to count");
    }

    #[test]
    fn only_what_was_long_to_count_is_kept() {
        let mut places = Places::default();
        let day = |place: &Place| {
            let scope = Scope::default();
            Bucket::around(
                place,
                &scope,
                CountedPer::Service,
                Period::Day,
                (None, None),
                None,
            )
        };
        let place = place(0);
        for number in 0..FEW as u128 {
            assert_eq!(places.count(&day(&place)).appointments, number as i64);
            assert!(places.tallies.is_empty());
            let taken = Held {
                decision_seq: 1,
                request_digest: [0; 32],
                place: place.clone(),
            };
            places.take(Uuid::from_u128(number), taken);
        }
        assert_eq!(places.count(&day(&place)).appointments, FEW as i64);
        assert_eq!(places.tallies.len(), 1);
    }
}
