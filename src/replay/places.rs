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
                booked_by: booked_by(&self.booked_by)?,
                customer_record_id: self.customer_record_id,
            },
        })
    }
}

/// The word of the column `booked_by`.
pub(super) fn booked_by(word: &str) -> Option<BookedBy> {
    [BookedBy::SelfService, BookedBy::Agent]
        .into_iter()
        .find(|by| by.as_str() == word)
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

    /// The places from a date on, before another: at most a month apart.
    fn places(
        &self,
        anchor: Uuid,
        from: NaiveDate,
        until: NaiveDate,
    ) -> impl Iterator<Item = &Place> {
        let days = from.iter_days().take_while(move |date| *date < until);
        days.filter_map(move |date| self.0.get(&(anchor, date)))
            .flatten()
            .map(|held| &held.place)
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

    pub(super) fn tallies(&self) -> &Tallies {
        &self.tallies
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

    /// Counts the buckets that are not known yet; from then on their counts are kept.
    pub(super) fn count<'b>(&mut self, buckets: impl IntoIterator<Item = &'b Bucket>) {
        if self.tallies.len() > MOST_TALLIES {
            self.tallies.clear();
        }
        for bucket in buckets {
            if self.tallies.get(bucket).is_none() {
                let tally = self.tally(bucket);
                self.tallies.learn(bucket.clone(), tally);
            }
        }
    }

    fn tally(&self, bucket: &Bucket) -> Tally {
        let (days, anchor) = match (bucket.service_id, bucket.unit_id) {
            (Some(service), _) => (&self.by_service, service),
            (None, Some(unit)) => (&self.by_unit, unit),
            // Every bucket has one of the two: CountedPer.
            (None, None) => return Tally::default(),
        };
        days.places(anchor, bucket.from, bucket.until)
            .filter(|place| bucket.contains(place))
            .fold(Tally::default(), Tally::with)
    }

    /// Every case that holds a place, in the order of the cases.
    pub(super) fn cases(&self) -> Vec<Uuid> {
        let mut cases: Vec<Uuid> = self.by_case.keys().copied().collect();
        cases.sort_unstable();
        cases
    }
}
