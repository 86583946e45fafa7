//! What the HTTP layer holds of the decider.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::command::{
    Answer, Command, DecideError, FollowUp, Limits, Rejection, Submission, Submitted,
};
use super::connections::Connections;
use super::context::Context;
use super::slots::Slots;
use super::threads::Threads;
use super::throttle::Throttle;
use super::writer::Writer;
use crate::ledger::digest::sha256;
use crate::org::Org;
use crate::problems::Problems;
use crate::telemetry::Metrics;

#[derive(Debug)]
struct Desk {
    queue: mpsc::Sender<Command>,
    writer: JoinHandle<()>,
    throttle: Throttle,
}

#[derive(Debug)]
struct Office {
    connections: Connections,
    limits: Limits,
    metrics: Arc<Metrics>,
    problems: Problems,
    threads: Threads,
    slots: Slots,
    // None once shut down.
    desks: Mutex<Option<HashMap<Org, Desk>>>,
}

/// The decider: cheap to clone, one for each process.
#[derive(Debug, Clone)]
pub struct Decider(Arc<Office>);

impl Decider {
    /// Starts with the connections of its writers (`connect_writers`) beside those of everybody else; each organization's writer starts
    /// with its first booking.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        pool: PgPool,
        writers: PgPool,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let problems = Problems::start(pool, Arc::clone(&metrics));
        Ok(Self(Arc::new(Office {
            connections: Connections::new(writers),
            problems,
            limits,
            metrics,
            threads: Threads::start()?,
            slots: Slots::new(),
            desks: Mutex::new(Some(HashMap::new())),
        })))
    }

    /// Decides a booking and answers once the decision is committed.
    pub async fn decide(&self, org: &Org, submission: Submission) -> Result<Answer, DecideError> {
        let (reply, answer) = oneshot::channel();
        // Here, on the caller's thread, and not in the one writer.
        let digest = sha256(submission.body.as_bytes());
        let submitted = Submitted { submission, digest };
        self.send(org, Command::Decide(Box::new(submitted), reply))?;
        self.wait(answer).await
    }

    /// Records what happened after a booking; a case that closes before its appointment frees its place.
    pub async fn follow(&self, org: &Org, follow_up: FollowUp) -> Result<(), DecideError> {
        let (reply, recorded) = oneshot::channel();
        self.send(org, Command::Follow(Box::new(follow_up), reply))?;
        self.wait(recorded).await
    }

    /// Records a rejected request. `Ok(false)`: over the rate limit, counted but not recorded.
    pub async fn reject(&self, org: &Org, rejection: Rejection) -> Result<bool, DecideError> {
        let admitted = self.with_desk(org, |desk| desk.throttle.admit())?;
        let Some(dropped_before) = admitted else {
            return Ok(false);
        };
        let (reply, recorded) = oneshot::channel();
        let heard = match self.send(org, Command::Reject(rejection, dropped_before, reply)) {
            Ok(()) => self.hear(recorded).await,
            Err(error) => Some(Err(error)),
        };
        if let Some(Err(_)) = &heard {
            self.with_desk(org, |desk| desk.throttle.give_back(dropped_before))?;
        }
        heard
            .unwrap_or(Err(DecideError::Unavailable))
            .map(|()| true)
    }

    /// Stops taking bookings and waits until every accepted one is answered.
    pub async fn shutdown(&self) {
        let desks = self.desks().take();
        for (_, desk) in desks.into_iter().flatten() {
            drop(desk.queue);
            // A writer that panicked has nobody left to answer.
            let _ = desk.writer.await;
        }
        self.0.connections.give_back();
    }

    async fn wait<T>(
        &self,
        reply: oneshot::Receiver<Result<T, DecideError>>,
    ) -> Result<T, DecideError> {
        let heard = self.hear(reply).await;
        heard.unwrap_or(Err(DecideError::Unavailable))
    }

    /// None: nobody has said in time what became of it.
    async fn hear<T>(
        &self,
        reply: oneshot::Receiver<Result<T, DecideError>>,
    ) -> Option<Result<T, DecideError>> {
        let heard = tokio::time::timeout(self.0.limits.timeout, reply).await;
        heard.ok()?.ok()
    }

    fn send(&self, org: &Org, command: Command) -> Result<(), DecideError> {
        self.with_desk(org, |desk| {
            let sent = desk.queue.try_send(command);
            let waiting = desk.queue.max_capacity() - desk.queue.capacity();
            self.0.metrics.queue_depth(org, waiting);
            sent.map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => DecideError::QueueFull,
                mpsc::error::TrySendError::Closed(_) => DecideError::Unavailable,
            })
        })?
    }

    fn with_desk<T>(&self, org: &Org, act: impl FnOnce(&mut Desk) -> T) -> Result<T, DecideError> {
        let mut desks = self.desks();
        let desks = desks.as_mut().ok_or(DecideError::Unavailable)?;
        if desks.get(org).is_some_and(|desk| desk.writer.is_finished()) {
            desks.remove(org);
        }
        let desk = desks
            .entry(org.clone())
            .or_insert_with(|| self.open_desk(org));
        Ok(act(desk))
    }

    fn open_desk(&self, org: &Org) -> Desk {
        let limits = self.0.limits;
        let (queue, waiting) = mpsc::channel(limits.queue);
        let writer = Writer::new(Context {
            org: org.clone(),
            connections: self.0.connections.clone(),
            limits,
            slots: self.0.slots.clone(),
            metrics: Arc::clone(&self.0.metrics),
            problems: self.0.problems.clone(),
        });
        Desk {
            queue,
            writer: self.0.threads.spawn(writer.run(waiting)),
            throttle: Throttle::new(limits.rejections_per_second, limits.rejections_burst),
        }
    }

    fn desks(&self) -> MutexGuard<'_, Option<HashMap<Org, Desk>>> {
        // Nothing is left half-done by a panic under this lock.
        self.0.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
