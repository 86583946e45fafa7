//! The scope columns that every policy table has: null means any.

use serde::Deserialize;
use uuid::Uuid;

use super::place::Place;
use crate::cubu::request::BookedBy;

/// Which bookings a policy judges and, where it counts, which places it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V2__policy.sql"
)]
pub struct Scope {
    pub unit_id: Option<Uuid>,
    pub service_id: Option<Uuid>,
    pub service_category_id: Option<Uuid>,
    pub service_type_id: Option<Uuid>,
    pub cu_index: Option<i32>,
    pub channel: Option<String>,
    pub booked_by: Option<BookedBy>,
}

impl Scope {
    /// Whether a place is within.
    #[must_use]
    pub fn contains(&self, place: &Place) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        fits(self.unit_id.as_ref(), Some(&place.unit_id))
            && fits(self.service_id.as_ref(), Some(&place.service_id))
            && fits(
                self.service_category_id.as_ref(),
                place.service_category_id.as_ref(),
            )
            && fits(
                self.service_type_id.as_ref(),
                place.service_type_id.as_ref(),
            )
            && fits(self.cu_index.as_ref(), Some(&place.cu_index))
            && fits(self.channel.as_ref(), place.channel.as_ref())
            && fits(self.booked_by.as_ref(), Some(&place.booked_by))
    }
}
