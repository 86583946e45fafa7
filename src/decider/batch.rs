//! One batch, recorded at once. Promise 1 can be read here: the append has committed before there is an answer.
//!
//! A batch is decided at a head: the ledger's newest event. It may be recorded only if the head has not moved. There are two ways:
//!
//! - *At the known head.* As long as nobody else writes to the ledger, the head is where this writer left it. One statement reads
//!   what the batch has to know, and one appends, if the head is still there. What changed meanwhile, be it a policy or another
//!   process's booking, has moved the head; then nothing was appended, and the batch goes the other way.
//! - *Under the head's lock.* Others wait meanwhile, so the batch comes through.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use tokio::time::Instant;

use super::command::{Command, DecideError, FollowUp, Submitted};
use super::facts::{self, Found, Wanted};
use super::policies::Policies;
use super::sequence::{Asked, Decided, Sequence};
use crate::ledger::append::append;
use crate::ledger::digest::GENESIS;
use crate::ledger::head::{self, Head};
use crate::org::Org;
use crate::policy::tallies::Tallies;

/// What a writer knows between batches. All of it is only a memory of the database; any doubt, and it is forgotten.
#[derive(Debug, Default)]
pub(super) struct Memory {
    policies: Policies,
    tallies: Tallies,
    // The head as of which the tallies are known, and when that was.
    head: Option<(Head, Instant)>,
    // How many of the events after it are policy events that `policies` knows of.
    new_policy_events: i64,
    // Whether another process writes bookings, too.
    has_company: bool,
}

/// More known counts than this are forgotten together: a bound on memory.
const MOST_TALLIES: usize = 100_000;

const BEGIN: &str = include_str!("../../sql/queries/begin_batch.sql");

impl Memory {
    /// The version of the policies that decided last.
    pub(super) fn policy_version(&self) -> i64 {
        self.policies.set.version
    }

    /// Forgets everything if what is known is of another ledger than this locked head's: a ledger only grows, unless the database was
    /// restored, or failed over to one that lacks the newest commits.
    pub(super) fn forget_unless_grown_to(&mut self, head: &Head) {
        let is_known_head_gone = self.head.as_ref().is_some_and(|(known, _)| {
            head.last_seq < known.last_seq
                || (head.last_seq == known.last_seq && head.last_chain != known.last_chain)
        });
        if is_known_head_gone || head.policy_version < self.policies.set.version {
            *self = Self::default();
        }
    }

    /// Whether the policies are known as of this head.
    pub(super) fn knows_policies_of(&self, head: &Head) -> bool {
        self.policies.are_at(head)
    }

    /// Reads the policies up to a head whose lock was given up again.
    pub(super) async fn read_ahead(
        &mut self,
        connection: &mut PgConnection,
        org: &Org,
        head: &Head,
    ) -> Result<(), BatchError> {
        self.new_policy_events += self.policies.catch_up(connection, org, head).await?;
        Ok(())
    }

    /// Whether it is known where the head is, if nobody moved it.
    pub(super) fn knows_head(&self) -> bool {
        self.known_head().is_some()
    }

    /// Where the head is if nobody moved it, with what the time should be by now.
    fn known_head(&self) -> Option<Head> {
        let (head, at) = self.head.as_ref().filter(|_| !self.has_company)?;
        let mut head = head.clone();
        head.now += TimeDelta::from_std(at.elapsed()).unwrap_or_default();
        self.policies.are_at(&head).then_some(head)
    }

    /// Catches up with a head that is locked.
    async fn catch_up(
        &mut self,
        connection: &mut PgConnection,
        org: &Org,
        head: &Head,
    ) -> Result<(), BatchError> {
        self.new_policy_events += self.policies.catch_up(connection, org, head).await?;
        let known_seq = self.head.as_ref().map(|(known, _)| known.last_seq);
        let only_policies_changed =
            known_seq.is_some_and(|seq| head.last_seq == seq + self.new_policy_events);
        self.has_company = known_seq.is_some() && !only_policies_changed;
        if !only_policies_changed {
            self.tallies.clear();
        }
        self.new_policy_events = 0;
        Ok(())
    }
}

/// Why a batch failed. Nothing of it was recorded, unless the connection was lost while committing.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    #[error("no such organization")]
    UnknownOrg,
    /// There is no connection to be had.
    #[error("the database is away: {0}")]
    Away(#[source] sqlx::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<&BatchError> for DecideError {
    fn from(error: &BatchError) -> Self {
        match error {
            BatchError::UnknownOrg => Self::UnknownOrg,
            BatchError::Away(_) | BatchError::Database(_) => Self::Unavailable,
        }
    }
}

/// Answers in the commands' order; none for what only has to be recorded.
type Answers = Vec<Option<Decided>>;

/// What a batch has to know, as read at the known head.
#[derive(Debug)]
pub(super) struct LookedUp {
    wanted: Wanted,
    found: Found,
}

/// Reads what a batch has to know. None: it is not known where the head is, so it has to be locked.
pub(super) async fn look_up(
    connection: &mut PgConnection,
    org: &Org,
    commands: &[Command],
    memory: &Memory,
) -> Result<Option<LookedUp>, BatchError> {
    let Some(head) = memory.known_head() else {
        return Ok(None);
    };
    let (_, wanted) = ask(commands, &memory.policies, &memory.tallies, head.now);
    let found = facts::read(connection, org, &wanted).await?;
    Ok(Some(LookedUp { wanted, found }))
}

