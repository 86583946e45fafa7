//! Why: every policy that applied, and what it compared.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::row::Mode;
use super::{
    blackouts, booking_windows, capacity_caps, customer_blocklist, customer_limits, rules,
};
use crate::json::Members;

/// What a policy found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The policy's table.
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
    pub compared: Compared,
}

impl Explained {
    /// As an object of the ledger's explanation.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut members = Members::begin(out);
        members.word("kind", self.kind.table());
        members.value("id", self.id);
        members.text("name", self.name.as_deref());
        members.word("mode", self.mode.as_str());
        members.word("verdict", self.verdict.as_str());
        match &self.compared {
            Compared::Rule(compared) => compared.write(&mut members),
            Compared::BlockedCustomer(compared) => compared.write(&mut members),
            Compared::Blackout(compared) => compared.write(&mut members),
            Compared::BookingWindow(compared) => compared.write(&mut members),
            Compared::CustomerLimit(compared) => compared.write(&mut members),
            Compared::CapacityCap(compared) => compared.write(&mut members),
            Compared::Error { error } => members.value("error", error),
        }
        members.end();
    }
}
