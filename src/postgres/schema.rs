//! The SQL that makes the schema, embedded into the program. A new file is added to its list here; a test compares the lists
//! with the folders.

use sha2::{Digest, Sha256};

/// One embedded file.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlFile {
    /// Path from the repository's root.
    pub(super) path: &'static str,
    /// The text.
    pub(super) text: &'static str,
}

macro_rules! sql_files {
    ($($path:literal),* $(,)?) => {
        &[$(SqlFile { path: $path, text: include_str!(concat!("../../", $path)) }),*]
    };
}

/// Applied once, in this order; never edited.
pub(super) const MIGRATIONS: &[SqlFile] = sql_files![
    "migrations/V1__ledger.sql",
    "migrations/V2__policy.sql",
    "migrations/V3__access.sql",
    "migrations/V4__policy_kinds.sql",
    "migrations/V5__audit.sql",
    "migrations/V6__policy_problems.sql",
    "migrations/V7__decision_counts.sql",
    "migrations/V8__first_hits_in_order.sql",
];

/// Applied again by every migrate, in this order: functions, triggers, roles, views, setup, and by name within.
pub(super) const REAPPLIED: &[SqlFile] = sql_files![
    "sql/functions/00_clock.sql",
    "sql/functions/01_lock_head.sql",
    "sql/functions/02_event_digest.sql",
    "sql/functions/03_event_chain.sql",
    "sql/functions/04_refuse_change.sql",
    "sql/functions/05_head_only_advances.sql",
    "sql/functions/09_policy_checks.sql",
    "sql/functions/10_open_ledger.sql",
    "sql/functions/11_keep_organization.sql",
    "sql/functions/12_gather_changes.sql",
    "sql/functions/12_stage_changes.sql",
    "sql/functions/13_append_changes.sql",
    "sql/functions/20_seq_at.sql",
    "sql/functions/21_policy_event_seqs.sql",
    "sql/functions/21_seqs_at.sql",
    "sql/functions/22_policies_as_of.sql",
    "sql/functions/23_policies_page.sql",
    "sql/triggers/access_notify.sql",
    "sql/triggers/ledger.sql",
    "sql/triggers/policy.sql",
    "sql/roles/app.sql",
    "sql/roles/auditor.sql",
    "sql/roles/functions.sql",
    "sql/roles/policy_admin.sql",
    "sql/views/10_policy_expressions.sql",
    "sql/views/11_policy_problems.sql",
    "sql/views/audit.sql",
    "sql/views/auditor_grants.sql",
    "sql/setup/bookwarden_schema.sql",
    "sql/setup/default_organization.sql",
];

/// Identifies this program's schema: SHA-256 over all files with their paths.
pub(super) fn digest() -> [u8; 32] {
    let mut hash = Sha256::new();
    for file in MIGRATIONS.iter().chain(REAPPLIED) {
        for part in [file.path, file.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The folders that are applied again, in order.
    const FOLDERS: [&str; 5] = [
        "sql/functions",
        "sql/triggers",
        "sql/roles",
        "sql/views",
        "sql/setup",
    ];

    fn listed(files: &[SqlFile]) -> Vec<String> {
        files.iter().map(|file| file.path.to_owned()).collect()
    }

    /// The SQL files of a folder by name; a folder that does not exist has none.
    fn found(folder: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(path).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("a readable folder").file_name())
            .map(|name| name.into_string().expect("a UTF-8 name"))
            .filter(|name| name.ends_with(".sql"))
            .collect();
        names.sort();
        names
            .into_iter()
            .map(|name| format!("{folder}/{name}"))
            .collect()
    }

    #[test]
    fn every_reapplied_file_is_listed_in_order() {
        assert_eq!(listed(REAPPLIED), FOLDERS.map(found).concat());
    }

    #[test]
    fn every_migration_is_listed() {
        let mut listed = listed(MIGRATIONS);
        listed.sort();
        assert_eq!(listed, found("migrations"));
    }
}
