//! One writer an organization: gathers what waits into batches, and answers after each commit.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use super::batch::{BatchError, Memory, begin, commit, commit_at_known_head, look_up};
use super::command::{Command, DecideError, Limits};
use super::sequence::Decided;
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::explanation::Compared;
use crate::problems::Problems;
use crate::telemetry::Metrics;

/// The longest that reading all policies may take. Bookings are answered 503 meanwhile if it takes longer than they wait; a shorter
/// limit would start the same reading again and again.
const READING_POLICIES: Duration = Duration::from_secs(60);
/// Whether the database could be reached at all.
#[derive(Debug, PartialEq, Eq)]
enum Reach {
    There,
    Away,
}

/// The longest that a batch waits for company.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// How the last batch went.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    commands: usize,
    took: Duration,
}

/// Those who were just answered often ask again at once. Without waiting for them, the first to be back gets a transaction of its
/// own, and all others wait for that: batches of 1 and 15 in turn, for 16 callers. So a batch waits until it is as large as the
/// last, for at most a quarter of the time that the last took; after a batch of one, not at all.
async fn gather(queue: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>, last: Pace) {
    let until = Instant::now() + LONGEST_WAIT.min(last.took / 4);
    while waiting.len() < last.commands {
        let room = last.commands - waiting.len();
        match timeout_at(until, queue.recv_many(waiting, room)).await {
            Ok(received) if received > 0 => {}
            _ => break,
        }
    }
}

/// Writes one organization's ledger.
#[derive(Debug)]
pub(super) struct Writer {
    org: Org,
    pool: PgPool,
    limits: Limits,
    metrics: Arc<Metrics>,
    problems: Problems,
    memory: Memory,
}

impl Writer {
    pub(super) fn new(
        org: Org,
        pool: PgPool,
        limits: Limits,
        metrics: Arc<Metrics>,
        problems: Problems,
    ) -> Self {
        Self {
            org,
            pool,
            limits,
            metrics,
            problems,
            memory: Memory::default(),
        }
    }

