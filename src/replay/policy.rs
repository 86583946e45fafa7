//! Policy changes: what each says fits what the ones before it made, and is folded in.

use serde::Deserialize;
use uuid::Uuid;

use super::columns::{self, PolicyColumns};
use super::report::What;
use super::row::Row;
use super::view::{Attachment, Event};
use super::walk::Walk;
use crate::ledger::digest::payload_digest;
use crate::ledger::event::Columns;
use crate::policy::change::{PolicyChange, changes};
use crate::policy::kind::Kind;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyPayload<'a> {
    version: u32,
    kind: &'a str,
    id: Option<i64>,
    id_from: Option<i64>,
    id_to: Option<i64>,
    rows: Option<usize>,
    attachment: Option<Uuid>,
    attachment_digest: Option<&'a str>,
}

/// A row that cannot be read; it was told.
struct Unreadable;

impl Walk {
    /// `policy.created`, `policy.updated`, `policy.deleted`
    pub(super) fn policy_changed(&mut self, event: &Event<'_>, payload: &str) {
        self.summary.policy_changes += 1;
        let read: PolicyPayload<'_> = match serde_json::from_str(payload) {
            Ok(read) => read,
            Err(error) => return self.policy_unread(event, "a payload", error),
        };
        if read.version != 1 {
            return self.policy_unread(
                event,
                "payload version 1",
                format!("version {}", read.version),
            );
        }
        let Some(kind) = Kind::of_table(read.kind) else {
            return self.policy_unread(event, "a policy table that this version knows", read.kind);
        };
        self.compare_policy_columns(event, &read);
        if event.caused_by.is_some() || event.body.is_some() {
            self.tell(
                event.seq,
                What::Payload,
                "no cause and no body",
                "a cause or a body",
            );
        }
        let attachment = event.attachment;
        if read.attachment.is_some() {
            self.check_attachment(event, &read, attachment);
        }
        let attached = attachment.and_then(|attachment| attachment.payload);
        match changes(kind, payload, attached) {
            Ok(changes) => self.check_changes(event, &read, &changes),
            Err(error) => self.tell(event.seq, What::Unreadable, "policy rows", error),
        }
        self.state.policies.version = event.seq;
    }

    /// Folds a policy event in, unchecked: the rows of it that are not to be left out.
    pub(super) fn fold_policy(&mut self, event: &Event<'_>, is_folded: impl Fn(Kind, i64) -> bool) {
        let kind = event.policy_kind.and_then(Kind::of_table);
        if let (Some(kind), Some(payload)) = (kind, event.payload) {
            let attached = event
                .attachment
                .as_ref()
                .and_then(|attachment| attachment.payload);
            for change in changes(kind, payload, attached).unwrap_or_default() {
                if is_folded(kind, change.id) {
                    let _ = self.state.apply(&change);
                }
            }
        }
        self.state.policies.version = event.seq;
    }

    fn policy_unread(&mut self, event: &Event<'_>, expected: &str, found: impl ToString) {
        self.tell(event.seq, What::Unreadable, expected, found);
        self.state.policies.version = event.seq;
    }

    fn compare_policy_columns(&mut self, event: &Event<'_>, read: &PolicyPayload<'_>) {
        let expected = PolicyColumns {
            policy_kind: Some(read.kind),
            policy_id_from: read.id.or(read.id_from),
            policy_id_to: read.id.or(read.id_to),
            attachment_id: read.attachment,
        };
        let (org, seq) = (&self.org, event.seq);
        columns::compare(
            event,
            &Columns::default(),
            &expected,
            |what, expected, found| {
                self.mismatches.push(org, seq, what, expected, found);
            },
        );
    }

    fn check_attachment(
        &mut self,
        event: &Event<'_>,
        read: &PolicyPayload<'_>,
        attachment: Option<Attachment<'_>>,
    ) {
        let Some(attachment) = attachment else {
            return self.tell(event.seq, What::Attachment, "an attachment", "none");
        };
        if attachment.org != self.org {
            self.tell(
                event.seq,
                What::Attachment,
                format!("of {}", self.org),
                format!("of {}", attachment.org),
            );
        }
        let stored = hex::encode(attachment.payload_digest);
        if read.attachment_digest != Some(&stored) {
            self.tell(
                event.seq,
                What::Attachment,
                read.attachment_digest.unwrap_or("a digest"),
                &stored,
            );
        }
        match (&attachment.salt, &attachment.payload) {
            (Some(salt), Some(payload)) => {
                let computed = hex::encode(payload_digest(salt, payload, None));
                if computed != stored {
                    self.tell(
                        event.seq,
                        What::Attachment,
                        format!("rows with digest {computed}"),
                        stored,
                    );
                }
            }
            (None, None) => {}
            _ => self.tell(
                event.seq,
                What::Erasure,
                "rows and salt, or none of them",
                "only one of them",
            ),
        }
    }

    fn check_changes(
        &mut self,
        event: &Event<'_>,
        read: &PolicyPayload<'_>,
        changes: &[PolicyChange<'_>],
    ) {
        if read.attachment.is_some() {
            let ids = || changes.iter().map(|change| change.id);
            let found = (changes.len(), ids().min(), ids().max());
            if (read.rows.unwrap_or_default(), read.id_from, read.id_to) != found {
                let shown = |(rows, from, to): (usize, Option<i64>, Option<i64>)| {
                    format!(
                        "{rows} rows, ids {} to {}",
                        from.unwrap_or_default(),
                        to.unwrap_or_default()
                    )
                };
                let expected = (read.rows.unwrap_or_default(), read.id_from, read.id_to);
                self.tell(event.seq, What::Attachment, shown(expected), shown(found));
            }
        }
        for change in changes {
            self.check_change(event, change);
        }
    }

    fn check_change(&mut self, event: &Event<'_>, change: &PolicyChange<'_>) {
        let event_type = match (change.old, change.new) {
            (None, _) => "policy.created",
            (Some(_), Some(_)) => "policy.updated",
            (Some(_), None) => "policy.deleted",
        };
        if event_type != event.event_type {
            self.tell(event.seq, What::Type, event_type, event.event_type);
        }
        let rows = [(What::OldRow, change.old), (What::NewRow, change.new)];
        let [old, new] = rows.map(|(what, row)| self.read_row(event.seq, change.id, what, row));
        let (Ok(old), Ok(new)) = (old, new) else {
            return;
        };
        if let Some(contradiction) = self.state.apply_rows(change.kind, change.id, old, new) {
            self.tell(
                event.seq,
                What::OldRow,
                contradiction.expected,
                contradiction.found,
            );
        }
    }

    fn read_row<'a>(
        &mut self,
        seq: i64,
        id: i64,
        what: What,
        row: Option<&'a str>,
    ) -> Result<Option<Row<'a>>, Unreadable> {
        let Some(text) = row else {
            return Ok(None);
        };
        match Row::read(text) {
            Ok(row) => {
                if !row.is(id, &self.org) {
                    self.tell(seq, what, format!("the row {id} of {}", self.org), text);
                }
                Ok(Some(row))
            }
            Err(error) => {
                self.tell(seq, What::Unreadable, "a policy row", error);
                Err(Unreadable)
            }
        }
    }
}
