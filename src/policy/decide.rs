//! `decide(booking, policies, facts, now) -> Decision`.
//!
//! In two steps, because what has to be looked up depends on what the rules made of the booking: a [`Draft`] is the booking after
//! the rules, with what it [`needs`](Draft::needs); [`Draft::decide`] is the verdict over it.

use chrono::{DateTime, Utc};

use super::customer_blocklist::BlocklistKey;
use super::explanation::{Compared, Explained, Verdict};
use super::expression::{ExpressionError, Scope as ExpressionScope};
use super::facts::{Facts, Needs};
use super::kind::Kind;
use super::message::pick_message;
use super::place::Place;
use super::row::{Header, Mode, OnError};
use super::set::{OrganizationMode, PolicySet};
use crate::cubu::request::Booking;
use crate::cubu::response::Response;

/// What came of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Booked as asked.
    Approved,
    /// Booked, with changes.
    Modified,
    /// Not booked.
    Cancelled,
}

impl Outcome {
    /// As the ledger and the audit API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Modified => "modified",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The answer and its explanation.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What came of it.
    pub outcome: Outcome,
    /// What Cubu is told.
    pub response: Response,
    /// Every policy that applied: rules in the order they ran, then guards by kind and id.
    pub policies: Vec<Explained>,
    /// The place that is taken, unless cancelled.
    pub place: Place,
}

/// A booking after the rules, before the guards.
#[derive(Debug)]
pub struct Draft<'a> {
    booking: &'a Booking,
    place: Place,
    policies: &'a PolicySet,
    now: DateTime<Utc>,
}

impl<'a> Draft<'a> {
    /// Prepares a booking.
    #[must_use]
    pub fn new(booking: &'a Booking, policies: &'a PolicySet, now: DateTime<Utc>) -> Self {
        Self {
            booking,
            place: Place::of(booking),
            policies,
            now,
        }
    }

    /// What has to be looked up before [`Draft::decide`].
    #[must_use]
    pub fn needs(&self) -> Needs {
        let caps = self.policies.capacity_caps.near(&self.place);
        Needs {
            blocklist_keys: BlocklistKey::of_booking(self.booking).collect(),
            buckets: caps
                .into_iter()
                .filter(|cap| cap.header.is_active(self.now) && cap.concerns(&self.place))
                .map(|cap| cap.bucket(&self.place))
                .collect(),
        }
    }

    /// Every guard looks at the booking; all are evaluated, and the first enforced refusal gives the reason.
    #[must_use]
    pub fn decide(self, facts: &Facts<'_>) -> Decision {
        let mut hearing = Hearing::new(self);
        for blocked in &facts.blocked {
            hearing.hear(
                Kind::CustomerBlocklist,
                &blocked.header,
                "This booking is not possible.",
                |draft| {
                    let in_scope = blocked.header.scope.contains(&draft.place);
                    let matched = in_scope.then(|| blocked.matched(draft.booking)).flatten()?;
                    Some((Verdict::Refused, Compared::BlockedCustomer(matched)))
                },
            );
        }
        let caps = hearing
            .draft
            .policies
            .capacity_caps
            .near(&hearing.draft.place);
        for cap in caps {
            hearing.hear(
                Kind::CapacityCaps,
                &cap.header,
                "No more appointments are available here.",
                |draft| {
                    if !cap.concerns(&draft.place) {
                        return None;
                    }
                    let (has_room, compared) = cap.judge(&draft.place, facts);
                    let verdict = if has_room {
                        Verdict::Allowed
                    } else {
                        Verdict::Refused
                    };
                    Some((verdict, Compared::CapacityCap(compared)))
                },
            );
        }
        hearing.close()
    }
}

/// The guards' turn: collects what each found.
struct Hearing<'a> {
    draft: Draft<'a>,
    expression_scope: Option<ExpressionScope<'a>>,
    policies: Vec<Explained>,
    reason: Option<String>,
}

impl<'a> Hearing<'a> {
    fn new(draft: Draft<'a>) -> Self {
        Self {
            draft,
            expression_scope: None,
            policies: Vec::new(),
            reason: None,
        }
    }

    /// Lets one policy speak. `judge` answers none if the policy does not concern this booking.
    fn hear(
        &mut self,
        kind: Kind,
        header: &Header,
        default_message: &str,
        judge: impl FnOnce(&Draft<'_>) -> Option<(Verdict, Compared)>,
    ) {
        if !header.is_active(self.draft.now) {
            return;
        }
        let Some((verdict, compared)) = judge(&self.draft) else {
            return;
        };
        let (verdict, compared) = match self.applies(header) {
            Ok(true) => (verdict, compared),
            Ok(false) => return,
            Err(error) => (
                Verdict::Error,
                Compared::Error {
                    error: error.to_string(),
                },
            ),
        };
        let mode = match self.draft.policies.organization.mode {
            OrganizationMode::Enforce => header.mode,
            OrganizationMode::Shadow => Mode::Shadow,
        };
        let refuses = verdict == Verdict::Refused
            || (verdict == Verdict::Error && header.on_error == OnError::Cancel);
        if refuses && mode == Mode::Enforce && self.reason.is_none() {
            let language = self.draft.booking.language.as_deref();
            let message = pick_message(
                header.message.as_deref(),
                &header.translations,
                language,
                default_message,
            );
            self.reason = Some(message.to_owned());
        }
        self.policies.push(Explained {
            kind,
            id: header.id,
            name: header.name.clone(),
            mode,
            verdict,
            compared,
        });
    }

    fn applies(&mut self, header: &Header) -> Result<bool, ExpressionError> {
        let Some(condition) = &header.applies_when else {
            return Ok(true);
        };
        let expression = condition.expression().map_err(Clone::clone)?;
        let draft = &self.draft;
        let scope = self
            .expression_scope
            .get_or_insert_with(|| ExpressionScope::new(draft.booking, draft.now));
        expression.evaluate(scope)
    }

    fn close(self) -> Decision {
        let (outcome, response) = match self.reason {
            Some(reason) => {
                let response = Response {
                    cancelled: true,
                    cancellation_reason: Some(reason),
                    ..Response::default()
                };
                (Outcome::Cancelled, response)
            }
            None => (Outcome::Approved, Response::default()),
        };
        Decision {
            outcome,
            response,
            policies: self.policies,
            place: self.draft.place,
        }
    }
}
