//! What a decision may know besides the booking and the policies.

use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use super::customer_blocklist::{BlockedCustomer, BlocklistKey};
use super::place::Place;
use super::row::Policy;
use super::tallies::Tally;

/// What has to be looked up before a booking can be decided, but for what is to be counted.
#[derive(Debug, Default)]
pub struct Needs {
    /// Under which keys the blocklist is to be looked at.
    pub blocklist_keys: Vec<BlocklistKey>,
    /// Which of the customer's places are to be known.
    pub customer_span: Option<CustomerSpan>,
}

/// A customer's places on some dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerSpan {
    /// The customer.
    pub customer: Uuid,
    /// The first date.
    pub from: NaiveDate,
    /// The date after the last.
    pub until: NaiveDate,
}

impl CustomerSpan {
    /// The dates of both, and those between.
    #[must_use]
    pub fn covering(self, other: Self) -> Self {
        Self {
            customer: self.customer,
            from: self.from.min(other.from),
            until: self.until.max(other.until),
        }
    }
}

/// What was looked up. More than what was needed does no harm: each policy looks only at what it asked for.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Rows of the blocklist that could match, by id.
    pub blocked: Vec<Arc<Policy<BlockedCustomer>>>,
    /// What is taken of each of the draft's buckets, in their order.
    pub counts: Vec<Tally>,
    /// The needed places of the customer, each with the case that holds it.
    pub customer_places: Vec<(Uuid, &'a Place)>,
    /// The place that this case holds already: a move is decided as if it were free.
    pub own_place: Option<&'a Place>,
}
