//! Looking back: search, and one decision with all that belongs to it. Every query is confined to one organization.

mod case;
mod csv;
mod cursor;
mod decision;
pub(crate) mod described;
mod event;
mod events;
mod explain;
mod explained;
mod export;
mod filter;
mod follow;
mod history;
mod parameters;
mod plan;
mod policies;
mod range;
pub mod record;
mod search;
mod stats;

pub use case::{Case, HeldPlace, read_case};
pub use csv::HEADER as CSV_HEADER;
pub use cursor::{Cursor, CursorError};
pub use decision::{Decision, DecisionDetail};
pub use event::Event;
pub use events::{EventFilter, EventPage, EventSearch, search_events};
pub use explain::RowThen;
pub use explained::{CountedPlaces, ExplainedPolicy};
pub(crate) use export::push_line;
pub use export::{Format, Piece, export_decisions, export_events};
pub use filter::Filter;
pub use follow::{INTERVAL as FOLLOW_INTERVAL, events_after, newest};
pub use history::{HistoryEntry, HistoryPage, history_cursor, policy_history};
pub use parameters::{Order, ParameterFault, parse_kind, parse_time};
pub use policies::{AsOf, Change, PolicyPage, PolicySearch, PolicyState, policies_as_of};
pub use search::{Page, Search, read_decision, search_decisions};
pub use stats::{
    DecisionStats, PolicyStats, Stats, StatsError, StatsQuery, UnknownTimeZone, stats,
};

/// Why there is no answer to an auditor's question.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database did not answer.
    #[error("the ledger cannot be read now")]
    Database(#[from] sqlx::Error),
    /// The task that read the ledger did not come to its end.
    #[error("the ledger was not read to the end")]
    Interrupted(#[source] tokio::task::JoinError),
    /// A stored payload is not what this version of the service can read.
    #[error("event {seq} of {org} cannot be read")]
    Unreadable {
        /// The organization.
        org: String,
        /// The event.
        seq: i64,
        /// What was wrong with it.
        source: serde_json::Error,
    },
}
