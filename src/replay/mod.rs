//! Proof from the ledger alone (promise 6): the events of an organization are folded from the first on, and every decision is derived
//! again by the same pure core and compared byte for byte with what was answered and explained.
//!
//! `source` reads events, from a `database` in short snapshots (`reading`, `copied`) or from an exported file (`file`). What needs no state is computed of many
//! together (`prepared`). Then a `walk` goes along one ledger: number, time, digests and chain of every event; `booking`, `decided` and `policy` check what
//! it says against the `state`, the fold so far (`places`, `blocklist`). `report` is what was found. A `snapshot` is a state at a number, to go on from;
//! `simulation` goes on from a state with policies that were otherwise;
//! `verify` compares a state with the live tables (`compare`, `hits`, `counts`, large sets by their `fingerprint`) and looks for rows of no ledger (`strays`).

mod blocklist;
mod booking;
mod columns;
mod compare;
mod copied;
mod counts;
mod database;
mod decided;
mod difference;
mod event;
mod file;
mod fingerprint;
mod followed;
mod hits;
mod places;
mod policy;
mod prepared;
mod reading;
mod recorded;
mod report;
mod row;
mod run;
mod simulation;
mod snapshot;
mod source;
mod state;
mod strays;
mod times;
mod verify;
mod view;
mod walk;

pub use difference::{Difference, Differences};
pub use event::{StoredAttachment, StoredEvent, StoredHead};
pub use file::{export, with_ledger};
pub use report::{LedgerRead, Mismatch, Summary, What};
pub use run::{Noted, ReplayError, Scope, Watch};
pub use simulation::{
    Answer, Bounds, Change, Differing, Finding, Outcomes, Period, Simulated, SimulationError,
    Unmet, WouldBe, simulate,
};
pub use source::{Options, Source, check_snapshot, replay};
pub use verify::{Verified, verify};

#[cfg(test)]
mod tests;
