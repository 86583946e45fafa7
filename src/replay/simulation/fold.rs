//! The fold: as recorded up to where the period begins, from there on with the change in force and every booking decided again.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::findings::{Findings, Met};
use super::report::{Answer, Differing, Simulated, WouldBe};
use super::{Change, Period};
use crate::cubu::request::Booking;
use crate::ledger::booking::Decided;
use crate::ledger::digest::Digest;
use crate::ledger::event::{BOOKING_DECIDED, BOOKING_RELEASED, CASE_CLOSED};
use crate::policy::change::PolicyChange;
use crate::policy::decide::{Decision, Outcome};
use crate::replay::prepared::{Prepared, prepare};
use crate::replay::run::Scope;
use crate::replay::view::Event;
use crate::replay::walk::{Position, Walk};

/// Up to here nothing is checked, everything is folded in as recorded: `replay` is what checks.
const UNCHECKED: i64 = i64::MAX;

/// Along one ledger, with a change.
#[derive(Debug)]
pub(in crate::replay) struct Simulation<'c> {
    // Its state is the simulated one from where the period begins.
    walk: Walk,
    change: &'c Change,
    is_in_force: bool,
    findings: Findings,
    most_told: usize,
    report: Simulated,
}

impl<'c> Simulation<'c> {
    pub(in crate::replay) fn new(period: &Period, change: &'c Change, most_told: usize) -> Self {
        let as_recorded = Scope {
            from: Some(UNCHECKED),
            ..Scope::default()
        };
        let org = period.org.as_str();
        Self {
            walk: Walk::new(org, Position::start(), Default::default(), &as_recorded),
            change,
            is_in_force: false,
            findings: Findings::default(),
            most_told,
            report: Simulated {
                org: org.to_owned(),
                from: period.from,
                to: period.to,
                changed_policies: change.policies(),
                decisions: 0,
                answered_again: 0,
                not_decided: 0,
                recorded: Default::default(),
                simulated: Default::default(),
                differing: 0,
                newly_cancelled: 0,
                newly_booked: 0,
                differing_findings: 0,
                findings: Vec::new(),
                meeting_none: 0,
                unmet: Vec::new(),
                differences: Vec::new(),
            },
        }
    }

    /// The next events.
    pub(in crate::replay) fn events(&mut self, events: &[Event<'_>]) {
        let prepared = prepare(&self.walk.org, self.walk.position.chain, UNCHECKED, events);
        for (event, prepared) in events.iter().zip(prepared) {
            if event.seq < self.report.from {
                self.walk.event(event, prepared);
            } else {
                self.put_in_force();
                self.event(event, prepared);
            }
        }
    }

    fn put_in_force(&mut self) {
        if self.is_in_force {
            return;
        }
        self.is_in_force = true;
        for (kind, id, new) in self.change.rows() {
            let old = None;
            // A row that cannot be read is left out, as it is live.
            let _ = (self.walk.state).apply(&PolicyChange { kind, id, old, new });
        }
    }

    fn event(&mut self, event: &Event<'_>, prepared: Prepared) {
        match event.event_type {
            BOOKING_DECIDED => self.decided(event),
            BOOKING_RELEASED | CASE_CLOSED => self.closed(event),
            // Others change as they did.
            _ if event.policy_kind.is_some() => {
                let change = self.change;
                (self.walk).fold_policy(event, |kind, id| !change.holds(kind, id));
            }
            // A request waits for its decision; nothing else decides anything.
            _ => self.walk.event(event, prepared),
        }
    }

    fn decided(&mut self, event: &Event<'_>) {
        let request = self.walk.request.take();
        let request = request.filter(|request| request.is_of(event));
        let asked = request.and_then(|request| request.asked);
        let recorded = Recorded::of(event);
        let (Some((booking, request_digest)), Some(recorded)) = (&asked, recorded) else {
            self.report.not_decided += 1;
            let booking = asked.as_ref().map(|(booking, _)| booking);
            return self.walk.fold_decided(event, booking);
        };
        self.report.decisions += 1;
        self.report.recorded.add(recorded.outcome);
        self.findings.recorded(&recorded.met);
        if let Some(standing) = self.standing(event, booking, request_digest) {
            self.report.answered_again += 1;
            return self.compare(event, booking, &recorded, standing);
        }
        let decision = self.walk.state.decide(booking, event.recorded_at);
        self.report.simulated.add(decision.outcome);
        self.findings.simulated(&decision);
        self.compare(event, booking, &recorded, Answered::Now(&decision));
        (self.walk).settle(event, booking.case_id, *request_digest, decision);
    }

    /// The same request again, which was decided anew because no answer stood; here one does, and is given again (promise 4).
    fn standing(
        &self,
        event: &Event<'_>,
        booking: &Booking,
        request_digest: &Digest,
    ) -> Option<Answered<'static>> {
        let state = &self.walk.state;
        let decision = state.standing(booking.case_id, request_digest, event.recorded_at)?;
        let held = state.places.held(booking.case_id);
        let cancelled = held.is_none_or(|held| held.decision_seq != decision);
        Some(Answered::Again {
            decision,
            cancelled,
        })
    }

