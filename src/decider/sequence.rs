//! Decides the requests of a batch one after another: each sees what the ones before it did. No IO.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::cases::{Case, Held, StandingAnswer};
use super::command::{Answer, FollowUp, Rejection, Submitted};
use super::customer_places::CustomerPlaces;
use super::facts::Blocked;
use super::memory::PlaceChange;
use super::policies::Policies;
use crate::cubu::after::After;
use crate::ledger::append::{PlaceChanges, TakenPlace};
use crate::ledger::booking::{self, DecidedContext, Rejected, Signed, Version};
use crate::ledger::event::{Event, Numbering};
use crate::ledger::head::Head;
use crate::policy::decide::{Decision, Draft};
use crate::policy::facts::{Facts, Needs};
use crate::policy::place::Place;
use crate::policy::set::PolicySet;
use crate::policy::tallies::Tallies;

/// A batch in the making.
#[derive(Debug)]
pub(super) struct Sequence<'a> {
    pub(super) head: &'a Head,
    pub(super) policies: &'a PolicySet,
    pub(super) blocked: &'a Blocked,
    pub(super) cases: HashMap<Uuid, Case>,
    pub(super) customer_places: CustomerPlaces,
    pub(super) tallies: &'a mut Tallies,
    pub(super) numbering: Numbering<'a>,
    taken: BTreeMap<Uuid, TakenPlace>,
    freed: BTreeSet<Uuid>,
    changes: Vec<PlaceChange>,
}

/// What a batch came to.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) events: Vec<Event>,
    pub(super) places: PlaceChanges,
    /// What is known of its cases now.
    pub(super) cases: HashMap<Uuid, Case>,
    /// Places in the order in which they were freed and taken.
    pub(super) changes: Vec<PlaceChange>,
}

/// A booking, and what has to be looked up for it.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) submitted: &'a Submitted,
    pub(super) draft: Draft<'a>,
    pub(super) needs: Needs,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        submitted: &'a Submitted,
        policies: &'a Policies,
        now: DateTime<Utc>,
    ) -> Self {
        let draft = Draft::new(&submitted.booking, &policies.set, now);
        Self {
            submitted,
            needs: draft.needs(|field_type_id| policies.is_field_blocked(field_type_id)),
            draft,
        }
    }
}

/// An answer and what the metrics count of it.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) answer: Answer,
    pub(super) decision: Option<Decision>,
}

impl<'a> Sequence<'a> {
    pub(super) fn new(
        org: &'a str,
        head: &'a Head,
        policies: &'a PolicySet,
        blocked: &'a Blocked,
        cases: HashMap<Uuid, Case>,
        customer_places: CustomerPlaces,
        tallies: &'a mut Tallies,
    ) -> Self {
        Self {
            head,
            policies,
            blocked,
            cases,
            customer_places,
            tallies,
            numbering: Numbering::after(org, head),
            taken: BTreeMap::new(),
            freed: BTreeSet::new(),
            changes: Vec::new(),
        }
    }

    /// Decides one booking, or finds the answer that it got before.
    pub(super) fn decide(&mut self, asked: Asked<'_>) -> Decided {
        let Asked {
            submitted,
            draft,
            needs,
        } = asked;
        if let Some(answer) = self.repeat(submitted) {
            return Decided {
                answer,
                decision: None,
            };
        }
        let facts = self.facts(submitted.booking.case_id, &draft, &needs);
        let decision = draft.decide(&facts);
        let standing = self.record(submitted, &decision);
        let answer = Answer {
            decision_id: standing.decision_seq,
            body: Arc::clone(&standing.body),
            repeated: false,
        };
        self.settle(submitted.booking.case_id, &decision, standing);
        Decided {
            answer,
            decision: Some(decision),
        }
    }

    /// The answer to the same request, if it still stands. That it was asked for again is recorded.
    fn repeat(&mut self, submitted: &Submitted) -> Option<Answer> {
        let case_id = submitted.booking.case_id;
        let window = TimeDelta::seconds(self.retry_window_seconds().into());
        let refusals_stand_after = self.head.now - window;
        let case = self.cases.get(&case_id)?;
        let standing = case.standing_answer(&submitted.digest, refusals_stand_after)?;
        let answer = Answer {
            decision_id: standing.decision_seq,
            body: Arc::clone(&standing.body),
            repeated: true,
        };
        let signed = submitted.signed();
        let content = booking::repeated(case_id, answer.decision_id, &submitted.digest, signed);
        self.numbering.push(content);
        Some(answer)
    }

