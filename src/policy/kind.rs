//! The kinds of policy.

use std::fmt;

/// A policy table. The order is the precedence: of several guards that refuse, the first in this order gives the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `policy.organizations`: the tenant's own settings.
    Organizations,
    /// `policy.customer_blocklist`
    CustomerBlocklist,
    /// `policy.capacity_caps`
    CapacityCaps,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [
        Self::Organizations,
        Self::CustomerBlocklist,
        Self::CapacityCaps,
    ];

    /// The table's name without its schema.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::CustomerBlocklist => "customer_blocklist",
            Self::CapacityCaps => "capacity_caps",
        }
    }

    /// The kind of a table.
    #[must_use]
    pub fn of_table(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.table() == table)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table())
    }
}