    /// Runs until the queue is closed and empty.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(self.limits.batch);
        // While one batch commits, the next gathers: batches grow with the load, and a lone booking waits for nobody.
        let mut last = Pace::default();
        while queue.recv_many(&mut waiting, self.limits.batch).await > 0 {
            gather(&mut queue, &mut waiting, last).await;
            self.metrics.queue_depth(&self.org, queue.len());
            let commands = waiting.len();
            let began = Instant::now();
            if self.write(std::mem::take(&mut waiting)).await == Reach::Away {
                // Those who came meanwhile need not wait as long again to hear the same.
                while let Ok(command) = queue.try_recv() {
                    waiting.push(command);
                }
                refuse(std::mem::take(&mut waiting), &DecideError::Unavailable);
                self.metrics.queue_depth(&self.org, queue.len());
            }
            last = Pace {
                commands,
                took: began.elapsed(),
            };
        }
    }

    /// Records a batch and answers. If the database refuses what one of its commands carries, the others must not suffer: the batch
    /// is halved until that one stands alone.
    async fn write(&mut self, commands: Vec<Command>) -> Reach {
        let mut reach = Reach::There;
        // Whoever waits has given up by then.
        let give_up_at = Instant::now() + self.limits.timeout;
        let mut batches = vec![commands];
        while let Some(mut commands) = batches.pop() {
            match self.try_commit(&mut commands).await {
                Ok(answers) => self.answer(commands, answers),
                Err(error) if Instant::now() < give_up_at && was_in_the_way(&error) => {
                    tracing::warn!(org = %self.org, batch = commands.len(), %error, "a batch is tried again");
                    batches.push(commands);
                }
                Err(error) if commands.len() > 1 && refuses_content(&error) => {
                    let second_half = commands.split_off(commands.len() / 2);
                    batches.push(second_half);
                    batches.push(commands);
                }
                Err(error) => {
                    tracing::error!(org = %self.org, batch = commands.len(), %error, "a batch was not recorded");
                    if matches!(error, BatchError::Away(_)) {
                        reach = Reach::Away;
                    }
                    let problem = if refuses_content(&error) {
                        DecideError::Refused("the database refused its content".to_owned())
                    } else {
                        DecideError::from(&error)
                    };
                    refuse(commands, &problem);
                }
            }
        }
        reach
    }

    /// Records a batch at the known head, or else under its lock.
    async fn try_commit(
        &mut self,
        commands: &mut Vec<Command>,
    ) -> Result<Vec<Option<Decided>>, BatchError> {
        // Who was answered 503 meanwhile must not take a place of which nobody would know.
        commands.retain(|command| !command.is_abandoned());
        if let Some(answers) = self.try_at_known_head(commands).await? {
            return Ok(answers);
        }
        let (mut connection, head) = self.begin_with_policies().await?;
        commands.retain(|command| !command.is_abandoned());
        self.metrics.batch(commands.len());
        let committing = commit(&mut connection, &self.org, head, commands, &mut self.memory);
        let result = timeout(self.limits.timeout, committing).await;
        keep_if_sound(connection, result)
    }

    /// None: the head is not where it was known to be, or the connection broke before anything was written.
    async fn try_at_known_head(
        &mut self,
        commands: &mut Vec<Command>,
    ) -> Result<Option<Vec<Option<Decided>>>, BatchError> {
        if !self.memory.knows_head() {
            return Ok(None);
        }
        let mut connection = self.pool.acquire().await.map_err(BatchError::Away)?;
        let reading = look_up(&mut connection, &self.org, commands, &self.memory);
        let read = timeout(self.limits.timeout, reading).await;
        let looked_up = match read.unwrap_or_else(|_| Err(too_slow())) {
            Ok(Some(looked_up)) => looked_up,
            Ok(None) => return Ok(None),
            Err(error) => {
                drop(connection.detach());
                return if is_broken(&error) {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        // A connection may have been long in coming.
        commands.retain(|command| !command.is_abandoned());
        let committing = commit_at_known_head(
            &mut connection,
            &self.org,
            commands,
            looked_up,
            &mut self.memory,
        );
        let result = timeout(self.limits.timeout, committing).await;
        let answers = keep_if_sound(connection, result)?;
        if answers.is_some() {
            self.metrics.batch(commands.len());
        }
        Ok(answers)
    }

    /// A connection with the head locked, and the policies known but for what was changed in the moment before.
    async fn begin_with_policies(
        &mut self,
    ) -> Result<(PoolConnection<Postgres>, Head), BatchError> {
        let (mut connection, head) = self.begin().await?;
        if self.memory.knows_policies_of(&head) {
            return Ok((connection, head));
        }
        let reading = async {
            sqlx::raw_sql("rollback").execute(&mut *connection).await?;
            self.memory
                .read_ahead(&mut connection, &self.org, &head)
                .await
        };
        let read = timeout(READING_POLICIES, reading).await;
        if let Err(error) = read.unwrap_or_else(|_| Err(too_slow())) {
            drop(connection.detach());
            return Err(error);
        }
        drop(connection);
        self.begin().await
    }

    /// A connection with the head locked. If a pooled connection turns out broken (the database was restarted since), nothing has
    /// begun on it, and the next is tried.
    async fn begin(&mut self) -> Result<(PoolConnection<Postgres>, Head), BatchError> {
        let mut attempts = self.pool.size() + 1;
        loop {
            let mut connection = self.pool.acquire().await.map_err(BatchError::Away)?;
            let beginning = begin(&mut connection, &self.org);
            let error = match timeout(self.limits.timeout, beginning).await {
                Ok(Ok(head)) => {
                    self.memory.forget_unless_grown_to(&head);
                    return Ok((connection, head));
                }
                Ok(Err(error)) => error,
                Err(_) => too_slow(),
            };
            drop(connection.detach());
            attempts -= 1;
            if attempts == 0 || !is_broken(&error) {
                return Err(error);
            }
        }
    }

    fn answer(&self, commands: Vec<Command>, answers: Vec<Option<Decided>>) {
        for (command, decided) in commands.into_iter().zip(answers) {
            // A requester who went away has no use for the answer; it is on the ledger.
            match (command, decided) {
                (Command::Decide(_, reply), Some(decided)) => {
                    self.count(&decided);
                    let _ = reply.send(Ok(decided.answer));
                }
                (Command::Follow(_, reply) | Command::Reject(.., reply), _) => {
                    let _ = reply.send(Ok(()));
                }
                (Command::Decide(_, reply), None) => {
                    let _ = reply.send(Err(DecideError::Unavailable));
                }
            }
        }
    }

    fn count(&self, decided: &Decided) {
        let Some(decision) = &decided.decision else {
            self.metrics.repeat(&self.org);
            return;
        };
        self.metrics.decision(&self.org, decision.outcome.as_str());
        for policy in &decision.policies {
            if let Compared::Error { error } = &policy.compared {
                self.metrics.policy_error(&self.org, policy.kind.table());
                self.problems.failed(
                    &self.org,
                    policy.kind,
                    policy.id,
                    error,
                    self.memory.policy_version(),
                );
            }
        }
    }
}

fn refuse(commands: Vec<Command>, problem: &DecideError) {
    for command in commands {
        match command {
            Command::Decide(_, reply) => {
                let _ = reply.send(Err(problem.clone()));
            }
            Command::Follow(_, reply) | Command::Reject(.., reply) => {
                let _ = reply.send(Err(problem.clone()));
            }
        }
    }
}

/// A connection on which anything failed is thrown away: its transaction may be open, or its protocol half-way; the server rolls it back.
fn keep_if_sound<T>(
    connection: PoolConnection<Postgres>,
    result: Result<Result<T, BatchError>, Elapsed>,
) -> Result<T, BatchError> {
    let result = result.unwrap_or_else(|_| Err(too_slow()));
    if result.is_err() {
        drop(connection.detach());
    }
    result
}

fn too_slow() -> BatchError {
    BatchError::Database(sqlx::Error::PoolTimedOut)
}

/// The connection, not the statement, failed. SQLSTATE 57P01–57P03: the server is going down or coming up.
fn is_broken(error: &BatchError) -> bool {
    match error {
        BatchError::Database(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
        BatchError::Database(sqlx::Error::Database(error)) => {
            error.code().is_some_and(|code| code.starts_with("57P"))
        }
        _ => false,
    }
}

/// SQLSTATE 40001 (serialization failure), 40P01 (deadlock) and 55P03 (lock not available): nothing is wrong with the batch, and
/// nothing of it was recorded.
fn was_in_the_way(error: &BatchError) -> bool {
    let BatchError::Database(sqlx::Error::Database(error)) = error else {
        return false;
    };
    matches!(error.code().as_deref(), Some("40001" | "40P01" | "55P03"))
}

/// SQLSTATE classes 22 (data exception), 23 (integrity constraint violation) and 54 (program limit exceeded).
fn refuses_content(error: &BatchError) -> bool {
    let BatchError::Database(sqlx::Error::Database(error)) = error else {
        return false;
    };
    let code = error.code();
    code.is_some_and(|code| {
        ["22", "23", "54"]
            .iter()
            .any(|class| code.starts_with(class))
    })
}
