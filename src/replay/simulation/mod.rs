//! What other policies would have decided: a ledger is folded as it is recorded up to a number, and from there on every booking is decided
//! again by the same pure core, with some policies held otherwise than they were. Nothing is written.
//!
//! A `change` is which policies, and how: what SQL would change, or what has been changed since. `fold` is the ledger with it; `report` is
//! what came of it, beside what is recorded, and `findings` count what policies would have said.

mod change;
mod findings;
mod fold;
mod report;

pub use change::Change;
pub use report::{Answer, Differing, Finding, Outcomes, Simulated, Unmet, WouldBe};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::copied::{Stretch, read_events};
use super::database::{STRETCH, heads};
use super::reading::in_snapshot;
use super::run::Watch;
use crate::org::Org;
pub(super) use fold::Simulation;

/// Which bookings are decided again.
#[derive(Debug, Clone)]
pub struct Period {
    /// Whose.
    pub org: Org,
    /// From this ledger number on. What comes before is folded in as recorded.
    pub from: i64,
    /// Up to this ledger number.
    pub to: i64,
}

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The SQL that was to change policies fails.
    #[error("the change fails{at}: {said}", at = line.map(|line| format!(" in line {line}")).unwrap_or_default())]
    Statement {
        /// Where, counted from 1.
        line: Option<usize>,
        /// What Postgres says of it, and what to do.
        said: String,
    },
    /// The SQL changes nothing that could be simulated.
    #[error("the change touches no policy of {org}{elsewhere}", elsewhere = elsewhere(others))]
    NoChange {
        /// Whose policies it was to change.
        org: Org,
        /// Whose it changes.
        others: Vec<String>,
    },
    /// No policy was changed since the period began.
    #[error(
        "no policy of {org} has changed since event {from}, so there is nothing to compare with; give SQL that changes some"
    )]
    NothingSince {
        /// Whose.
        org: Org,
        /// Since when.
        from: i64,
    },
    /// A policy event says nothing that this version understands, or was erased.
    #[error("the policies that event {seq} changed are not known: {reason}")]
    Unknown {
        /// Its number.
        seq: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// The period ends before it begins.
    #[error("the period is empty: it would begin at event {from} and end at event {to}")]
    Empty {
        /// Its first event.
        from: i64,
        /// Its last.
        to: i64,
    },
    /// The ledger does not reach as far.
    #[error("the ledger {org} has no such events: it ends at {last}")]
    NoEvents {
        /// The ledger.
        org: Org,
        /// The newest event's number.
        last: i64,
    },
    /// There is no such organization.
    #[error("there is no ledger {0}")]
    UnknownOrg(Org),
}

fn elsewhere(others: &[String]) -> String {
    if others.is_empty() {
        return String::new();
    }
    format!(", only of {}: name that by --org", others.join(", "))
}

/// Where a period begins and ends: by numbers of the ledger, by times, or where the ledger does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// Its first event.
    pub from: Option<i64>,
    /// Its last event.
    pub to: Option<i64>,
    /// From this time on; unless `from` says where.
    pub since: Option<DateTime<Utc>>,
    /// Before this time; unless `to` says where.
    pub until: Option<DateTime<Utc>>,
}

impl Period {
    /// Finds the events of a period.
    ///
    /// # Errors
    /// When there is no such ledger, or it has no such events.
    pub async fn find(
        connection: &mut PgConnection,
        org: Org,
        bounds: Bounds,
    ) -> Result<Self, SimulationError> {
        let heads = heads(connection).await?;
        let Some(head) = heads.into_iter().find(|head| head.org == org.as_str()) else {
            return Err(SimulationError::UnknownOrg(org));
        };
        let (first, after): (i64, i64) =
            sqlx::query_as(include_str!("../../../sql/queries/read_seq_range.sql"))
                .bind(org.as_str())
                .bind(bounds.since)
                .bind(bounds.until)
                .fetch_one(connection)
                .await?;
        let last = head.last_seq;
        let from = bounds.from.unwrap_or(first);
        // What is appended in this moment is for the next time.
        let to = bounds.to.unwrap_or(last.min(after - 1));
        if from.max(to) > last {
            return Err(SimulationError::NoEvents { org, last });
        }
        if from > to {
            return Err(SimulationError::Empty { from, to });
        }
        Ok(Self { org, from, to })
    }
}

/// Decides the bookings of a period again, with some policies otherwise than they were. Tells at most so many of the answers and of the
/// policies' verdicts that differ.
///
/// # Errors
/// When the database fails.
pub async fn simulate(
    connection: &mut PgConnection,
    period: &Period,
    change: &Change,
    most_told: usize,
    watch: &mut dyn Watch,
) -> Result<Simulated, SimulationError> {
    let mut simulation = Simulation::new(period, change, most_told);
    watch.total(u64::try_from(period.to).unwrap_or_default());
    let mut stretch = Stretch {
        from: 1,
        to: period.to,
        at_most: STRETCH,
    };
    loop {
        let read = in_snapshot(connection, async |connection| {
            let mut next = stretch.from;
            let read =
                read_events::<sqlx::Error>(connection, period.org.as_str(), stretch, |events| {
                    simulation.events(events);
                    watch.advance(events.len() as u64);
                    next = events
                        .last()
                        .map_or(next, |last| last.seq.saturating_add(1));
                    Ok(())
                })
                .await;
            stretch.from = next;
            read
        })
        .await?;
        if read < STRETCH {
            return Ok(simulation.finish());
        }
    }
}
