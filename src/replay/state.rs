//! What a ledger's events amount to: the policies in force, the places taken, the answers that stand.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::blocklist::Blocklist;
use super::counts::Counts;
use super::hits::Hits;
use super::places::{Held, Places};
use super::row::Row;
use crate::cubu::request::Booking;
use crate::ledger::digest::Digest;
use crate::policy::change::PolicyChange;
use crate::policy::decide::{Decision, Draft};
use crate::policy::facts::Facts;
use crate::policy::hash::FastMap;
use crate::policy::kind::Kind;
use crate::policy::set::PolicySet;

/// The longest retry window that there can be (policy.organizations): older refusals can never stand again.
const LONGEST_RETRY_WINDOW: TimeDelta = TimeDelta::days(1);

/// A refusal that may still stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) case_id: Uuid,
    pub(super) decision_seq: i64,
    pub(super) decided_at: DateTime<Utc>,
}

impl Refusal {
    fn may_stand(&self, now: DateTime<Utc>) -> bool {
        self.decided_at > now - LONGEST_RETRY_WINDOW
    }
}

/// A fold of one ledger. Nothing in it comes from anywhere else.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) policies: PolicySet,
    pub(super) rows: BTreeMap<Kind, BTreeMap<i64, Box<str>>>,
    blocklist: Blocklist,
    pub(super) places: Places,
    /// If somebody wants to know.
    pub(super) hits: Option<Hits>,
    pub(super) counts: Counts,
    // By digest of the request body, which covers the case.
    refusals: FastMap<Digest, Refusal>,
    swept_refusals: usize,
}

/// How a row change contradicts the rows so far.
#[derive(Debug)]
pub(super) struct Contradiction {
    pub(super) expected: String,
    pub(super) found: String,
}

impl State {
    /// Folds one row change in. It is folded in even if its old row is not the one that was there: live, it was.
    pub(super) fn apply(
        &mut self,
        change: &PolicyChange<'_>,
    ) -> Result<Option<Contradiction>, serde_json::Error> {
        let old = change.old.map(Row::read).transpose()?;
        let new = change.new.map(Row::read).transpose()?;
        Ok(self.apply_rows(change.kind, change.id, old, new))
    }

    /// The same, of rows that were read.
    pub(super) fn apply_rows(
        &mut self,
        kind: Kind,
        id: i64,
        old: Option<Row<'_>>,
        new: Option<Row<'_>>,
    ) -> Option<Contradiction> {
        let (old, new) = (old.map(|row| row.text), new.map(|row| row.text));
        let rows = self.rows.entry(kind).or_default();
        let known = rows.remove(&id);
        let contradiction = (known.as_deref() != old.as_deref()).then(|| Contradiction {
            expected: known.as_deref().unwrap_or("no row").to_owned(),
            found: old.as_deref().unwrap_or("no row").to_owned(),
        });
        if kind == Kind::CustomerBlocklist {
            if let Some(known) = &known {
                self.blocklist.remove(id, known);
            }
            if let Some(new) = &new {
                self.blocklist.insert(id, new);
            }
        }
        // A row says the same without its nulls, and is shorter to read. One that the core cannot read is left out, here as live.
        let _ = self.policies.apply(&PolicyChange {
            kind,
            id,
            old: old.as_deref(),
            new: new.as_deref(),
        });
        if let Some(new) = new {
            rows.insert(id, new.into());
        }
        contradiction
    }

    /// The decision whose answer a request gets if it comes now, if any (promise 4).
    pub(super) fn standing(
        &self,
        case_id: Uuid,
        request_digest: &Digest,
        now: DateTime<Utc>,
    ) -> Option<i64> {
        let held = self
            .places
            .held(case_id)
            .filter(|held| held.request_digest == *request_digest);
        if let Some(held) = held {
            return Some(held.decision_seq);
        }
        let window = TimeDelta::seconds(self.policies.organization.retry_window_seconds.into());
        let refusal = self.refusals.get(request_digest)?;
        (refusal.case_id == case_id && refusal.decided_at > now - window)
            .then_some(refusal.decision_seq)
    }

    /// Derives a decision again, with the core that made it.
    pub(super) fn decide(&mut self, booking: &Booking, now: DateTime<Utc>) -> Decision {
        let draft = Draft::new(booking, &self.policies, now);
        let needs = draft.needs(|field_type_id| self.blocklist.looks_at(field_type_id));
        let counts = draft.buckets().map(|bucket| self.places.count(bucket));
        let counts = counts.collect();
        let rows = self.rows.get(&Kind::CustomerBlocklist);
        let row = |id| rows?.get(&id).map(AsRef::as_ref);
        let span = needs.customer_span;
        let facts = Facts {
            blocked: self.blocklist.under(&needs.blocklist_keys, row),
            counts,
            customer_places: span.map_or_else(Vec::new, |span| self.places.of_customer(span)),
            own_place: self.places.held(booking.case_id).map(|held| &held.place),
        };
        draft.decide(&facts)
    }

    /// A case takes a place. An older refusal of the same request stands no more.
    pub(super) fn approve(&mut self, case_id: Uuid, held: Held) {
        self.refusals.remove(&held.request_digest);
        self.places.take(case_id, held);
    }

    /// Notes a refusal, and forgets those that can never stand again: seldom, so that it costs each a constant.
    pub(super) fn refuse(&mut self, request_digest: Digest, refusal: Refusal) {
        let now = refusal.decided_at;
        self.refusals.insert(request_digest, refusal);
        if self.refusals.len() > 2 * self.swept_refusals.max(1_000) {
            self.refusals.retain(|_, refusal| refusal.may_stand(now));
            self.swept_refusals = self.refusals.len();
        }
    }

    pub(super) fn refusals_that_may_stand(
        &self,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = (&Digest, &Refusal)> {
        self.refusals
            .iter()
            .filter(move |(_, refusal)| refusal.may_stand(now))
    }
}
