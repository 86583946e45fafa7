//! One writer an organization: gathers what waits into batches, decides them, and sends them on their way into the ledger.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

use super::batch::{decide_at_known_head, look_up_ahead};
use super::command::{Command, DecideError};
use super::connections::Purpose;
use super::context::{Context, refuse};
use super::failure::Reach;
use super::memory::{Effects, Memory};
use super::slots::Slot;
use super::under_lock;
use super::under_way::{Turn, UnderWay, Unrecorded};

/// The longest that a batch waits for more bookings.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// The same where another process writes, too: the lock is held by that one most of the time, and who asks for it early only waits.
const LONGEST_WAIT_IN_COMPANY: Duration = Duration::from_millis(10);

/// One is looked up and decided while the other is appended; a third would only make all of them smaller.
const MOST_UNDER_WAY: usize = 2;

/// A second batch under way makes both smaller, and a batch costs as much as some three bookings: it must be of some size.
const ENOUGH_FOR_A_SECOND: usize = 4;

/// How the last batch went.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    /// How many commands the next is thought to have.
    expected: usize,
    took: Duration,
}

/// Writes one organization's ledger.
#[derive(Debug)]
pub(super) struct Writer {
    context: Arc<Context>,
    memory: Memory,
    // Oldest first. Each waits for the one before.
    under_way: VecDeque<Task>,
    // Told when the newest has committed.
    newest_turn: Option<Turn>,
    last: Pace,
}

/// A batch under way, of so many commands, and what it does.
#[derive(Debug)]
struct Task {
    commands: usize,
    effects: Arc<Effects>,
    task: JoinHandle<Result<Duration, Unrecorded>>,
}

