//! The places that customers hold, kept true as places come and go.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::policy::hash::FastMap;
use crate::policy::place::Place;

/// Places by customer and case. Bookings without a customer are not in it.
#[derive(Debug, Clone, Default)]
pub(super) struct CustomerPlaces(FastMap<Uuid, BTreeMap<Uuid, Place>>);

impl CustomerPlaces {
    /// A case took a place, or is known to hold it.
    pub(super) fn take(&mut self, case_id: Uuid, place: &Place) {
        if let Some(customer) = place.customer_record_id {
            self.0
                .entry(customer)
                .or_default()
                .insert(case_id, place.clone());
        }
    }

    /// A case gave its place up.
    pub(super) fn free(&mut self, case_id: Uuid, place: &Place) {
        let Some(customer) = place.customer_record_id else {
            return;
        };
        if let Some(places) = self.0.get_mut(&customer) {
            places.remove(&case_id);
            if places.is_empty() {
                self.0.remove(&customer);
            }
        }
    }

    /// A customer's places, by case.
    pub(super) fn of(&self, customer: Uuid) -> impl Iterator<Item = (Uuid, &Place)> {
        let places = self.0.get(&customer).into_iter().flatten();
        places.map(|(case_id, place)| (*case_id, place))
    }
}
