//! Round trips to the database that batches of several organizations share.
//!
//! A batch costs the database as much as some three bookings in it, and an organization with few callers never has a large one. So whoever
//! comes while the database is busy goes with all others who came meanwhile, in one statement. Who finds it idle goes at once and alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The longest that somebody waits for company: who is under way may wait for a disk, or a look-up that takes long.
const PATIENCE: Duration = Duration::from_millis(50);

/// The most organizations that go together: all of them wait for the slowest.
const MOST_TOGETHER: usize = 32;

/// What one batch wants done, and who waits for it.
type Passenger<Job, Done> = (Job, oneshot::Sender<Done>);

/// All round trips of one kind: cheap to clone.
#[derive(Debug)]
pub(super) struct RoundTrips<Job, Done>(Arc<Mutex<Station<Job, Done>>>);

impl<Job, Done> Clone for RoundTrips<Job, Done> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Station<Job, Done> {
    // How many more may be under way at once.
    free: usize,
    waiting: VecDeque<oneshot::Sender<Seat<Job, Done>>>,
}

/// A place on a round trip; given up when dropped.
#[derive(Debug)]
pub(super) enum Seat<Job, Done> {
    /// Whoever got the first one sees to the others.
    First {
        passengers: mpsc::UnboundedReceiver<Passenger<Job, Done>>,
        underway: Underway<Job, Done>,
        number: usize,
    },
    /// Goes with the first.
    Other(mpsc::UnboundedSender<Passenger<Job, Done>>),
}

/// A round trip under way; when dropped, those who wait are the next.
#[derive(Debug)]
pub(super) struct Underway<Job, Done> {
    trips: RoundTrips<Job, Done>,
    is_counted: bool,
}

impl<Job, Done> RoundTrips<Job, Done> {
    /// As many at once as there are writers' threads: the database and those who read requests need the other cores.
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        Self(Arc::new(Mutex::new(Station {
            free: cores.div_ceil(2),
            waiting: VecDeque::new(),
        })))
    }

    /// Whether somebody would go at once.
    pub(super) fn is_one_free(&self) -> bool {
        self.station().free > 0
    }

    /// A place on the next one, and whether it had to be waited for. Who finds the station free waits for company that long.
    pub(super) async fn seat(&self, company: impl Future<Output = ()>) -> (Seat<Job, Done>, bool) {
        let called = {
            let mut station = self.station();
            if station.free > 0 {
                station.free -= 1;
                None
            } else {
                let (call, called) = oneshot::channel();
                station.waiting.push_back(call);
                Some(called)
            }
        };
        let Some(mut called) = called else {
            let underway = Underway {
                trips: self.clone(),
                is_counted: true,
            };
            company.await;
            return (self.depart(underway), true);
        };
        if let Ok(Ok(seat)) = timeout(PATIENCE, &mut called).await {
            return (seat, true);
        }
        called.close();
        let seat = called.try_recv().unwrap_or_else(|_| self.alone());
        (seat, true)
    }

    fn alone(&self) -> Seat<Job, Done> {
        let underway = Underway {
            trips: self.clone(),
            is_counted: false,
        };
        Seat::First {
            passengers: mpsc::unbounded_channel().1,
            underway,
            number: 1,
        }
    }

    /// All who wait go.
    fn depart(&self, underway: Underway<Job, Done>) -> Seat<Job, Done> {
        let (board, passengers) = mpsc::unbounded_channel();
        let mut number = 1;
        let mut station = self.station();
        while number < MOST_TOGETHER
            && let Some(call) = station.waiting.pop_front()
        {
            if call.send(Seat::Other(board.clone())).is_ok() {
                number += 1;
            }
        }
        Seat::First {
            passengers,
            underway,
            number,
        }
    }

    fn station(&self) -> MutexGuard<'_, Station<Job, Done>> {
        // Nothing is left half-done by a panic under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Job, Done> Seat<Job, Done> {
    /// Whether nobody else goes so far.
    pub(super) fn is_alone(&self) -> bool {
        match self {
            Self::First { number, .. } => *number == 1,
            Self::Other(_) => false,
        }
    }

    /// Has the job done with those of all others, each answered in their order. None: whoever saw to it was lost.
    pub(super) async fn go(
        self,
        job: Option<Job>,
        run: impl AsyncFnOnce(Vec<Job>) -> Vec<Done>,
    ) -> Option<Done> {
        match self {
            Self::Other(board) => {
                let (answer, done) = oneshot::channel();
                if let Some(job) = job {
                    board.send((job, answer)).ok()?;
                }
                drop(board);
                done.await.ok()
            }
            Self::First {
                mut passengers,
                underway,
                ..
            } => {
                let has_job = job.is_some();
                let mut jobs: Vec<Job> = job.into_iter().collect();
                let mut answers = Vec::new();
                while let Some((job, answer)) = passengers.recv().await {
                    jobs.push(job);
                    answers.push(answer);
                }
                if jobs.is_empty() {
                    return None;
                }
                let mut done = run(jobs).await.into_iter();
                let own = if has_job { done.next() } else { None };
                drop(underway);
                for (answer, done) in answers.into_iter().zip(done) {
                    let _ = answer.send(done);
                }
                own
            }
        }
    }
}

