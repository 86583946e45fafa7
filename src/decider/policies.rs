//! The policies in force, kept in memory and caught up from the ledger (promise 2).
//!
//! Twice when there is something new: first up to what the head said, without its lock, because a hundred thousand changed caps take
//! a while to read and other processes must not wait for it; then, under the lock, what little came in between.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ledger::digest::{Digest, GENESIS};
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::change::{PolicyChange, changes};
use crate::policy::kind::Kind;
use crate::policy::set::PolicySet;

/// An organization's policies as of its ledger's head.
#[derive(Debug, Default)]
pub(super) struct Policies {
    pub(super) set: PolicySet,
    loaded: bool,
    // The case fields that any blocklist row looks at: others need no look-up.
    blocked_fields: HashSet<Uuid>,
    // An event, not before the newest policy event, that was the ledger's last when these were its policies; with its chain value.
    as_of: (i64, Digest),
}

impl Policies {
    /// Whether these are the policies as of this head.
    pub(super) fn are_at(&self, head: &Head) -> bool {
        self.loaded && self.set.version == head.policy_version
    }

    /// Brings the policies up to a head, locked or not. Answers how many policy events were new. Unless it is known that this is still the
    /// ledger that they are of (the database may have been restored, or failed over), that is looked at.
    pub(super) async fn catch_up(
        &mut self,
        connection: &mut PgConnection,
        org: &Org,
        head: &Head,
        is_same_ledger: bool,
    ) -> Result<i64, sqlx::Error> {
        if self.loaded && !is_same_ledger && !self.are_of_this_ledger(connection, org).await? {
            *self = Self::default();
        }
        if self.are_at(head) {
            return Ok(0);
        }
        let mut new_events = 0;
        let mut blocklist_changed = false;
        if self.loaded {
            let mut events = sqlx::query_as::<_, (i64, String, Option<String>, Option<String>)>(
                include_str!("../../sql/queries/read_policy_changes.sql"),
            )
            .bind(org.as_str())
            .bind(self.set.version)
            .bind(head.policy_version)
            .fetch(&mut *connection);
            // A half-applied change would be a policy state that never was: until the end is reached, the set is not loaded.
            self.loaded = false;
            while let Some((seq, kind, payload, attachment)) = events.try_next().await? {
                new_events += 1;
                match payload {
                    Some(payload) => apply_event(
                        &mut self.set,
                        org,
                        seq,
                        &kind,
                        &payload,
                        attachment.as_deref(),
                    ),
                    None => blocklist_changed = true,
                }
            }
            self.set.version = head.policy_version;
            self.as_of = (head.last_seq, head.last_chain);
        } else {
            (self.set, self.as_of) = load(connection, org).await?;
            blocklist_changed = true;
        }
        // Without the lock these are the fields of now, which may be later: then that change is new next time, and they are read again.
        if blocklist_changed {
            self.blocked_fields =
                sqlx::query_scalar(include_str!("../../sql/queries/list_blocked_fields.sql"))
                    .bind(org.as_str())
                    .fetch_all(connection)
                    .await?
                    .into_iter()
                    .collect();
        }
        self.loaded = true;
        Ok(new_events)
    }

    async fn are_of_this_ledger(
        &self,
        connection: &mut PgConnection,
        org: &Org,
    ) -> Result<bool, sqlx::Error> {
        let (seq, chain) = &self.as_of;
        // Before the first event every ledger is the same.
        if *seq == 0 {
            return Ok(true);
        }
        sqlx::query_scalar(include_str!("../../sql/queries/is_event_of_ledger.sql"))
            .bind(org.as_str())
            .bind(seq)
            .bind(chain.as_slice())
            .fetch_one(connection)
            .await
    }

    /// Whether any row of the blocklist is about this case field.
    pub(super) fn is_field_blocked(&self, field_type_id: Uuid) -> bool {
        self.blocked_fields.contains(&field_type_id)
    }
}

async fn load(
    connection: &mut PgConnection,
    org: &Org,
) -> Result<(PolicySet, (i64, Digest)), sqlx::Error> {
    let mut set = PolicySet::default();
    let mut as_of = (0, GENESIS);
    let mut rows = sqlx::query_as::<_, (i64, i64, Vec<u8>, String, i64, String)>(include_str!(
        "../../sql/queries/read_policies.sql"
    ))
    .bind(org.as_str())
    .fetch(connection);
    while let Some((version, last_seq, last_chain, table, id, row)) = rows.try_next().await? {
        set.version = version;
        let chain = Digest::try_from(last_chain.as_slice());
        as_of = (
            last_seq,
            chain.map_err(|error| sqlx::Error::Decode(error.into()))?,
        );
        let Some(kind) = Kind::of_table(&table) else {
            continue;
        };
        let change = PolicyChange {
            kind,
            id,
            old: None,
            new: Some(&row),
        };
        if let Err(error) = set.apply(&change) {
            tracing::error!(%org, id, %error, "a policy is left out");
        }
    }
    Ok((set, as_of))
}

/// One bad policy must not stop the others: what cannot be read is left out and said in the log.
fn apply_event(
    set: &mut PolicySet,
    org: &Org,
    seq: i64,
    table: &str,
    payload: &str,
    attachment: Option<&str>,
) {
    let Some(kind) = Kind::of_table(table) else {
        tracing::error!(%org, seq, table, "a policy event of an unknown kind is left out");
        return;
    };
    match changes(kind, payload, attachment) {
        Ok(changes) => {
            for change in changes {
                if let Err(error) = set.apply(&change) {
                    tracing::error!(%org, seq, id = change.id, %error, "a policy is left out");
                }
            }
        }
        Err(error) => tracing::error!(%org, seq, %error, "a policy event is left out"),
    }
}
