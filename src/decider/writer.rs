//! One writer an organization: gathers what waits into batches, and answers after each commit.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::batch::{BatchError, Memory, begin, commit};
use super::handle::{Command, DecideError, Limits};
use super::sequence::Decided;
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::explanation::Verdict;
use crate::telemetry::Metrics;

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
    memory: Memory,
}

impl Writer {
    pub(super) fn new(org: Org, pool: PgPool, limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            org,
            pool,
            limits,
            metrics,
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
            self.metrics.batch(waiting.len());
            let commands = waiting.len();
            let began = Instant::now();
            self.write(std::mem::take(&mut waiting)).await;
            last = Pace {
                commands,
                took: began.elapsed(),
            };
        }
    }

    /// Records a batch and answers. If the database refuses what one of its commands carries, the others must not suffer: the batch
    /// is halved until that one stands alone.
    async fn write(&mut self, commands: Vec<Command>) {
        let mut batches = vec![commands];
        while let Some(mut commands) = batches.pop() {
            match self.try_commit(&commands).await {
                Ok(answers) => self.answer(commands, answers),
                Err(error) if commands.len() > 1 && refuses_content(&error) => {
                    let second_half = commands.split_off(commands.len() / 2);
                    batches.push(second_half);
                    batches.push(commands);
                }
                Err(error) => {
                    tracing::error!(org = %self.org, batch = commands.len(), %error, "a batch was not recorded");
                    let problem = if refuses_content(&error) {
                        DecideError::Refused("the database refused its content".to_owned())
                    } else {
                        DecideError::from(&error)
                    };
                    refuse(commands, &problem);
                }
            }
        }
    }

    /// One transaction on one connection. A connection on which anything failed is thrown away: its transaction may be open, or its
    /// protocol half-way; the server rolls it back.
    async fn try_commit(
        &mut self,
        commands: &[Command],
    ) -> Result<Vec<Option<Decided>>, BatchError> {
        let (mut connection, head) = self.begin().await?;
        let committing = commit(
            &mut connection,
            &self.org,
            &head,
            commands,
            &mut self.memory,
        );
        let result = timeout(self.limits.timeout, committing)
            .await
            .unwrap_or_else(|_| Err(too_slow()));
        if result.is_err() {
            drop(connection.detach());
        }
        result
    }

    /// A connection with the head locked. If a pooled connection turns out broken (the database was restarted since), nothing has
    /// begun on it, and the next is tried.
    async fn begin(&self) -> Result<(PoolConnection<Postgres>, Head), BatchError> {
        let mut attempts = self.pool.size() + 1;
        loop {
            let mut connection = self.pool.acquire().await?;
            let beginning = begin(&mut connection, &self.org, self.memory.plans());
            let error = match timeout(self.limits.timeout, beginning).await {
                Ok(Ok(head)) => return Ok((connection, head)),
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
                (Command::Reject(.., reply), _) => {
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
        for policy in decision
            .policies
            .iter()
            .filter(|policy| policy.verdict == Verdict::Error)
        {
            self.metrics.policy_error(&self.org, policy.kind.table());
            tracing::warn!(org = %self.org, kind = %policy.kind, id = policy.id, "a policy's expression failed");
        }
    }
}

fn refuse(commands: Vec<Command>, problem: &DecideError) {
    for command in commands {
        match command {
            Command::Decide(_, reply) => {
                let _ = reply.send(Err(problem.clone()));
            }
            Command::Reject(.., reply) => {
                let _ = reply.send(Err(problem.clone()));
            }
        }
    }
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