impl<Job, Done> Drop for Underway<Job, Done> {
    fn drop(&mut self) {
        if !self.is_counted {
            return;
        }
        let mut station = self.trips.station();
        while let Some(call) = station.waiting.pop_front() {
            if call.is_closed() {
                continue;
            }
            let (board, passengers) = mpsc::unbounded_channel();
            let mut number = 1;
            let mut others = Vec::new();
            while number < MOST_TOGETHER
                && let Some(call) = station.waiting.pop_front()
            {
                if !call.is_closed() {
                    others.push(call);
                    number += 1;
                }
            }
            let underway = Underway {
                trips: self.trips.clone(),
                is_counted: true,
            };
            match call.send(Seat::First {
                passengers,
                underway,
                number,
            }) {
                Ok(()) => {
                    for call in others {
                        let _ = call.send(Seat::Other(board.clone()));
                    }
                    return;
                }
                Err(Seat::First { mut underway, .. }) => {
                    underway.is_counted = false;
                    for call in others.into_iter().rev() {
                        station.waiting.push_front(call);
                    }
                }
                Err(_) => {}
            }
        }
        station.free += 1;
    }
}

#[derive(Debug, Default)]
pub(super) struct Crowd {
    queued: std::sync::atomic::AtomicIsize,
    wanted: std::sync::atomic::AtomicIsize,
    leaving: std::sync::atomic::AtomicIsize,
    took: std::sync::atomic::AtomicU64,
    enough: tokio::sync::Notify,
}
use std::sync::atomic::Ordering::SeqCst;
impl Crowd {
    pub(super) fn came(&self) {
        let queued = self.queued.fetch_add(1, SeqCst) + 1;
        if queued == self.wanted.load(SeqCst) {
            self.enough.notify_waiters();
        }
    }
    pub(super) fn left(&self, number: usize) {
        self.queued.fetch_sub(number as isize, SeqCst);
        self.leaving.fetch_add(number as isize, SeqCst);
    }
    pub(super) fn took(&self, took: Duration) {
        self.took.store(took.as_micros() as u64, SeqCst);
    }
    pub(super) async fn gather(&self) {
        let expected = self.leaving.swap(0, SeqCst);
        let enough = self.enough.notified();
        tokio::pin!(enough);
        enough.as_mut().enable();
        self.wanted.store(expected, SeqCst);
        if self.queued.load(SeqCst) < expected {
            let longest = Duration::from_micros((self.took.load(SeqCst) / 4).min(2_000));
            let _ = timeout(longest, enough).await;
        }
        self.wanted.store(0, SeqCst);
    }
}
