//! A batch on its way into the ledger, at the head where the batch before it leaves it. Promise 1 can be read here: it has committed
//! before there is an answer.
//!
//! Two may be under way. The second writes its rows while the first still writes and flushes its own; only when the first has
//! committed does it move the head and commit. Until the head has moved past them its rows are in no ledger, and if the first
//! fails they never will be. What changed meanwhile, be it a policy or another process's booking, has moved the head; then nothing is
//! recorded, and the batch is decided again under the head's lock.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::{Instant, timeout};

use super::batch::DecidedBatch;
use super::command::Command;
use super::context::Context;
use super::failure::BatchError;
use crate::ledger::append::{Moving, append};
use crate::ledger::head;

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
    connection: PoolConnection<Postgres>,
    batch: DecidedBatch,
    commands: Vec<Command>,
    in_transaction: bool,
}

impl UnderWay {
    pub(super) fn new(
        context: Arc<Context>,
        connection: PoolConnection<Postgres>,
        batch: DecidedBatch,
        commands: Vec<Command>,
    ) -> Self {
        Self {
            context,
            connection,
            batch,
            commands,
            in_transaction: false,
        }
    }

    /// Records the batch in its turn, tells the next that it is its turn, and answers. How long that took is answered, too.
    pub(super) async fn record(
        mut self,
        turn: Option<Turn>,
        next: oneshot::Sender<()>,
    ) -> Result<Duration, Unrecorded> {
        let began = Instant::now();
        let recorded = self.append_in_turn(turn).await;
        if !matches!(recorded, Ok(true)) {
            return Err(self.give_up(recorded.err()).await);
        }
        let took = began.elapsed();
        let Self {
            context,
            connection,
            batch,
            commands,
            ..
        } = self;
        drop(connection);
        let _ = next.send(());
        // The next one's commit goes out before some hundred answers do.
        tokio::task::yield_now().await;
        context.answer(commands, batch.answers, batch.follows.policy_version);
        Ok(took)
    }

    /// `false`: the head is not where the batch follows it.
    async fn append_in_turn(&mut self, turn: Option<Turn>) -> Result<bool, BatchError> {
        let Some(mut turn) = turn else {
            return self.append(Moving::AtOnce).await;
        };
        match turn.try_recv() {
            Ok(()) => return self.append(Moving::AtOnce).await,
            Err(TryRecvError::Closed) => return Ok(false),
            Err(TryRecvError::Empty) => {}
        }
        if !self.batch.stands_alone {
            return Ok(turn.await.is_ok()
                && self.is_awaited()
                && self.append(Moving::AtOnce).await?);
        }
        self.in_transaction = true;
        self.within_limit(async |this| {
            let begin = sqlx::raw_sql("begin");
            begin.execute(&mut *this.connection).await.map(|_| ())
        })
        .await?;
        if !self.append(Moving::Later).await? || turn.await.is_err() || !self.is_awaited() {
            return Ok(false);
        }
        self.within_limit(async |this| match this.batch.events.last() {
            Some(last) => {
                let (org, follows) = (&this.context.org, &this.batch.follows);
                head::move_and_commit(&mut this.connection, org, follows, last).await
            }
            None => Ok(()),
        })
        .await?;
        Ok(true)
    }

    async fn append(&mut self, moving: Moving) -> Result<bool, BatchError> {
        self.within_limit(async |this| {
            let DecidedBatch {
                follows,
                events,
                places,
                ..
            } = &this.batch;
            let org = &this.context.org;
            append(&mut this.connection, org, follows, events, places, moving).await
        })
        .await
    }

    async fn within_limit<T>(
        &mut self,
        act: impl AsyncFnOnce(&mut Self) -> Result<T, sqlx::Error>,
    ) -> Result<T, BatchError> {
        let limit = self.context.limits.timeout;
        match timeout(limit, act(self)).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(BatchError::too_slow()),
        }
    }

    /// Whether all who asked still wait. Who was answered 503 meanwhile must not take a place of which nobody would know.
    fn is_awaited(&self) -> bool {
        !self.commands.iter().any(Command::is_abandoned)
    }

    async fn give_up(self, error: Option<BatchError>) -> Unrecorded {
        let Self {
            mut connection,
            commands,
            in_transaction,
            ..
        } = self;
        let error = error.filter(|error| !error.is_of_a_moved_head());
        let mut is_sound = error.is_none();
        if is_sound && in_transaction {
            let rolled_back = sqlx::raw_sql("rollback").execute(&mut *connection).await;
            is_sound = rolled_back.is_ok();
        }
        if !is_sound {
            drop(connection.detach());
        }
        Unrecorded { commands, error }
    }
}
