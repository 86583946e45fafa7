//! How many batches are under way in this process, of all organizations: they share its cores, and those of a database beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Cheap to clone: one count.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    batches: Arc<AtomicUsize>,
    cores: usize,
}

/// A batch under way; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Crowd {
    pub(super) fn new() -> Self {
        Self {
            batches: Arc::default(),
            cores: thread::available_parallelism().map_or(1, Into::into),
        }
    }

    pub(super) fn count(&self) -> Counted {
        self.batches.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.batches))
    }

    /// Whether others than these of one's own would keep all cores busy.
    pub(super) fn is_there(&self, own: usize) -> bool {
        let all = self.batches.load(Ordering::Relaxed);
        all.saturating_sub(own) >= self.cores
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_as_many_others_as_there_are_cores() {
        let crowd = Crowd::new();
        let own = crowd.count();
        let mut others: Vec<_> = (1..crowd.cores).map(|_| crowd.count()).collect();
        assert!(!crowd.is_there(1));
        others.push(crowd.count());
        assert!(crowd.is_there(1));
        drop(own);
        assert!(crowd.is_there(0));
        others.pop();
        assert!(!crowd.is_there(0));
    }
}
