//! Maps by ids, which are looked up at every decision: hashed by something quicker than the standard library's hash, and seeded anew in
//! every process, so that nobody can send ids that all fall together.

/// A hash map. Its order is no part of any decision.
pub type FastMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