    fn facts(&self, case_id: Uuid, draft: &Draft<'_>, needs: &Needs) -> Facts<'_> {
        let held = (self.cases.get(&case_id)).and_then(|case| case.held.as_ref());
        Facts {
            blocked: self.blocked.under(&needs.blocklist_keys),
            counts: (draft.buckets())
                .map(|bucket| {
                    let known = self.tallies.get(bucket);
                    debug_assert!(known.is_some(), "what was not known was looked up");
                    known.unwrap_or_default()
                })
                .collect(),
            customer_places: needs.customer_span.map_or_else(Vec::new, |span| {
                self.customer_places.of(span.customer).collect()
            }),
            own_place: held.map(|held| &held.place),
        }
    }

    /// Numbers the request and its decision. Answers what stands from now on.
    fn record(&mut self, submitted: &Submitted, decision: &Decision) -> StandingAnswer {
        let case_id = submitted.booking.case_id;
        let request_seq = self.numbering.push(booking::requested(
            Version::CURRENT,
            case_id,
            &submitted.body,
            submitted.signed(),
        ));
        let body: Arc<str> = decision.response.to_body().into();
        let held = (self.cases.get(&case_id)).and_then(|case| case.held.as_ref());
        let moved_from = held
            .filter(|_| decision.approves())
            .map(|held| held.decision_seq);
        let decision_seq = self.numbering.push(booking::decided(
            Version::CURRENT,
            decision,
            &body,
            DecidedContext {
                request_seq,
                request_digest: submitted.digest,
                policy_version: self.head.policy_version,
                moved_from,
                case_id,
                triggered_by_user_email: submitted.booking.triggered_by_user_email.as_deref(),
            },
        ));
        StandingAnswer {
            request_digest: submitted.digest,
            decision_seq,
            recorded_at: self.head.now,
            body,
        }
    }

    /// What a decision does to its case: an approval takes a place, and frees the one that was held before.
    fn settle(&mut self, case_id: Uuid, decision: &Decision, standing: StandingAnswer) {
        let window = self.retry_window_seconds();
        let case = self.cases.entry(case_id).or_default();
        if decision.approves() {
            let decision_seq = standing.decision_seq;
            let held = Held {
                decision_seq,
                place: decision.place.clone(),
            };
            if let Some(before) = case.approve(held, standing) {
                self.free(case_id, before.place);
                self.freed.insert(case_id);
            }
            self.take(case_id, decision.place.clone());
            let taken = TakenPlace {
                case_id,
                decision_seq,
                place: decision.place.clone(),
            };
            self.taken.insert(case_id, taken);
        } else if window > 0 {
            case.refuse(standing);
        }
    }

    fn retry_window_seconds(&self) -> u32 {
        self.policies.organization.retry_window_seconds
    }

    /// Records what happened after a booking.
    pub(super) fn follow(&mut self, follow_up: &FollowUp) {
        let case_id = follow_up.case_id;
        let case = self.cases.entry(case_id).or_default();
        let decision_seq = case.held.as_ref().map(|held| held.decision_seq);
        let now = self.head.now;
        let given_back = match follow_up.after {
            After::Booked => None,
            After::Closed => case.held.take_if(|held| held.place.is_given_back_at(now)),
        };
        let frees = given_back.is_some();
        if let Some(held) = given_back {
            self.free(case_id, held.place);
            self.taken.remove(&case_id);
            self.freed.insert(case_id);
        }
        let signed = Signed {
            authorization: follow_up.authorization.as_deref(),
            secret_id: follow_up.secret_id,
        };
        self.numbering.push(booking::followed(
            follow_up.after,
            frees,
            case_id,
            decision_seq,
            &follow_up.body,
            signed,
        ));
    }

    /// Records a request that could not be understood or authenticated.
    pub(super) fn reject(&mut self, rejection: &Rejection, dropped_before: u64) {
        self.numbering.push(booking::rejected(Rejected {
            reason: rejection.reason,
            detail: &rejection.detail,
            size: rejection.size,
            body_digest: &rejection.body_digest,
            excerpt: &rejection.excerpt,
            dropped_before,
        }));
    }

    fn take(&mut self, case_id: Uuid, place: Place) {
        self.tallies.take(&place);
        self.customer_places.take(case_id, &place);
        self.changes.push(PlaceChange {
            case_id,
            place,
            is_taken: true,
        });
    }

    fn free(&mut self, case_id: Uuid, place: Place) {
        self.tallies.free(&place);
        self.customer_places.free(case_id, &place);
        self.changes.push(PlaceChange {
            case_id,
            place,
            is_taken: false,
        });
    }

    /// What is to be written, and to be known.
    pub(super) fn finish(self) -> Done {
        let places = PlaceChanges {
            freed: self.freed.into_iter().collect(),
            taken: self.taken.into_values().collect(),
        };
        Done {
            events: self.numbering.into_events(),
            places,
            cases: self.cases,
            changes: self.changes,
        }
    }
}
