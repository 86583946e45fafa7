//! One batch: what it has to know, and what is decided. Who records it is `under_lock` or `under_way`.
//!
//! A batch is decided at a head: the ledger's newest event. It may be recorded only if the head has not moved.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::command::{Command, FollowUp, Submitted};
use super::connections::{Connection, Purpose};
use super::context::Context;
use super::facts::{self, Found, Wanted};
use super::failure::BatchError;
use super::memory::{Effects, Memory};
use super::others::Changes;
use super::policies::Policies;
use super::sequence::{Asked, Decided, Sequence};
use crate::ledger::append::PlaceChanges;
use crate::ledger::event::Event;
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::tallies::Tallies;

/// What a batch has to know.
#[derive(Debug)]
pub(super) struct LookedUp {
    wanted: Wanted,
    found: Found,
}

impl LookedUp {
    /// Brings what was looked up before a head was locked up to that head, with what others changed meanwhile. `false`: more than counts
    /// has changed, or it cannot be told.
    pub(super) fn catch_up(&mut self, head: &Head, others: &Changes) -> bool {
        let Self { wanted, found } = self;
        let as_of = found.last_seq;
        // A policy may be a row of the blocklist.
        if !(others.known_seq..=head.last_seq).contains(&as_of) || as_of < head.policy_version {
            return false;
        }
        if others.after(as_of).any(|change| wanted.concerns(change)) {
            return false;
        }
        for change in (others.after(as_of)).filter_map(|change| change.place.as_ref()) {
            found.count(change);
        }
        found.last_seq = head.last_seq;
        true
    }
}

/// Answers in the commands' order; none for what only has to be recorded.
pub(super) type Answers = Vec<Option<Decided>>;

/// A batch that is decided, and not recorded.
#[derive(Debug)]
pub(super) struct DecidedBatch {
    pub(super) effects: Arc<Effects>,
    pub(super) events: Vec<Event>,
    pub(super) places: PlaceChanges,
    pub(super) answers: Answers,
}

/// Reads what a batch has to know, as of a head that is locked, or expected.
pub(super) async fn look_up(
    connection: &mut PgConnection,
    org: &Org,
    commands: &[Command],
    memory: &Memory,
    head: &Head,
) -> Result<LookedUp, sqlx::Error> {
    let (_, wanted) = ask(commands, &memory.policies, &memory.tallies, head.now);
    let found = facts::read(connection, org, &wanted).await?;
    Ok(LookedUp { wanted, found })
}

/// The same without a lock, on a connection of its own.
pub(super) async fn look_up_ahead(
    context: &Context,
    purpose: Purpose,
    commands: &[Command],
    memory: &Memory,
    head: &Head,
) -> Result<(Connection, LookedUp), BatchError> {
    let acquired = context.connections.acquire(purpose).await;
    let mut connection = acquired.map_err(BatchError::Away)?;
    let looking = look_up(&mut connection, &context.org, commands, memory, head);
    let looked_up = match timeout(context.limits.timeout, looking).await {
        Ok(looked_up) => looked_up.map_err(BatchError::from),
        Err(_) => Err(BatchError::TooSlow),
    };
    match looked_up {
        Ok(looked_up) => Ok((connection, looked_up)),
        Err(error) => {
            connection.discard();
            Err(error)
        }
    }
}

/// Decides a batch as of the known head, which moves in memory. None: more has to be looked up, or it was looked up as of another head.
/// A head's chain value tells it from every other, so what is recorded behind it, on whatever connection, is recorded in the ledger that was
/// read, even if the database failed over meanwhile.
pub(super) fn decide_at_known_head(
    org: &Org,
    commands: &[Command],
    mut looked_up: LookedUp,
    memory: &mut Memory,
) -> Option<DecidedBatch> {
    let mut head = memory.known_head()?;
    if !looked_up.found.is_as_of(&head) {
        let newest = memory.newest.as_ref()?;
        if !looked_up.found.is_as_of(&newest.follows) {
            return None;
        }
        looked_up.found.add(&looked_up.wanted, newest);
    }
    let (known, at) = memory.take_head()?;
    // Time never runs backwards within a ledger.
    head.now = looked_up.found.now.max(known.now);
    let decided = decide(org, head, commands, looked_up, memory);
    if decided.is_none() {
        memory.restore_head(Some((known, at)));
    }
    decided
}

/// Decides a batch as of a head. None: more has to be looked up.
pub(super) fn decide(
    org: &Org,
    head: Head,
    commands: &[Command],
    LookedUp { wanted, found }: LookedUp,
    memory: &mut Memory,
) -> Option<DecidedBatch> {
    // Some policy may have come into force, or ended, between the time that was expected and that of the database.
    let (asked, needed) = ask(commands, &memory.policies, &memory.tallies, head.now);
    if !wanted.covers(&needed) {
        return None;
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
    let done = sequence.finish();
    let mut next = head.clone();
    if let Some(last) = done.events.last() {
        next.last_seq = last.seq;
        next.last_chain = last.chain;
    }
    memory.move_head(next);
    let effects = Arc::new(Effects {
        follows: head,
        cases: done.cases,
        changes: done.changes,
    });
    memory.newest = Some(Arc::clone(&effects));
    Some(DecidedBatch {
        effects,
        events: done.events,
        places: done.places,
        answers,
    })
}

/// Drafts each booking, and gathers what has to be looked up for all: no counts that are known.
fn ask<'a>(
    commands: &'a [Command],
    policies: &'a Policies,
    tallies: &Tallies,
    now: DateTime<Utc>,
) -> (Vec<Asked<'a>>, Wanted) {
    let asked: Vec<_> = submissions(commands)
        .map(|submitted| Asked::new(submitted, policies, now))
        .collect();
    let mut wanted = Wanted::default();
    for asked in &asked {
        let request = (
            asked.submitted.booking.case_id,
            Some(asked.submitted.digest),
        );
        wanted.requests.insert(request);
        let buckets = asked.draft.buckets();
        wanted.buckets.extend(
            buckets
                .filter(|bucket| tallies.get(bucket).is_none())
                .cloned(),
        );
        wanted.add(&asked.needs);
    }
    // A follow-up needs its case's place, and no answer.
    let followed = follow_ups(commands).map(|follow_up| (follow_up.case_id, None));
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