/// Decides and records a batch if the head is where it is known to be. None: it is not, and nothing was recorded.
pub(super) async fn commit_at_known_head(
    connection: &mut PgConnection,
    org: &Org,
    commands: &[Command],
    looked_up: LookedUp,
    memory: &mut Memory,
) -> Result<Option<Answers>, BatchError> {
    let Some((known, at)) = memory.head.take() else {
        return Ok(None);
    };
    let mut head = known.clone();
    // Time never runs backwards within a ledger.
    head.now = looked_up.found.now.max(known.now);
    let answers = decide_and_append(connection, org, head, commands, looked_up, memory).await?;
    if answers.is_none() {
        // The tallies know of places that were never taken.
        memory.tallies.clear();
        memory.head = Some((known, at));
    }
    Ok(answers)
}

/// Begins the transaction and locks the ledger's head. Nothing was recorded yet if this fails.
pub(super) async fn begin(connection: &mut PgConnection, org: &Org) -> Result<Head, BatchError> {
    head::begin_and_lock(connection, org, BEGIN)
        .await?
        .ok_or(BatchError::UnknownOrg)
}

/// Decides and records a batch under the locked head.
pub(super) async fn commit(
    connection: &mut PgConnection,
    org: &Org,
    head: Head,
    commands: &[Command],
    memory: &mut Memory,
) -> Result<Answers, BatchError> {
    // Every read from here on is a statement of its own after the lock, so that it sees all that was committed before (READ COMMITTED).
    memory.catch_up(connection, org, &head).await?;
    memory.head = None;
    let (_, wanted) = ask(commands, &memory.policies, &memory.tallies, head.now);
    let found = facts::read(connection, org, &wanted).await?;
    let looked_up = LookedUp { wanted, found };
    let decided = decide_and_append(connection, org, head, commands, looked_up, memory).await?;
    // Until the commit is certain, what is known belongs to a head that may never be.
    let known = memory.head.take();
    let answers = decided
        .ok_or_else(|| sqlx::Error::Protocol("the head moved although it was locked".to_owned()))?;
    sqlx::raw_sql("commit").execute(&mut *connection).await?;
    memory.head = known;
    Ok(answers)
}

/// None: the head has moved, or more has to be looked up, and nothing was appended.
async fn decide_and_append(
    connection: &mut PgConnection,
    org: &Org,
    mut head: Head,
    commands: &[Command],
    LookedUp { wanted, found }: LookedUp,
    memory: &mut Memory,
) -> Result<Option<Answers>, BatchError> {
    // Some policy may have come into force, or ended, between the time that was expected and that of the database.
    let (asked, needed) = ask(commands, &memory.policies, &memory.tallies, head.now);
    if !wanted.covers(&needed) {
        return Ok(None);
    }
    for (bucket, tally) in found.tallies {
        memory.tallies.learn(bucket, tally);
    }

    let mut sequence = Sequence::new(
        org.as_str(),
        &head,
        &memory.policies.set,
        &found.blocked,
        found.cases,
        found.customer_places,
        &mut memory.tallies,
    );
    let mut asked = asked.into_iter();
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        answers.push(match command {
            Command::Decide(..) => asked.next().map(|asked| sequence.decide(asked)),
            Command::Follow(follow_up, _) => {
                sequence.follow(follow_up);
                None
            }
            Command::Reject(rejection, dropped_before, _) => {
                sequence.reject(rejection, *dropped_before);
                None
            }
        });
    }
    let (events, places) = sequence.finish();
    if !append(connection, org, &head, &events, &places).await? {
        return Ok(None);
    }
    if let Some(last) = events.last() {
        head.last_seq = last.seq;
        head.last_chain = last.chain;
    }
    memory.head = Some((head, Instant::now()));
    if memory.tallies.len() > MOST_TALLIES {
        memory.tallies.clear();
    }
    Ok(Some(answers))
}

/// Drafts each booking, and gathers what has to be looked up for all: no counts that are known.
fn ask<'a>(
    commands: &'a [Command],
    policies: &'a Policies,
    tallies: &Tallies,
    now: DateTime<Utc>,
) -> (Vec<Asked<'a>>, Wanted) {
    let mut asked: Vec<_> = submissions(commands)
        .map(|submitted| Asked::new(submitted, &policies.set, now))
        .collect();
    let mut wanted = Wanted::default();
    for asked in &mut asked {
        let request = (asked.submitted.booking.case_id, asked.submitted.digest);
        wanted.requests.push(request);
        let buckets = std::mem::take(&mut asked.needs.buckets).into_iter();
        wanted
            .buckets
            .extend(buckets.filter(|bucket| tallies.get(bucket).is_none()));
        wanted.add(&asked.needs, |key| policies.may_be_blocked(key));
    }
    // A follow-up needs its case's place, and no answer: no request has this digest.
    let followed = follow_ups(commands).map(|follow_up| (follow_up.case_id, GENESIS));
    wanted.requests.extend(followed);
    (asked, wanted)
}

fn submissions(commands: &[Command]) -> impl Iterator<Item = &Submitted> {
    commands.iter().filter_map(|command| match command {
        Command::Decide(submitted, _) => Some(&**submitted),
        Command::Follow(..) | Command::Reject(..) => None,
    })
}

fn follow_ups(commands: &[Command]) -> impl Iterator<Item = &FollowUp> {
    commands.iter().filter_map(|command| match command {
        Command::Follow(follow_up, _) => Some(&**follow_up),
        Command::Decide(..) | Command::Reject(..) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::BEGIN;
    use crate::policy::kind::Kind;

    #[test]
    fn every_policy_table_is_locked_before_the_head() {
        for kind in Kind::ALL {
            let table = format!("policy.{kind}");
            assert!(BEGIN.contains(&table), "{table} is in begin_batch.sql");
        }
    }
}