impl Writer {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context: Arc::new(context),
            memory: Memory::default(),
            under_way: VecDeque::with_capacity(MOST_UNDER_WAY),
            newest_turn: None,
            last: Pace::default(),
        }
    }

    /// Runs until the queue is closed and empty.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(self.context.limits.batch);
        while self.receive(&mut queue, &mut waiting).await {
            let mut slot = match self.context.slots.take_free() {
                Some(slot) => slot,
                None => {
                    let slot = self.context.slots.wait().await;
                    // Who came meanwhile. Not if there was a slot at once: batches of one organization then grow until there is no second.
                    self.take_all(&mut queue, &mut waiting);
                    slot
                }
            };
            self.tell_depth(&queue);
            self.last.expected = self.expect_after(waiting.len());
            let Err(unrecorded) = self.send_off(std::mem::take(&mut waiting), &mut slot).await
            else {
                continue;
            };
            while !self.under_way.is_empty() {
                self.land_oldest().await;
            }
            self.newest_turn = None;
            let began = Instant::now();
            let answered = unrecorded.commands.len();
            if self.record_under_lock(unrecorded).await == Reach::Away {
                self.turn_away(&mut queue, &mut waiting);
            }
            self.last = Pace {
                expected: (answered + queue.len()).min(self.context.limits.batch),
                took: began.elapsed(),
            };
        }
    }

    /// Waits until there is a batch that may go. While one is under way, the next gathers: batches grow with the load, and a lone
    /// booking waits for nobody. `false`: there will be none.
    async fn receive(
        &mut self,
        queue: &mut mpsc::Receiver<Command>,
        waiting: &mut Vec<Command>,
    ) -> bool {
        loop {
            let wanted = match self.under_way.len() {
                0 => 1,
                // Among many, a second would keep no idle core busy.
                1 if self.context.slots.is_one_free() => ENOUGH_FOR_A_SECOND,
                _ => usize::MAX,
            };
            if waiting.len() >= wanted {
                break;
            }
            let reach = match self.under_way.front_mut() {
                None if queue.recv_many(waiting, self.context.limits.batch).await == 0 => {
                    return false;
                }
                None => continue,
                Some(_) if wanted == usize::MAX => self.land_oldest().await,
                Some(oldest) => tokio::select! {
                    landed = &mut oldest.task => self.landed(landed).await,
                    received = queue.recv_many(waiting, wanted - waiting.len()) => match received {
                        0 => self.land_oldest().await,
                        _ => continue,
                    },
                },
            };
            if reach == Reach::Away {
                self.turn_away(queue, waiting);
            }
        }
        self.gather(queue, waiting).await;
        true
    }

    /// How many the next is thought to have, if this one has so many: half of all under way, so that one batch is looked up and decided while
    /// the other is appended. As many as go now would stay all of them, one batch after the other.
    fn expect_after(&self, commands: usize) -> usize {
        // This one's, and those of the others under way.
        let own_slots = 1 + self.under_way.len();
        if self.context.slots.are_taken_by_others(own_slots) {
            // Among many organizations there is no second batch.
            return commands;
        }
        let under_way: usize = self.under_way.iter().map(|task| task.commands).sum();
        (under_way + commands).div_ceil(2)
    }

    /// Those who were just answered often ask again at once. Without waiting for them, the first to be back gets a transaction of its
    /// own, and all others wait for that: batches of 1 and 15 in turn, for 16 callers. So a batch waits until it is as large as
    /// expected (under the lock: as large as all who asked meanwhile make it), for at most a quarter of the time that the last took; after a
    /// batch of one, not at all.
    async fn gather(&self, queue: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>) {
        self.take_all(queue, waiting);
        let took = self.last.took;
        let longest = if self.memory.has_company {
            LONGEST_WAIT_IN_COMPANY.min(took / 4)
        } else {
            LONGEST_WAIT.min(took / 4)
        };
        let until = Instant::now() + longest;
        while waiting.len() < self.last.expected {
            let room = self.last.expected - waiting.len();
            match timeout_at(until, queue.recv_many(waiting, room)).await {
                Ok(received) if received > 0 => {}
                _ => break,
            }
        }
    }

    /// Takes what is there, without waiting for more.
    fn take_all(&self, queue: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>) {
        while waiting.len() < self.context.limits.batch
            && let Ok(command) = queue.try_recv()
        {
            waiting.push(command);
        }
    }

    /// Decides a batch at the known head and sends it on its way, with its slot.
    async fn send_off(
        &mut self,
        mut commands: Vec<Command>,
        slot: &mut Slot,
    ) -> Result<(), Unrecorded> {
        // Who was answered 503 meanwhile must not take a place of which nobody would know.
        commands.retain(|command| !command.is_abandoned());
        if commands.is_empty() {
            return Ok(());
        }
        let Some(head) = self.memory.known_head() else {
            return Err(commands.into());
        };
        let purpose = Purpose::LookUp;
        let looking = look_up_ahead(&self.context, purpose, &commands, &self.memory, &head);
        let looked_up = match looking.await {
            Ok((connection, looked_up)) => {
                self.context.connections.keep(connection);
                looked_up
            }
            Err(error) => {
                // Nothing was begun on a broken connection: the next is tried.
                let error = Some(error).filter(|error| !error.is_broken_connection());
                return Err(Unrecorded { commands, error });
            }
        };
        // A connection may have been long in coming.
        commands.retain(|command| !command.is_abandoned());
        if commands.is_empty() {
            return Ok(());
        }
        let org = &self.context.org;
        let decided = decide_at_known_head(org, &commands, looked_up, &mut self.memory);
        let Some(batch) = decided else {
            return Err(commands.into());
        };
        let (so_many, effects) = (commands.len(), Arc::clone(&batch.effects));
        let context = Arc::clone(&self.context);
        let under_way = UnderWay::new(context, batch, commands, std::mem::take(slot));
        let (committed, next_turn) = oneshot::channel();
        let turn = self.newest_turn.replace(next_turn);
        let task = tokio::spawn(under_way.record(turn, committed));
        self.under_way.push_back(Task {
            commands: so_many,
            effects,
            task,
        });
        Ok(())
    }

    async fn land_oldest(&mut self) -> Reach {
        match self.under_way.front_mut() {
            Some(oldest) => {
                let landed = (&mut oldest.task).await;
                self.landed(landed).await
            }
            None => Reach::There,
        }
    }

    /// The oldest batch under way has been recorded, or not: then those after it follow a head that never was, and all of them are
    /// decided again.
    async fn landed(&mut self, landed: Result<Result<Duration, Unrecorded>, JoinError>) -> Reach {
        let Some(Task { effects, .. }) = self.under_way.pop_front() else {
            return Reach::There;
        };
        let mut unrecorded = Vec::new();
        let mut known = None;
        match landed {
            Ok(Ok(took)) => {
                self.last.took = took;
                return Reach::There;
            }
            Ok(Err(failed)) => {
                // Nothing is wrong but that the head was elsewhere: how far off tells what has changed.
                known = (failed.error.is_none()).then(|| (effects.follows.clone(), Instant::now()));
                unrecorded.push(failed);
            }
            // Whoever waited has been told by the loss of their replies.
            Err(error) => tracing::error!(org = %self.context.org, %error, "a batch was lost"),
        }
        let mut unrecorded_effects = vec![effects];
        while let Some(Task { task, effects, .. }) = self.under_way.pop_front() {
            if let Ok(Err(after)) = task.await {
                unrecorded.push(after);
            }
            unrecorded_effects.push(effects);
        }
        self.newest_turn = None;
        self.memory.step_back(known, &unrecorded_effects);
        let mut reach = Reach::There;
        for batch in unrecorded {
            reach = self.record_under_lock(batch).await;
        }
        reach
    }

    async fn record_under_lock(&mut self, unrecorded: Unrecorded) -> Reach {
        under_lock::record_and_answer(&self.context, &mut self.memory, unrecorded).await
    }

    /// Those who came meanwhile need not wait as long again to hear that the database is away.
    fn turn_away(&self, queue: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>) {
        while let Ok(command) = queue.try_recv() {
            waiting.push(command);
        }
        refuse(std::mem::take(waiting), &DecideError::Unavailable);
        self.tell_depth(queue);
    }

    fn tell_depth(&self, queue: &mpsc::Receiver<Command>) {
        let Context { org, metrics, .. } = &*self.context;
        metrics.queue_depth(org, queue.len());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::future::pending;

    use chrono::DateTime;
    use sqlx::postgres::{PgConnectOptions, PgPool};

    use super::*;
    use crate::decider::command::Limits;
    use crate::decider::connections::Connections;
    use crate::decider::slots::Slots;
    use crate::ledger::digest::GENESIS;
    use crate::ledger::head::Head;
    use crate::org::Org;
    use crate::problems::Problems;
    use crate::telemetry::Metrics;

    /// A writer whose database is never asked.
    fn writer() -> Writer {
        let pool = PgPool::connect_lazy_with(PgConnectOptions::new());
        let metrics = Arc::new(Metrics::new());
        Writer::new(Context {
            org: Org::default_org(),
            connections: Connections::new(pool.clone()),
            limits: Limits {
                queue: 1024,
                batch: 256,
                timeout: Duration::from_secs(1),
                rejections_per_second: 1,
                rejections_burst: 1,
            },
            slots: Slots::new(),
            problems: Problems::start(pool, Arc::clone(&metrics)),
            metrics,
        })
    }

    fn under_way(commands: usize) -> Task {
        let follows = Head {
            last_seq: 0,
            last_chain: GENESIS,
            policy_version: 0,
            now: DateTime::UNIX_EPOCH,
        };
        Task {
            commands,
            effects: Arc::new(Effects {
                follows,
                cases: HashMap::new(),
                changes: Vec::new(),
            }),
            task: tokio::spawn(pending()),
        }
    }

    #[tokio::test]
    async fn all_who_ask_do_not_stay_in_one_batch() {
        let mut writer = writer();
        let _own = writer.context.slots.take_free();
        // A lone booking waits for nobody.
        assert_eq!(writer.expect_after(1), 1);
        // Sixteen callers in one batch: the next waits for eight of them, and the one after it for the other eight.
        assert_eq!(writer.expect_after(16), 8);
        writer.under_way.push_back(under_way(8));
        let _second = writer.context.slots.take_free();
        assert_eq!(writer.expect_after(8), 8);
    }

    #[tokio::test]
    async fn beside_other_organizations_a_batch_is_as_large_as_the_last() {
        let writer = writer();
        let _own = writer.context.slots.take_free();
        let _anothers = writer.context.slots.take_free();
        assert_eq!(writer.expect_after(16), 16);
    }
}
