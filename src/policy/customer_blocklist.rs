//! `policy.customer_blocklist`: customers who may not book.
//!
//! The table may hold millions of rows, so it is not kept in memory: a decision is given the rows that could match (found by index
//! under [`BlocklistKey`]s), and judges them here.

use serde::Deserialize;
use uuid::Uuid;

use super::kind::Kind;
use super::match_key::{field_texts, match_key};
use super::row::{Policy, Terms};
use crate::cubu::request::Booking;
use crate::json::Members;

/// Whom a row blocks.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V2__policy.sql"
)]
pub struct BlockedCustomer {
    pub customer_record_id: Option<Uuid>,
    pub field_type_id: Option<Uuid>,
    pub field_value: Option<String>,
}

impl Terms for BlockedCustomer {
    const KIND: Kind = Kind::CustomerBlocklist;
}

/// By what a row is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlocklistKey {
    /// The customer's record.
    Customer(Uuid),
    /// A case field and its value, trimmed and lower case.
    Field(Uuid, String),
}

impl BlocklistKey {
    /// The keys under which a booking could be blocked: by its customer, and by those of its case fields.
    pub fn of_booking(
        booking: &Booking,
        by_field: impl Fn(Uuid) -> bool,
    ) -> impl Iterator<Item = Self> {
        let customer = booking.customer_record_id.map(Self::Customer);
        let fields = booking
            .fields
            .iter()
            .flat_map(move |(field_type_id, value)| {
                let id = Uuid::parse_str(field_type_id).ok();
                let texts = id.filter(|id| by_field(*id)).map(|id| {
                    field_texts(value)
                        .into_iter()
                        .map(move |text| Self::Field(id, match_key(&text)))
                });
                texts.into_iter().flatten()
            });
        customer.into_iter().chain(fields)
    }

    /// The key under which a row is found. The table's constraint says that each row has one.
    #[must_use]
    pub fn of_row(row: &BlockedCustomer) -> Option<Self> {
        match (row.customer_record_id, row.field_type_id, &row.field_value) {
            (Some(customer), None, None) => Some(Self::Customer(customer)),
            (None, Some(field_type_id), Some(value)) => {
                Some(Self::Field(field_type_id, match_key(value)))
            }
            _ => None,
        }
    }
}

/// What a row matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// `customerRecordId` or `field`.
    pub matched: &'static str,
    /// The case field that matched.
    pub field_type_id: Option<Uuid>,
}

impl Compared {
    pub(super) fn write(&self, members: &mut Members<'_>) {
        members.word("matched", self.matched);
        members.optional_id("fieldTypeId", self.field_type_id);
    }
}

impl Policy<BlockedCustomer> {
    /// What of the booking it matches, if anything.
    #[must_use]
    pub fn matched(&self, booking: &Booking) -> Option<Compared> {
        let key = BlocklistKey::of_row(&self.terms)?;
        BlocklistKey::of_booking(booking, |id| self.terms.field_type_id == Some(id))
            .find(|of_booking| *of_booking == key)
            .map(|key| match key {
                BlocklistKey::Customer(_) => Compared {
                    matched: "customerRecordId",
                    field_type_id: None,
                },
                BlocklistKey::Field(field_type_id, _) => Compared {
                    matched: "field",
                    field_type_id: Some(field_type_id),
                },
            })
    }
}
