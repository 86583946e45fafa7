//! A replay of one ledger after another: what comes from a source, whichever, is walked along and summed up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::compare::CompareError;
use super::counts::Counts;
use super::event::StoredHead;
use super::hits::Hits;
use super::report::{Summary, What};
use super::state::State;
use super::view::Event;
use super::walk::{Position, Walk};
use crate::ledger::digest::Digest;
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
    /// An event that was noted elsewhere must be there, as it was.
    pub noted: Option<Noted>,
    /// Events whose content was erased are counted; else each is a mismatch.
    pub allow_erased: bool,
}

/// The number and the chain value of an event, kept where nobody with rights on the database can change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// The number.
    pub seq: i64,
    /// The chain value: it commits to everything up to the event.
    pub chain: Digest,
}

/// A text that is not `NUMBER:CHAIN`.
#[derive(Debug, thiserror::Error)]
#[error("write it as NUMBER:CHAIN, the chain in 64 hexadecimal digits, as `replay` prints them")]
pub struct NotedError;

impl FromStr for Noted {
    type Err = NotedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, chain) = text.split_once(':').ok_or(NotedError)?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 1);
        let chain = hex::decode(chain)
            .ok()
            .and_then(|chain| chain.try_into().ok());
        Ok(Self {
            seq: seq.ok_or(NotedError)?,
            chain: chain.ok_or(NotedError)?,
        })
    }
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
    /// A file cannot be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
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
    /// The policy tables could not be read for long: somebody keeps locking or emptying them.
    #[error("the policy tables stayed locked: try again later")]
    Locked,
    /// A file without any event or head: of it nothing can be said.
    #[error("the file has no ledger, not one event: export it again")]
    NoLedger,
    /// There is no such organization.
    #[error("there is no ledger {0}")]
    UnknownOrg(Org),
}

impl From<CompareError> for ReplayError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Stale => Self::Locked,
            CompareError::Database(error) => Self::Database(error),
        }
    }
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

    /// Begins with a ledger: at its first event, or where its snapshot stands. Answers the number from which on events are needed.
    pub(super) fn begin(&mut self, org: &str) -> i64 {
        let start = self.starts.remove(org);
        // Numbers begin at 1; whatever was forged before that is to be read, too.
        let from = start
            .as_ref()
            .map_or(i64::MIN, |start| start.position.seq.saturating_add(1));
        let Start { position, state } = start.unwrap_or_default();
        self.walk = Some(Walk::new(org, position, state, &self.scope));
        from
    }

    /// From now on, notes which decisions each policy takes part in, and counts those of some ranges.
    pub(super) fn note_decisions(&mut self, counts: Counts) {
        if let Some(walk) = &mut self.walk {
            walk.state.hits = Some(Hits::default());
            walk.state.counts = counts;
        }
    }

    /// The state of the current ledger.
    pub(super) fn state(&self) -> Option<&State> {
        self.walk.as_ref().map(|walk| &walk.state)
    }

    /// The ledger that is being walked along.
    pub(super) fn current(&self) -> Option<&str> {
        self.walk.as_ref().map(|walk| walk.org.as_str())
    }

    /// The next events of the current ledger.
    pub(super) fn events(&mut self, events: &[Event<'_>]) {
        if let Some(walk) = &mut self.walk {
            walk.events(events);
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

    /// What was found. A snapshot of a ledger that is not there is not passed over.
    pub(super) fn finish(mut self) -> Summary {
        for (org, start) in std::mem::take(&mut self.starts) {
            if self.concerns(&org) {
                let what = What::Head("last_seq");
                let seq = start.position.seq;
                (self.summary).add_mismatch(&org, seq, what, "the ledger of the snapshot", "none");
            }
        }
        self.summary
    }
}
