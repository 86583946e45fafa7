//! The fold: as recorded up to where the period begins, from there on with the change in force and every booking decided again.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::report::{Answer, Differing, Finding, Simulated, Unmet, WouldBe};
use super::{Change, Period};
use crate::cubu::request::Booking;
use crate::ledger::booking::Decided;
use crate::ledger::digest::Digest;
use crate::ledger::event::{BOOKING_DECIDED, BOOKING_RELEASED, CASE_CLOSED};
use crate::policy::change::PolicyChange;
use crate::policy::decide::{Decision, Outcome};
use crate::policy::explanation::{Compared, Verdict};
use crate::policy::kind::Kind;
use crate::policy::row::Mode;
use crate::replay::prepared::{Prepared, prepare};
use crate::replay::run::Scope;
use crate::replay::view::Event;
use crate::replay::walk::{Position, Walk};

/// Up to here nothing is checked, everything is folded in as recorded: `replay` is what checks.
const UNCHECKED: i64 = i64::MAX;

/// A policy's verdict in a mode.
type Key = (Kind, i64, Mode, Verdict);

/// How often it was recorded, and how often it came out.
#[derive(Debug, Default)]
struct Counted {
    name: Option<Box<str>>,
    recorded: u64,
    simulated: u64,
    error: Option<Box<str>>,
}

/// One entry of a recorded explanation.
#[derive(Deserialize)]
struct Met<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    id: i64,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    mode: Mode,
    verdict: Verdict,
}

/// Along one ledger, with a change.
#[derive(Debug)]
pub(in crate::replay) struct Simulation<'c> {
    // Its state is the simulated one from where the period begins.
    walk: Walk,
    change: &'c Change,
    is_in_force: bool,
    counted: BTreeMap<Key, Counted>,
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
            counted: BTreeMap::new(),
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
        self.note_recorded(&recorded);
        if let Some(standing) = self.standing(event, booking, request_digest) {
            self.report.answered_again += 1;
            return self.compare(event, booking, &recorded, standing);
        }
        let decision = self.walk.state.decide(booking, event.recorded_at);
        self.report.simulated.add(decision.outcome);
        self.note_simulated(&decision);
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

    fn note_recorded(&mut self, recorded: &Recorded<'_>) {
        for met in &recorded.met {
            if let Some(kind) = Kind::of_table(&met.kind) {
                let key = (kind, met.id, met.mode, met.verdict);
                let counted = self.counted.entry(key).or_default();
                counted.recorded += 1;
                if counted.name.is_none() {
                    counted.name = met.name.as_deref().map(Box::from);
                }
            }
        }
    }

    fn note_simulated(&mut self, decision: &Decision) {
        for explained in &decision.policies {
            let key = (
                explained.kind,
                explained.id,
                explained.mode,
                explained.verdict,
            );
            let counted = self.counted.entry(key).or_default();
            counted.simulated += 1;
            if counted.simulated > 1 {
                continue;
            }
            // As the policy is called here.
            counted.name = explained.name.as_deref().map(Box::from);
            if let Compared::Error { error } = &explained.compared {
                counted.error = Some(error.as_str().into());
            }
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

    pub(in crate::replay) fn finish(mut self) -> Simulated {
        self.tell_unmet();
        let mut findings: Vec<Finding> = (self.counted.into_iter())
            .filter(|(_, counted)| counted.recorded != counted.simulated)
            .map(|((kind, id, mode, verdict), counted)| Finding {
                kind,
                id,
                name: counted.name.map(Into::into),
                mode,
                verdict,
                recorded: counted.recorded,
                simulated: counted.simulated,
                error: counted.error.map(Into::into),
            })
            .collect();
        self.report.differing_findings = findings.len();
        // Of a long blocklist each row may have given one.
        findings.sort_by_key(|found| Reverse(found.simulated.abs_diff(found.recorded)));
        findings.truncate(self.most_told);
        self.report.findings = findings;
        self.report
    }

    /// The organization's own row is no policy that meets bookings.
    fn tell_unmet(&mut self) {
        let met: BTreeSet<(Kind, i64)> = (self.counted.iter())
            .filter(|(_, counted)| counted.simulated > 0)
            .map(|((kind, id, ..), _)| (*kind, *id))
            .collect();
        for (kind, id, row) in self.change.rows() {
            let is_met = kind == Kind::Organizations || met.contains(&(kind, id));
            let Some(row) = row.filter(|_| !is_met) else {
                continue;
            };
            self.report.meeting_none += 1;
            if self.report.unmet.len() < self.most_told {
                let named: Option<Named> = serde_json::from_str(row).ok();
                let name = named.and_then(|named| named.name);
                self.report.unmet.push(Unmet { kind, id, name });
            }
        }
    }
}

/// Of a policy's row.
#[derive(Deserialize)]
struct Named {
    name: Option<String>,
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
