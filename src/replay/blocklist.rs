//! The blocklist's rows by the keys under which a booking looks for them: what the live service asks an index for.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use uuid::Uuid;

use crate::policy::customer_blocklist::{BlockedCustomer, BlocklistKey};
use crate::policy::hash::FastMap;
use crate::policy::row::Policy;

/// Ids by key. The rows themselves stay texts: of a million, few are ever looked at.
#[derive(Debug, Default)]
pub(super) struct Blocklist {
    ids: FastMap<BlocklistKey, Vec<i64>>,
    // How many keys there are for each case field.
    fields: FastMap<Uuid, usize>,
}

fn key_of(row: &str) -> Option<BlocklistKey> {
    BlocklistKey::of_row(&serde_json::from_str::<BlockedCustomer>(row).ok()?)
}

fn field_of(key: &BlocklistKey) -> Option<Uuid> {
    match key {
        BlocklistKey::Customer(_) => None,
        BlocklistKey::Field(field_type_id, _) => Some(*field_type_id),
    }
}

impl Blocklist {
    pub(super) fn insert(&mut self, id: i64, row: &str) {
        if let Some(key) = key_of(row) {
            let field = field_of(&key);
            let ids = self.ids.entry(key).or_default();
            if let Some(field) = field.filter(|_| ids.is_empty()) {
                *self.fields.entry(field).or_default() += 1;
            }
            ids.push(id);
        }
    }

    pub(super) fn remove(&mut self, id: i64, row: &str) {
        let Some(key) = key_of(row) else {
            return;
        };
        let Some(ids) = self.ids.get_mut(&key) else {
            return;
        };
        ids.retain(|other| *other != id);
        if !ids.is_empty() {
            return;
        }
        self.ids.remove(&key);
        if let Some(Entry::Occupied(mut keys)) = field_of(&key).map(|id| self.fields.entry(id)) {
            *keys.get_mut() -= 1;
            if *keys.get() == 0 {
                keys.remove();
            }
        }
    }

    /// Whether any row is about this case field.
    pub(super) fn looks_at(&self, field_type_id: Uuid) -> bool {
        self.fields.contains_key(&field_type_id)
    }

    /// The rows under any of these keys, by id. One that cannot be read is left out, as it is live.
    pub(super) fn under<'a>(
        &self,
        keys: &[BlocklistKey],
        row: impl Fn(i64) -> Option<&'a str>,
    ) -> Vec<Arc<Policy<BlockedCustomer>>> {
        let ids: BTreeSet<i64> = keys
            .iter()
            .filter_map(|key| self.ids.get(key))
            .flatten()
            .copied()
            .collect();
        ids.into_iter()
            .filter_map(|id| Policy::from_row(row(id)?).ok())
            .map(Arc::new)
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_looked_at_as_long_as_any_row_is_about_it() {
        let field = Uuid::from_u128(1);
        let row = |value: &str| {
            serde_json::json!({ "field_type_id": field, "field_value": value }).to_string()
        };
        let [same, other] = ["a@example.com", "b@example.com"].map(row);
        let mut blocklist = Blocklist::default();
        for (id, row) in [(1, &same), (2, &same), (3, &other)] {
            blocklist.insert(id, row);
        }
        for (id, row) in [(1, &same), (2, &same), (3, &other)] {
            assert!(blocklist.looks_at(field), "before {id} goes");
            blocklist.remove(id, row);
        }
        assert!(!blocklist.looks_at(field));
        assert!(!blocklist.looks_at(Uuid::from_u128(2)));
    }
}
