//! Batches recorded under the head's lock, one after another: others wait meanwhile, so each comes through.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::{Instant, timeout};

use super::batch::{DecidedBatch, LookedUp, decide, look_up, look_up_ahead};
use super::command::{Command, DecideError};
use super::connections::{Connection, Purpose};
use super::context::{Context, refuse};
use super::failure::{BatchError, Reach};
use super::memory::Memory;
use super::under_way::Unrecorded;
use crate::ledger::append::Append;
use crate::ledger::head::{self, Head};
use crate::org::Org;

/// The longest that reading all policies may take. Bookings are answered 503 meanwhile if it takes longer than they wait; a shorter
/// limit would start the same reading again and again.
const READING_POLICIES: Duration = Duration::from_secs(60);

const BEGIN: &str = include_str!("../../sql/queries/begin_batch.sql");

/// Records a batch and answers. If the database refuses what one of its commands carries, the others must not suffer: the batch
/// is halved until that one stands alone.
pub(super) async fn record_and_answer(
    context: &Context,
    memory: &mut Memory,
    unrecorded: Unrecorded,
) -> Reach {
    let mut reach = Reach::There;
    // Whoever waits has given up by then.
    let give_up_at = Instant::now() + context.limits.timeout;
    let mut batches = vec![unrecorded];
    while let Some(Unrecorded {
        mut commands,
        error,
    }) = batches.pop()
    {
        let recorded = match error {
            Some(error) => Err(error),
            None => try_to_record(context, memory, &mut commands).await,
        };
        let error = match recorded {
            Ok(batch) => {
                let policy_version = batch.effects.follows.policy_version;
                context.answer(commands, batch.answers, policy_version);
                continue;
            }
            Err(error) => error,
        };
        let org = &context.org;
        if Instant::now() < give_up_at && error.was_in_the_way() {
            tracing::warn!(%org, batch = commands.len(), %error, "a batch is tried again");
            batches.push(commands.into());
        } else if commands.len() > 1 && error.refuses_content() {
            let second_half = commands.split_off(commands.len() / 2);
            batches.push(second_half.into());
            batches.push(commands.into());
        } else {
            tracing::error!(%org, batch = commands.len(), %error, "a batch was not recorded");
            if matches!(error, BatchError::Away(_)) {
                reach = Reach::Away;
            }
            refuse(commands, &DecideError::from(&error));
        }
    }
    reach
}

async fn try_to_record(
    context: &Context,
    memory: &mut Memory,
    commands: &mut Vec<Command>,
) -> Result<DecidedBatch, BatchError> {
    let ahead = look_ahead(context, memory, commands).await?;
    let Locked {
        mut connection,
        head,
        ahead,
    } = begin_with_policies(context, memory, ahead).await?;
    // Who was answered 503 meanwhile must not take a place of which nobody would know.
    commands.retain(|command| !command.is_abandoned());
    let recording = record(&mut connection, &context.org, head, commands, ahead, memory);
    let recorded = timeout(context.limits.timeout, recording).await;
    let recorded = recorded.unwrap_or_else(|_| Err(BatchError::TooSlow));
    match recorded {
        Ok(_) => context.connections.keep(connection),
        Err(_) => connection.discard(),
    }
    recorded
}

/// A connection, and what was looked up on it before the head was locked. On no other could that be brought up to what others wrote: the
/// database may have failed over meanwhile, and they know it only by its number.
type Ahead = (Connection, LookedUp);

