//! The blocklist's rows by the keys under which a booking looks for them: what the live service asks an index for.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::customer_blocklist::{BlockedCustomer, BlocklistKey};
use crate::policy::hash::FastMap;
use crate::policy::row::Policy;

/// Ids by key. The rows themselves stay texts: of a million, few are ever looked at.
#[derive(Debug, Default)]
pub(super) struct Blocklist(FastMap<BlocklistKey, Vec<i64>>);

fn key_of(row: &str) -> Option<BlocklistKey> {
    BlocklistKey::of_row(&serde_json::from_str::<BlockedCustomer>(row).ok()?)
}

impl Blocklist {
    pub(super) fn insert(&mut self, id: i64, row: &str) {
        if let Some(key) = key_of(row) {
            self.0.entry(key).or_default().push(id);
        }
    }

    pub(super) fn remove(&mut self, id: i64, row: &str) {
        let Some(key) = key_of(row) else {
            return;
        };
        if let Some(ids) = self.0.get_mut(&key) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    /// The rows under any of these keys, by id. One that cannot be read is left out, as it is live.
    pub(super) fn under<'a>(
        &self,
        keys: &[BlocklistKey],
        row: impl Fn(i64) -> Option<&'a str>,
    ) -> Vec<Arc<Policy<BlockedCustomer>>> {
        let ids: BTreeSet<i64> = keys
            .iter()
            .filter_map(|key| self.0.get(key))
            .flatten()
            .copied()
            .collect();
        ids.into_iter()
            .filter_map(|id| Policy::from_row(row(id)?).ok())
            .map(Arc::new)
            .collect()
    }
}
