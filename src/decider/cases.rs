//! What a batch knows of the cases it is asked about: the place each holds, and the answers that still stand.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ledger::booking::Decided;
use crate::ledger::digest::Digest;
use crate::policy::place::Place;

/// A place that a case holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) decision_seq: i64,
    pub(super) place: Place,
}

/// An answer that still stands.
#[derive(Debug, Clone)]
pub(super) struct StandingAnswer {
    pub(super) request_digest: Digest,
    pub(super) decision_seq: i64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) body: Arc<str>,
}

/// What is known of one case.
#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    pub(super) held: Option<Held>,
    refusals: Vec<StandingAnswer>,
    approval: Option<StandingAnswer>,
}

impl Case {
    /// The answer to the same request, if it still stands: an approval while its place is held, or a refusal after this time.
    pub(super) fn standing_answer(
        &self,
        request_digest: &Digest,
        refusals_stand_after: DateTime<Utc>,
    ) -> Option<&StandingAnswer> {
        let approval = self.approval.as_ref().filter(|answer| {
            let holds = |held: &Held| held.decision_seq == answer.decision_seq;
            answer.request_digest == *request_digest && self.held.as_ref().is_some_and(holds)
        });
        approval.or_else(|| {
            let same = |answer: &&StandingAnswer| {
                answer.request_digest == *request_digest
                    && answer.recorded_at > refusals_stand_after
            };
            self.refusals.iter().rev().find(same)
        })
    }

    /// An earlier answer to the same request, from the ledger.
    pub(super) fn remember(
        &mut self,
        request_digest: Digest,
        decision_seq: i64,
        recorded_at: DateTime<Utc>,
        payload: &str,
        is_held: bool,
    ) -> Result<(), sqlx::Error> {
        let decided: Decided<'_> =
            serde_json::from_str(payload).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let answer = StandingAnswer {
            request_digest,
            decision_seq,
            recorded_at,
            body: decided.response().get().into(),
        };
        if is_held {
            self.approval = Some(answer);
        } else {
            self.refusals.push(answer);
        }
        Ok(())
    }

    /// Answers what the case held before. The newest decision of a request is the one that stands, if any does.
    pub(super) fn approve(&mut self, held: Held, answer: StandingAnswer) -> Option<Held> {
        self.forget_refusals(&answer.request_digest);
        self.approval = Some(answer);
        self.held.replace(held)
    }

    pub(super) fn refuse(&mut self, answer: StandingAnswer) {
        self.refusals.push(answer);
    }

    /// What was known of the same case a batch later.
    pub(super) fn become_later(&mut self, later: &Self) {
        self.held.clone_from(&later.held);
        // Of another request perhaps; that an approval stands only while its own place is held is seen when it is asked for.
        if let Some(approval) = &later.approval {
            self.forget_refusals(&approval.request_digest);
            self.approval = Some(approval.clone());
        }
        self.refusals.extend_from_slice(&later.refusals);
    }

    fn forget_refusals(&mut self, request_digest: &Digest) {
        self.refusals
            .retain(|refusal| refusal.request_digest != *request_digest);
    }
}
