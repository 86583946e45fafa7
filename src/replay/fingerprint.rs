//! Sets that are too large to keep, compared by a count and a sum of hashes.

use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::LazyLock;

/// Drawn anew in each process: who writes a table cannot prepare another set with the same sum.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A set of decisions, whose fingerprint is in practice that of no other. Of one process only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    count: u64,
    sum: u64,
}

impl Fingerprint {
    pub(super) fn add(&mut self, decision: impl Hash) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(KEY.hash_one(decision));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, sum } = self;
        write!(f, "{count} decisions, which hash to {sum:016x} in this run")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(decisions: &[(&str, i64)]) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        for decision in decisions {
            fingerprint.add(decision);
        }
        fingerprint
    }

    #[test]
    fn it_tells_sets_apart_and_knows_no_order() {
        assert_eq!(of(&[("a", 1), ("b", 2)]), of(&[("b", 2), ("a", 1)]));
        assert_ne!(of(&[("a", 1), ("b", 2)]), of(&[("a", 2), ("b", 1)]));
        assert_ne!(of(&[("a", 1)]), of(&[("a", 1), ("a", 1)]));
        assert!(of(&[]).is_empty() && !of(&[("a", 0)]).is_empty());
    }
}
