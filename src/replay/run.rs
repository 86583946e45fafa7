//! A replay of one ledger after another: what comes from a source, whichever, is walked along and summed up.

use std::collections::BTreeMap;

use super::event::{StoredEvent, StoredHead};
use super::report::{Summary, What};
use super::state::State;
use super::walk::{Position, Walk};
use crate::org::Org;

/// What is to be replayed.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Only this organization's ledger.
    pub org: Option<Org>,
    /// Events before this number are folded in as recorded, and not checked.
    pub from: Option<i64>,
    /// Events after this number are not read.
    pub to: Option<i64>,
}

/// Whoever wants to see how far a replay is.
pub trait Watch {
    /// How much there is: events, or a file's bytes.
    fn total(&mut self, total: u64);
    /// How much was done since the last time.
    fn advance(&mut self, by: u64);
}

/// Nobody watches.
impl Watch for () {
    fn total(&mut self, _: u64) {}
    fn advance(&mut self, _: u64) {}
}

/// Why a replay could not be done. That something does not match is not among it: that is its outcome.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A line of an exported ledger cannot be read.
    #[error("line {line} is not one of an exported ledger: {source}")]
    Line {
        /// Its number.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file's events are in no order that a ledger can have.
    #[error("line {line}: the events of {org} are not together")]
    Scattered {
        /// The line's number.
        line: u64,
        /// The organization.
        org: String,
    },
    /// A snapshot cannot be read.
    #[error("line {line} of the snapshot cannot be used: {reason}")]
    Snapshot {
        /// Its number.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A state between a request and its decision is none.
    #[error(
        "event {seq} of {org} is a request: its decision is the next, so take the snapshot at {seq} plus or minus 1"
    )]
    BetweenRequestAndDecision {
        /// The ledger.
        org: String,
        /// The request.
        seq: i64,
    },
    /// There is no such organization.
    #[error("there is no ledger {0}")]
    UnknownOrg(Org),
}

/// Where a walk starts.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) position: Position,
    pub(super) state: State,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            position: Position::start(),
            state: State::default(),
        }
    }
}

/// A ledger's end, or where reading it ended.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) org: String,
    pub(super) position: Position,
    pub(super) state: State,
    pub(super) within_a_booking: bool,
}

/// One ledger after another.
#[derive(Debug)]
pub(super) struct Replay {
    scope: Scope,
    starts: BTreeMap<String, Start>,
    walk: Option<Walk>,
    summary: Summary,
}

impl Replay {
    pub(super) fn new(scope: Scope, starts: BTreeMap<String, Start>) -> Self {
        Self {
            scope,
            starts,
            walk: None,
            summary: Summary::default(),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether this organization is asked for.
    pub(super) fn concerns(&self, org: &str) -> bool {
        self.scope
            .org
            .as_ref()
            .is_none_or(|asked| asked.as_str() == org)
    }

    /// Begins with a ledger: at its first event, or where its snapshot stands. Answers the number after which events are needed.
    pub(super) fn begin(&mut self, org: &str) -> i64 {
        let Start { position, state } = self.starts.remove(org).unwrap_or_default();
        let after = position.seq;
        self.walk = Some(Walk::new(
            org,
            position,
            state,
            self.scope.from.unwrap_or(0),
        ));
        after
    }

    /// The ledger that is being walked along.
    pub(super) fn current(&self) -> Option<&str> {
        self.walk.as_ref().map(|walk| walk.org.as_str())
    }

    /// The next event of the current ledger.
    pub(super) fn event(&mut self, event: &StoredEvent) {
        if let Some(walk) = &mut self.walk {
            walk.event(event);
        }
    }

    /// Ends with the current ledger. With its head, unless it was only to be read up to a number.
    pub(super) fn end(&mut self, head: Option<&StoredHead>) -> Option<Reached> {
        let mut walk = self.walk.take()?;
        let head = head.filter(|_| self.scope.to.is_none());
        if head.is_none() && self.scope.to.is_none() {
            walk.tell(
                walk.position.seq,
                What::Head("last_seq"),
                "the ledger's head",
                "the end of the file",
            );
        }
        walk.finish(head);
        self.summary.add(std::mem::take(&mut walk.summary));
        self.summary
            .add_mismatches(std::mem::take(&mut walk.mismatches));
        Some(Reached {
            within_a_booking: walk.request.is_some(),
            org: walk.org,
            position: walk.position,
            state: walk.state,
        })
    }

    /// What was found.
    pub(super) fn finish(self) -> Summary {
        self.summary
    }
}
