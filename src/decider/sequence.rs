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
use crate::policy::decide::{Decision, Draft, Outcome};
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
        let Submitted {
            submission,
            digest: request_digest,
        } = submitted;
        let request_digest = *request_digest;
        let case_id = submission.booking.case_id;
        let signed = Signed {
            authorization: submission.authorization.as_deref(),
            secret_id: submission.secret_id,
        };
        let retry_window = self.policies.organization.retry_window_seconds;
        let refusals_stand_after = self.head.now - TimeDelta::seconds(retry_window.into());
        let case = self.cases.entry(case_id).or_default();
        if let Some(standing) = case.standing_answer(&request_digest, refusals_stand_after) {
            let content =
                booking::repeated(case_id, standing.decision_seq, &request_digest, signed);
            self.numbering.push(content);
            let answer = Answer {
                decision_id: standing.decision_seq,
                body: Arc::clone(&standing.body),
                repeated: true,
            };
            return Decided {
                answer,
                decision: None,
            };
        }

        let facts = Facts {
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
            own_place: case.held.as_ref().map(|held| &held.place),
        };
        let decision = draft.decide(&facts);
        let approved = decision.outcome != Outcome::Cancelled;

        let request_seq = self.numbering.push(booking::requested(
            Version::CURRENT,
            case_id,
            &submission.body,
            signed,
        ));
        let body: Arc<str> = decision.response.to_body().into();
        let moved_from = case
            .held
            .as_ref()
            .filter(|_| approved)
            .map(|held| held.decision_seq);
        let decision_seq = self.numbering.push(booking::decided(
            Version::CURRENT,
            &decision,
            &body,
            DecidedContext {
                request_seq,
                request_digest,
                policy_version: self.head.policy_version,
                moved_from,
                case_id,
                triggered_by_user_email: submission.booking.triggered_by_user_email.as_deref(),
            },
        ));

        let standing = StandingAnswer {
            request_digest,
            decision_seq,
            recorded_at: self.head.now,
            body: Arc::clone(&body),
        };
        if approved {
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
        } else if retry_window > 0 {
            case.refuse(standing);
        }
        let answer = Answer {
            decision_id: decision_seq,
            body,
            repeated: false,
        };
        Decided {
            answer,
            decision: Some(decision),
        }
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
