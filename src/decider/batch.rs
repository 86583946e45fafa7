//! One batch: one transaction. Promise 1 can be read here: `commit` stands between the decisions and the answers.

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::cases;
use super::command::{Command, DecideError, FollowUp, Submission};
use super::customer_places;
use super::facts::{count, find_blocked};
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
    // The newest event that the tallies know of.
    tallied_seq: i64,
    // How many of the events after it are policy events that `policies` knows of.
    new_policy_events: i64,
    // How many places were taken here.
    places_taken: usize,
}

/// With so many rows in the tables of a booking, plans are kept between batches: `Plans` says why not before.
const PLACES_FOR_KEPT_PLANS: usize = 2_000;

impl Memory {
    /// How the next batch's statements are planned.
    pub(super) fn plans(&self) -> Plans {
        if self.places_taken < PLACES_FOR_KEPT_PLANS {
            Plans::Fresh
        } else {
            Plans::Kept
        }
    }

    /// The version of the policies that decided last.
    pub(super) fn policy_version(&self) -> i64 {
        self.policies.set.version
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
}

/// More known counts than this are forgotten together: a bound on memory.
const MOST_TALLIES: usize = 100_000;

const BEGIN: &str = include_str!("../../sql/queries/begin_batch.sql");

/// How the statements of a batch are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plans {
    /// Anew each time: 0.1 to 0.3 ms a statement, and right while the tables are small.
    Fresh,
    /// Kept. A plan that was made while the tables had some thousand rows looks everything up by index, and stays right as they grow.
    Kept,
}

impl Plans {
    fn settings(self) -> &'static str {
        match self {
            Self::Fresh => "",
            Self::Kept => {
                "set local plan_cache_mode = force_generic_plan; set local enable_bitmapscan = off;"
            }
        }
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

/// Begins the transaction and locks the ledger's head. Nothing was recorded yet if this fails.
pub(super) async fn begin(
    connection: &mut PgConnection,
    org: &Org,
    plans: Plans,
) -> Result<Head, BatchError> {
    head::begin_and_lock(connection, org, &format!("{BEGIN}\n{}", plans.settings()))
        .await?
        .ok_or(BatchError::UnknownOrg)
}

/// Decides and records a batch under the locked head. Answers in the commands' order; none for what only has to be recorded.
pub(super) async fn commit(
    connection: &mut PgConnection,
    org: &Org,
    head: &Head,
    commands: &[Command],
    memory: &mut Memory,
) -> Result<Vec<Option<Decided>>, BatchError> {
    // Every read below is a statement of its own after the lock, so that it sees all that was committed before (READ COMMITTED).
    memory.new_policy_events += memory.policies.catch_up(connection, org, head).await?;
    let only_policies_changed = head.last_seq == memory.tallied_seq + memory.new_policy_events;
    if !only_policies_changed || memory.tallies.len() > MOST_TALLIES {
        memory.tallies.clear();
    }
    // Until the commit is certain, the tallies below belong to a transaction that may not be.
    memory.tallied_seq = -1;
    memory.new_policy_events = 0;

    let policies = &memory.policies.set;
    let mut asked: Vec<Asked<'_>> = submissions(commands)
        .map(|submission| Asked::new(submission, policies, head.now))
        .collect();
    let bookings = asked
        .iter()
        .map(|asked| (asked.submission.booking.case_id, asked.request_digest));
    // A follow-up needs its case's place, and no answer: no request has this digest.
    let followed = follow_ups(commands).map(|follow_up| (follow_up.case_id, GENESIS));
    let requests: Vec<_> = bookings.chain(followed).collect();
    let retry_window = TimeDelta::seconds(policies.organization.retry_window_seconds.into());
    let cases = cases::read(connection, org, &requests, head.now - retry_window).await?;

    let keys = asked.iter().flat_map(|asked| &asked.needs.blocklist_keys);
    let keys = keys
        .filter(|key| memory.policies.may_be_blocked(key))
        .cloned()
        .collect();
    let blocked = find_blocked(connection, org, &keys).await?;
    let buckets = asked
        .iter_mut()
        .flat_map(|asked| std::mem::take(&mut asked.needs.buckets));
    count(connection, org, buckets, &mut memory.tallies).await?;
    let spans = asked.iter().filter_map(|asked| asked.needs.customer_span);
    let customer_places = customer_places::read(connection, org, spans).await?;

    let mut sequence = Sequence::new(
        org.as_str(),
        head,
        policies,
        &blocked,
        cases,
        customer_places,
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
    append(connection, org, head, &events, &places).await?;
    sqlx::raw_sql("commit").execute(&mut *connection).await?;

    memory.tallied_seq = head.last_seq + i64::try_from(events.len()).unwrap_or(i64::MAX);
    memory.places_taken += places.taken.len();
    Ok(answers)
}

fn submissions(commands: &[Command]) -> impl Iterator<Item = &Submission> {
    commands.iter().filter_map(|command| match command {
        Command::Decide(submission, _) => Some(&**submission),
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
