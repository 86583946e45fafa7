//! A batch on its way into the ledger, at the head where the batch before it leaves it. Promise 1 can be read here: it has committed
//! before there is an answer.
//!
//! Two may be under way. The second is looked up and decided while the first still writes and flushes its rows, and appended when the
//! first has committed. If the first fails, or something else has moved the head meanwhile, be it a policy or another process's booking,
//! nothing is recorded, and the batch is decided again under the head's lock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::batch::DecidedBatch;
use super::command::Command;
use super::connections::Purpose;
use super::context::Context;
use super::failure::BatchError;
use super::slots::Slot;
use crate::ledger::append::Append;

/// A batch that was not recorded.
#[derive(Debug)]
pub(super) struct Unrecorded {
    pub(super) commands: Vec<Command>,
    /// None: nothing is wrong with it; the head was not where it was expected.
    pub(super) error: Option<BatchError>,
}

impl From<Vec<Command>> for Unrecorded {
    fn from(commands: Vec<Command>) -> Self {
        Self {
            commands,
            error: None,
        }
    }
}

/// Whether the batch before has committed; it is dropped if that one has not.
pub(super) type Turn = oneshot::Receiver<()>;

/// A batch under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    context: Arc<Context>,
    batch: DecidedBatch,
    commands: Vec<Command>,
    // Until the batch is recorded, or not.
    slot: Slot,
}

impl UnderWay {
    pub(super) fn new(
        context: Arc<Context>,
        batch: DecidedBatch,
        commands: Vec<Command>,
        slot: Slot,
    ) -> Self {
        Self {
            context,
            batch,
            commands,
            slot,
        }
    }

    /// Records the batch in its turn, tells the next that it is its turn, and answers. How long that took is answered, too.
    pub(super) async fn record(
        self,
        turn: Option<Turn>,
        next: oneshot::Sender<()>,
    ) -> Result<Duration, Unrecorded> {
        let began = Instant::now();
        let recorded = self.append_in_turn(turn).await;
        if !matches!(recorded, Ok(true)) {
            return Err(self.give_up(recorded.err()));
        }
        let took = began.elapsed();
        let Self {
            context,
            batch,
            commands,
            slot,
        } = self;
        drop(slot);
        let _ = next.send(());
        // The next one's commit goes out before some hundred answers do.
        tokio::task::yield_now().await;
        let policy_version = batch.effects.follows.policy_version;
        context.answer(commands, batch.answers, policy_version);
        Ok(took)
    }

    /// `false`: the head is not where the batch follows it.
    async fn append_in_turn(&self, turn: Option<Turn>) -> Result<bool, BatchError> {
        let DecidedBatch {
            effects,
            events,
            places,
            ..
        } = &self.batch;
        let append = Append::new(&self.context.org, &effects.follows, events, places);
        if let Some(turn) = turn
            && turn.await.is_err()
        {
            return Ok(false);
        }
        let Context {
            connections,
            limits,
            ..
        } = &*self.context;
        let acquired = connections.acquire(Purpose::Record).await;
        let mut connection = acquired.map_err(BatchError::Away)?;
        // The turn and the connection may have been long in coming.
        if !self.is_awaited() {
            connections.keep(connection);
            return Ok(false);
        }
        let appended = match timeout(limits.timeout, append.run(&mut connection)).await {
            Ok(appended) => appended.map_err(BatchError::from),
            Err(_) => Err(BatchError::TooSlow),
        };
        match &appended {
            Err(error) if !error.was_in_the_way() => connection.discard(),
            _ => connections.keep(connection),
        }
        appended
    }

    /// Whether all who asked still wait. Who was answered 503 meanwhile must not take a place of which nobody would know.
    fn is_awaited(&self) -> bool {
        !self.commands.iter().any(Command::is_abandoned)
    }

    fn give_up(self, error: Option<BatchError>) -> Unrecorded {
        Unrecorded {
            commands: self.commands,
            error: error.filter(|error| !error.was_in_the_way()),
        }
    }
}
