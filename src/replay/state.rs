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
    /// The same request was approved since. It stands no more; earlier versions of the service let it, once that place was given back.
    pub(super) is_superseded: bool,
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
        let refusal = self.refusal_within_window(case_id, request_digest, now)?;
        (!refusal.is_superseded).then_some(refusal.decision_seq)
    }

    /// The refusal whose answer an earlier version of the service gave where none stands.
    pub(super) fn superseded(
        &self,
        case_id: Uuid,
        request_digest: &Digest,
        now: DateTime<Utc>,
    ) -> Option<i64> {
        let refusal = self.refusal_within_window(case_id, request_digest, now)?;
        refusal.is_superseded.then_some(refusal.decision_seq)
    }

    fn refusal_within_window(
        &self,
        case_id: Uuid,
        request_digest: &Digest,
        now: DateTime<Utc>,
    ) -> Option<&Refusal> {
        let window = TimeDelta::seconds(self.policies.organization.retry_window_seconds.into());
        let refusal = self.refusals.get(request_digest)?;
        (refusal.case_id == case_id && refusal.decided_at > now - window).then_some(refusal)
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

    /// A case takes a place.
    pub(super) fn approve(&mut self, case_id: Uuid, held: Held) {
        if let Some(refusal) = self.refusals.get_mut(&held.request_digest) {
            refusal.is_superseded = true;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cubu::request;
    use crate::policy::place::Place;

    const SAMPLE: &str = include_str!("../../tests/samples/before-book-appointment.json");

    /// The service gave an older refusal's answer again, once the place of a later approval was given back.
    #[test]
    fn a_superseded_refusal_stands_for_earlier_versions_only() {
        let asked = request::parse(SAMPLE).unwrap();
        let (case_id, digest) = (asked.case_id, [7; 32]);
        let mut state = State::default();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let answers = |state: &State| {
            let standing = state.standing(case_id, &digest, now);
            (standing, state.superseded(case_id, &digest, now))
        };
        let refusal = Refusal {
            case_id,
            decision_seq: 5,
            decided_at: now,
            is_superseded: false,
        };
        state.refuse(digest, refusal);
        assert_eq!(answers(&state), (Some(5), None));
        let held = Held {
            decision_seq: 9,
            request_digest: digest,
            place: Place::of(&asked),
        };
        state.approve(case_id, held);
        assert_eq!(answers(&state), (Some(9), Some(5)));
        state.places.free(case_id);
        assert_eq!(answers(&state), (None, Some(5)));
        // Refused again: that one stands.
        state.refuse(
            digest,
            Refusal {
                decision_seq: 12,
                ..refusal
            },
        );
        assert_eq!(answers(&state), (Some(12), None));
    }
}
