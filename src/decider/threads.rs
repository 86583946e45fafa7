//! Threads of their own for the writers.
//!
//! A writer waits for the database again and again, and a lone booking for it each time. On a runtime of many threads each wait may end on
//! another thread, which has to be woken first; here the thread that sleeps until the database answers is the one that goes on.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

#[derive(Debug)]
pub(super) struct Threads {
    handles: Vec<Handle>,
    next: AtomicUsize,
    // The threads end with it.
    _running: DropGuard,
}

impl Threads {
    /// Half as many as there are cores: the database and those who read requests need the others.
    pub(super) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let stop = CancellationToken::new();
        let start = |number: usize| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            let stopped = stop.clone().cancelled_owned();
            thread::Builder::new()
                .name(format!("decider-{number}"))
                .spawn(move || runtime.block_on(stopped))?;
            Ok(handle)
        };
        Ok(Self {
            handles: (0..cores.div_ceil(2))
                .map(start)
                .collect::<io::Result<_>>()?,
            next: AtomicUsize::new(0),
            _running: stop.drop_guard(),
        })
    }

    /// Runs a writer on the thread whose turn it is.
    pub(super) fn spawn(
        &self,
        writer: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        // There is at least one core, and so at least one thread.
        self.handles[turn % self.handles.len()].spawn(writer)
    }
}
