//! How many batches are at the database at once, of all organizations of this process: as many as keep the cores busy, and one that waits
//! for the disk. With more, as many processes of Postgres take turns, none with its plans in the processor's caches, and batches stay
//! small; who waits for a slot goes on gathering.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The longest that a batch waits for a slot: those who have one may themselves wait for an administrator's lock.
const PATIENCE: Duration = Duration::from_millis(50);

/// All slots: cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    // Known from the start: Linux is asked how many cores there are by reading files.
    all: usize,
}

/// A slot until it is dropped. None: whoever waited for too long goes without.
#[derive(Debug, Default)]
pub(super) struct Slot {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Slots {
    pub(super) fn new() -> Self {
        let all = thread::available_parallelism().map_or(1, Into::into) + 1;
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    pub(super) fn take_free(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Slot {
            _permit: Some(permit),
        })
    }

    /// In the order of those who wait.
    pub(super) async fn wait(&self) -> Slot {
        let permit = timeout(PATIENCE, Arc::clone(&self.free).acquire_owned()).await;
        Slot {
            // There is always a semaphore: nobody closes it.
            _permit: permit.ok().and_then(Result::ok),
        }
    }

    pub(super) fn is_one_free(&self) -> bool {
        self.free.available_permits() > 0
    }

    /// Whether any is taken beside so many of one's own.
    pub(super) fn are_taken_by_others(&self, own: usize) -> bool {
        self.free.available_permits() + own < self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_gets_the_next_slot_or_goes_without() {
        let slots = Slots::new();
        let mut taken: Vec<Slot> = std::iter::from_fn(|| slots.take_free()).collect();
        assert!(!taken.is_empty() && !slots.is_one_free());
        assert!(slots.are_taken_by_others(1) && !slots.are_taken_by_others(taken.len()));
        assert!(slots.wait().await._permit.is_none());
        let waiting = slots.wait();
        let (slot, _) = tokio::join!(waiting, async { drop(taken.pop()) });
        assert!(slot._permit.is_some());
        assert!(!slots.is_one_free());
        drop(slot);
        assert!(slots.is_one_free());
    }
}
