//! What the decider is to the core, in memory: policies, the places taken, and the look-ups between the two.

use std::collections::BTreeMap;
use std::sync::Arc;

use bookwarden::cubu::request::Booking;
use bookwarden::policy::bucket::Bucket;
use bookwarden::policy::change::PolicyChange;
use bookwarden::policy::customer_blocklist::{BlockedCustomer, BlocklistKey};
use bookwarden::policy::decide::{Decision, Draft, Outcome};
use bookwarden::policy::facts::{Facts, Needs};
use bookwarden::policy::kind::Kind;
use bookwarden::policy::place::Place;
use bookwarden::policy::row::Policy;
use bookwarden::policy::set::PolicySet;
use bookwarden::policy::tallies::{Tallies, Tally};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// An organization.
#[derive(Debug, Default)]
pub(crate) struct World {
    policies: PolicySet,
    blocklist: BTreeMap<i64, Arc<Policy<BlockedCustomer>>>,
    places: BTreeMap<Uuid, Place>,
    // As the decider's memory: learned once, then kept true by taking and freeing.
    tallies: Tallies,
}

impl World {
    /// Puts a policy row in, as its table would write it.
    pub(crate) fn insert(&mut self, kind: Kind, id: i64, row: &str) {
        if kind == Kind::CustomerBlocklist {
            let policy = Policy::from_row(row).unwrap_or_else(|error| panic!("{error}: {row}"));
            self.blocklist.insert(id, Arc::new(policy));
        }
        let change = PolicyChange {
            kind,
            id,
            old: None,
            new: Some(row),
        };
        self.policies
            .apply(&change)
            .unwrap_or_else(|error| panic!("{error}: {row}"));
    }

    /// The places taken, by case.
    pub(crate) fn places(&self) -> &BTreeMap<Uuid, Place> {
        &self.places
    }

    /// Takes the place that a booking asks for, whatever the policies say.
    pub(crate) fn hold(&mut self, booking: &Booking) {
        self.take(booking.case_id, Place::of(booking));
    }

    fn take(&mut self, case_id: Uuid, place: Place) {
        self.tallies.take(&place);
        if let Some(left) = self.places.insert(case_id, place) {
            self.tallies.free(&left);
        }
    }

    /// Decides a booking and takes its place if it is approved.
    pub(crate) fn book(&mut self, booking: &Booking, now: DateTime<Utc>) -> Decision {
        let draft = Draft::new(booking, &self.policies, now);
        let needs = draft.needs(|_| true);
        let mut counts = Vec::new();
        for bucket in draft.buckets() {
            let counted = count(&self.places, bucket);
            match self.tallies.get(bucket) {
                Some(known) => assert_eq!(
                    known, counted,
                    "a kept count is what counting finds: {bucket:?}"
                ),
                None => self.tallies.learn(bucket.clone(), counted),
            }
            counts.push(counted);
        }
        let decision = draft.decide(&Facts {
            blocked: self.blocked(&needs),
            counts,
            customer_places: self.customer_places(&needs),
            own_place: self.places.get(&booking.case_id),
        });
        if decision.outcome != Outcome::Cancelled {
            self.take(booking.case_id, decision.place.clone());
        }
        decision
    }

    fn blocked(&self, needs: &Needs) -> Vec<Arc<Policy<BlockedCustomer>>> {
        let rows = self.blocklist.values().filter(|row| {
            let key = BlocklistKey::of_row(&row.terms);
            key.is_some_and(|key| needs.blocklist_keys.contains(&key))
        });
        rows.cloned().collect()
    }

    /// Exactly what was asked for, so that a need that is too narrow shows.
    fn customer_places(&self, needs: &Needs) -> Vec<(Uuid, &Place)> {
        let Some(span) = needs.customer_span else {
            return Vec::new();
        };
        let needed = self.places.iter().filter(|(_, place)| {
            place.customer_record_id == Some(span.customer)
                && (span.from..span.until).contains(&place.date)
        });
        needed.map(|(case_id, place)| (*case_id, place)).collect()
    }
}

fn count(places: &BTreeMap<Uuid, Place>, bucket: &Bucket) -> Tally {
    let counted = places.values().filter(|place| bucket.contains(place));
    counted.fold(Tally::default(), |tally, place| tally.with(place))
}