/// Looks up while another process may hold the lock: what that one changes meanwhile is little, and added under the lock. None: nobody
/// else is known to write, or the connection was broken.
async fn look_ahead(
    context: &Context,
    memory: &Memory,
    commands: &[Command],
) -> Result<Option<Ahead>, BatchError> {
    let Some(head) = memory.head_in_company() else {
        return Ok(None);
    };
    match look_up_ahead(context, Purpose::Record, commands, memory, &head).await {
        Ok(ahead) => Ok(Some(ahead)),
        Err(error) if error.is_broken_connection() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Decides and records a batch under the locked head. Promise 1: the commit is done before there is an answer.
async fn record(
    connection: &mut PgConnection,
    org: &Org,
    head: Head,
    commands: &[Command],
    ahead: Option<LookedUp>,
    memory: &mut Memory,
) -> Result<DecidedBatch, BatchError> {
    // Every read from here on is a statement of its own after the lock, so that it sees all that was committed before (READ COMMITTED).
    let changes = memory.catch_up(connection, org, &head).await?;
    memory.take_head();
    let ahead = ahead.zip(changes).and_then(|(mut looked_up, changes)| {
        let is_true = looked_up.catch_up(&head, &changes);
        is_true.then_some(looked_up)
    });
    let decided =
        ahead.and_then(|looked_up| decide(org, head.clone(), commands, looked_up, memory));
    let batch = match decided {
        Some(batch) => batch,
        None => {
            let looked_up = look_up(connection, org, commands, memory, &head).await?;
            decide(org, head, commands, looked_up, memory).ok_or(BatchError::Incomplete)?
        }
    };
    // Until the commit is certain, what is known belongs to a head that may never be.
    let known = memory.take_head();
    let (follows, events) = (&batch.effects.follows, &batch.events);
    let append = Append::new(org, follows, events, &batch.places);
    if !append.run(connection).await? {
        return Err(BatchError::HeadMoved);
    }
    sqlx::raw_sql("commit").execute(&mut *connection).await?;
    memory.restore_head(known);
    Ok(batch)
}

/// A connection with the head locked.
struct Locked {
    connection: Connection,
    head: Head,
    /// What was looked up on it before.
    ahead: Option<LookedUp>,
}

/// The head, locked, and the policies known but for what was changed in the moment before.
async fn begin_with_policies(
    context: &Context,
    memory: &mut Memory,
    ahead: Option<Ahead>,
) -> Result<Locked, BatchError> {
    let locked = begin(context, memory, ahead).await?;
    if memory.knows_policies_of(&locked.head) {
        return Ok(locked);
    }
    let Locked {
        mut connection,
        head,
        ..
    } = locked;
    let reading = async {
        sqlx::raw_sql("rollback").execute(&mut *connection).await?;
        let read = memory.catch_up_policies(&mut connection, &context.org, &head);
        read.await.map_err(BatchError::from)
    };
    let read = timeout(READING_POLICIES, reading).await;
    if let Err(error) = read.unwrap_or_else(|_| Err(BatchError::TooSlow)) {
        connection.discard();
        return Err(error);
    }
    drop(connection);
    begin(context, memory, None).await
}

/// The head, locked. If a pooled connection turns out broken (the database was restarted since), nothing has
/// begun on it, and the next is tried.
async fn begin(
    context: &Context,
    memory: &mut Memory,
    mut ahead: Option<Ahead>,
) -> Result<Locked, BatchError> {
    let mut attempts = context.connections.count() + 1;
    loop {
        let (mut connection, ahead) = match ahead.take() {
            Some((connection, looked_up)) => (connection, Some(looked_up)),
            None => {
                let acquired = context.connections.acquire(Purpose::Record).await;
                (acquired.map_err(BatchError::Away)?, None)
            }
        };
        let beginning = head::begin_and_lock(&mut connection, &context.org, BEGIN);
        let error = match timeout(context.limits.timeout, beginning).await {
            Ok(Ok(Some(head))) => {
                memory.forget_unless_grown_to(&head);
                return Ok(Locked {
                    connection,
                    head,
                    ahead,
                });
            }
            Ok(Ok(None)) => BatchError::UnknownOrg,
            Ok(Err(error)) => error.into(),
            Err(_) => BatchError::TooSlow,
        };
        connection.discard();
        attempts -= 1;
        if attempts == 0 || !error.is_broken_connection() {
            return Err(error);
        }
    }
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