    /// A case's end gives the place back that it holds here: if it is the recorded one, as recorded, else by the same rule.
    fn closed(&mut self, event: &Event<'_>) {
        let Some(case_id) = event.case_id else {
            return;
        };
        let places = &mut self.walk.state.places;
        let is_given_back = places.held(case_id).is_some_and(|held| {
            if event.caused_by == Some(held.decision_seq) {
                event.event_type == BOOKING_RELEASED
            } else {
                held.place.is_given_back_at(event.recorded_at)
            }
        });
        if is_given_back {
            places.free(case_id);
        }
    }

    fn compare(
        &mut self,
        event: &Event<'_>,
        booking: &Booking,
        recorded: &Recorded<'_>,
        simulated: Answered<'_>,
    ) {
        let was_cancelled = recorded.outcome == Outcome::Cancelled;
        let differs = match simulated {
            Answered::Now(decision) => decision.response.to_body() != recorded.response.get(),
            Answered::Again { cancelled, .. } => cancelled != was_cancelled,
        };
        if !differs {
            return;
        }
        self.report.differing += 1;
        match (was_cancelled, simulated.is_cancelled()) {
            (false, true) => self.report.newly_cancelled += 1,
            (true, false) => self.report.newly_booked += 1,
            _ => {}
        }
        if self.report.differences.len() >= self.most_told {
            return;
        }
        let appointment = &booking.appointment;
        self.report.differences.push(Differing {
            decision_id: event.seq,
            decided_at: event.recorded_at,
            case_id: booking.case_id,
            service_id: booking.service_id,
            cu_index: appointment.cu_index,
            appointment_date: appointment.date,
            start: appointment.start,
            duration: appointment.duration,
            customer_record_id: booking.customer_record_id,
            recorded: Answer {
                outcome: recorded.outcome,
                cancellation_reason: event.cancellation_reason.map(str::to_owned),
                response: recorded.response.clone().into_owned(),
                policies: recorded.policies.to_owned(),
            },
            simulated: simulated.told(),
        });
    }

    /// Of a long blocklist each row may have given a verdict, or none: the lists are as long as that of the decisions.
    pub(in crate::replay) fn finish(mut self) -> Simulated {
        for unmet in self.findings.unmet(self.change) {
            self.report.meeting_none += 1;
            if self.report.unmet.len() < self.most_told {
                self.report.unmet.push(unmet);
            }
        }
        let mut findings = self.findings.differing();
        self.report.differing_findings = findings.len();
        findings.truncate(self.most_told);
        self.report.findings = findings;
        self.report
    }
}

/// What would have been answered.
#[derive(Clone, Copy)]
enum Answered<'a> {
    /// By a decision.
    Now(&'a Decision),
    /// As by an earlier one.
    Again { decision: i64, cancelled: bool },
}

impl Answered<'_> {
    fn is_cancelled(self) -> bool {
        match self {
            Self::Now(decision) => !decision.approves(),
            Self::Again { cancelled, .. } => cancelled,
        }
    }

    fn told(self) -> WouldBe {
        match self {
            Self::Now(decision) => WouldBe::Decided(Answer {
                outcome: decision.outcome,
                cancellation_reason: decision.response.cancellation_reason.clone(),
                response: decision.response.to_raw(),
                policies: RawValue::from_string(decision.explanation())
                    .expect("an explanation is JSON"),
            }),
            Self::Again {
                decision,
                cancelled,
            } => WouldBe::Again {
                answered_as: decision,
                cancelled,
            },
        }
    }
}

/// A decision as it is recorded.
struct Recorded<'a> {
    outcome: Outcome,
    response: Cow<'a, RawValue>,
    policies: &'a RawValue,
    met: Vec<Met<'a>>,
}

impl<'a> Recorded<'a> {
    /// None: it was erased, or is not what this version can read.
    fn of(event: &Event<'a>) -> Option<Self> {
        let decided: Decided<'a> = serde_json::from_str(event.payload?).ok()?;
        let outcome = [Outcome::Approved, Outcome::Modified, Outcome::Cancelled]
            .into_iter()
            .find(|outcome| event.outcome == Some(outcome.as_str()))?;
        Some(Self {
            outcome,
            met: serde_json::from_str(decided.policies.get()).ok()?,
            policies: decided.policies,
            response: decided.response(),
        })
    }
}
