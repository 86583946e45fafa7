//! Why: every policy that applied, and what it compared.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::kind::Kind;
use super::row::Mode;
use super::{
    blackouts, booking_windows, capacity_caps, customer_blocklist, customer_limits, rules,
};

/// What a policy found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It let the booking pass.
    Allowed,
    /// It refuses.
    Refused,
    /// It changed the booking.
    Changed,
    /// Its expression failed.
    Error,
}

impl Verdict {
    /// As the ledger and the audit API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Error => "error",
        }
    }
}

/// What a policy compared, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Compared {
    /// What a rule changed.
    Rule(rules::Compared),
    /// What a blocklist row matched.
    BlockedCustomer(customer_blocklist::Compared),
    /// When it is closed.
    Blackout(blackouts::Compared),
    /// How soon and how far ahead.
    BookingWindow(booking_windows::Compared),
    /// The customer's other appointments.
    CustomerLimit(customer_limits::Compared),
    /// A cap's counts.
    CapacityCap(capacity_caps::Compared),
    /// What was wrong with its expression.
    Error {
        /// For the policy's author.
        error: String,
    },
}

/// One policy in a decision's explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The policy's table.
    #[serde(serialize_with = "kind_text")]
    pub kind: Kind,
    /// Its row.
    pub id: i64,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// The mode in which it was evaluated: `shadow` also if the whole organization was in shadow.
    pub mode: Mode,
    /// What it found.
    pub verdict: Verdict,
    /// What it compared.
    #[serde(flatten)]
    pub compared: Compared,
}

fn kind_text<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.table())
}
