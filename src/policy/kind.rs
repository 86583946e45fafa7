//! The kinds of policy.

use std::fmt;

/// A policy table. The order is the precedence: of several policies that refuse, the first in this order gives the reason, and
/// within a kind the first that was evaluated: rules by priority and id, guards by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `policy.organizations`: the tenant's own settings.
    Organizations,
    /// `policy.rules`
    Rules,
    /// `policy.customer_blocklist`
    CustomerBlocklist,
    /// `policy.blackouts`
    Blackouts,
    /// `policy.booking_windows`
    BookingWindows,
    /// `policy.customer_limits`
    CustomerLimits,
    /// `policy.capacity_caps`
    CapacityCaps,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Organizations,
        Self::Rules,
        Self::CustomerBlocklist,
        Self::Blackouts,
        Self::BookingWindows,
        Self::CustomerLimits,
        Self::CapacityCaps,
    ];

    /// The table's name without its schema.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Rules => "rules",
            Self::CustomerBlocklist => "customer_blocklist",
            Self::Blackouts => "blackouts",
            Self::BookingWindows => "booking_windows",
            Self::CustomerLimits => "customer_limits",
            Self::CapacityCaps => "capacity_caps",
        }
    }

    /// The kind of a table.
    #[must_use]
    pub fn of_table(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.table() == table)
    }

    /// What the person who books is told if the policy has no message of its own.
    #[must_use]
    pub fn default_message(self) -> &'static str {
        match self {
            Self::Organizations | Self::Rules | Self::CustomerBlocklist => {
                "This booking is not possible."
            }
            Self::Blackouts => "Closed at this time.",
            Self::BookingWindows => {
                "This time cannot be booked from now: it is too soon or too far ahead."
            }
            Self::CustomerLimits => "Your other appointments do not allow this one.",
            Self::CapacityCaps => "No more appointments are available here.",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table())
    }
}
