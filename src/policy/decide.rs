//! `decide(booking, policies, facts, now) -> Decision`.
//!
//! In two steps, because what has to be looked up depends on what the rules made of the booking: a [`Draft`] is the booking after
//! the rules, with what it [`needs`](Draft::needs) and its [`buckets`](Draft::buckets); [`Draft::decide`] is the verdict over it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::bucket::Bucket;
use super::capacity_caps::CapacityCap;
use super::customer_blocklist::BlocklistKey;
use super::customer_limits::CustomerLimit;
use super::explanation::{Compared, Explained, Verdict};
use super::facts::{CustomerSpan, Facts, Needs};
use super::hearing::{Conditions, Record};
use super::kind::Kind;
use super::place::Place;
use super::row::{Header, Policy};
use super::rules;
use super::set::PolicySet;
use super::subject::Subject;
use crate::cubu::request::Booking;
use crate::cubu::response::Response;
use crate::json;

/// What came of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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
    /// The place that is taken; of a cancelled booking the one that was asked for.
    pub place: Place,
}

impl Decision {
    /// Whether the booking takes its place.
    #[must_use]
    pub fn approves(&self) -> bool {
        self.outcome != Outcome::Cancelled
    }

    /// The explanation as the ledger has it: a JSON list.
    #[must_use]
    pub fn explanation(&self) -> String {
        let mut text = Vec::new();
        json::write_list(&mut text, &self.policies, Explained::write);
        String::from_utf8(text).expect("JSON is UTF-8")
    }
}

/// A booking after the rules, before the guards.
#[derive(Debug)]
pub struct Draft<'a> {
    asked: &'a Booking,
    subject: Subject<'a>,
    place: Place,
    policies: &'a PolicySet,
    now: DateTime<Utc>,
    record: Record<'a>,
    // Each with what it looks at.
    limits: Vec<(&'a Policy<CustomerLimit>, CustomerSpan)>,
    caps: Vec<(&'a Policy<CapacityCap>, Bucket)>,
}

impl<'a> Draft<'a> {
    /// Lets the rules change a booking.
    #[must_use]
    pub fn new(booking: &'a Booking, policies: &'a PolicySet, now: DateTime<Utc>) -> Self {
        let mut record = Record::new(policies.organization.mode, booking.language.as_deref());
        let (subject, place) = rules::run(booking, policies, now, &mut record);
        let limits = policies.customer_limits.near(&place).into_iter();
        let limits = limits
            .filter(|limit| limit.header.is_active(now))
            .filter_map(|limit| Some((limit, limit.needs(subject.booking(), &place, now)?)))
            .collect();
        let caps = policies.capacity_caps.near(&place).into_iter();
        let caps = caps
            .filter(|cap| cap.header.is_active(now) && cap.concerns(&place))
            .map(|cap| (cap, cap.bucket(&place)))
            .collect();
        Self {
            asked: booking,
            place,
            subject,
            policies,
            now,
            record,
            limits,
            caps,
        }
    }

    /// What has to be looked up before [`Draft::decide`], of the blocklist only under case fields that any of its rows looks at.
    #[must_use]
    pub fn needs(&self, is_field_blocked: impl Fn(Uuid) -> bool) -> Needs {
        let booking = self.subject.booking();
        let spans = self.limits.iter().map(|(_, span)| *span);
        Needs {
            blocklist_keys: BlocklistKey::of_booking(booking, is_field_blocked).collect(),
            customer_span: spans.reduce(CustomerSpan::covering),
        }
    }

    /// What has to be counted before [`Draft::decide`], which takes the counts in this order.
    pub fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.caps.iter().map(|(_, bucket)| bucket)
    }

    /// Every guard looks at the booking; all are evaluated, and the first enforced refusal gives the reason.
    #[must_use]
    pub fn decide(self, facts: &Facts<'_>) -> Decision {
        let Self {
            asked,
            subject,
            place,
            policies,
            now,
            mut record,
            limits,
            caps,
        } = self;
        let booking = subject.booking();
        let mut guards = Guards {
            conditions: Conditions::new(booking, now),
            now,
            record: &mut record,
        };
        // In the order of `Kind`, which is the precedence of the reasons.
        for blocked in &facts.blocked {
            guards.hear(Kind::CustomerBlocklist, &blocked.header, || {
                let in_scope = blocked.header.scope.contains(&place);
                let matched = in_scope.then(|| blocked.matched(booking)).flatten()?;
                Some((false, Compared::BlockedCustomer(matched)))
            });
        }
        for blackout in policies.blackouts.near(&place) {
            guards.hear(Kind::Blackouts, &blackout.header, || {
                let closed = blackout.closed(&place)?;
                Some((false, Compared::Blackout(closed)))
            });
        }
        for window in policies.booking_windows.near(&place) {
            guards.hear(Kind::BookingWindows, &window.header, || {
                let (is_within, compared) = window.judge(booking, &place, now)?;
                Some((is_within, Compared::BookingWindow(compared)))
            });
        }
        for (limit, _) in limits {
            guards.hear(Kind::CustomerLimits, &limit.header, || {
                let (has_room, compared) = limit.judge(booking, &place, now, facts);
                Some((has_room, Compared::CustomerLimit(compared)))
            });
        }
        debug_assert_eq!(facts.counts.len(), caps.len(), "every bucket is counted");
        // A count that is missing is a caller's mistake, and reads as none taken.
        let mut counts = facts.counts.iter().copied();
        for (cap, bucket) in caps {
            let taken = counts.next().unwrap_or_default();
            let used = match facts.own_place {
                Some(own) if bucket.contains(own) => taken.without(own),
                _ => taken,
            };
            guards.hear(Kind::CapacityCaps, &cap.header, || {
                let (has_room, compared) = cap.judge(bucket, used, &place);
                Some((has_room, Compared::CapacityCap(compared)))
            });
        }

        let Record {
            explained, reason, ..
        } = record;
        let (response, place) = match reason {
            // Nothing is changed of what is not booked.
            Some(reason) => (Response::cancelled(reason), Place::of(asked)),
            None => (subject.response(), place),
        };
        Decision {
            outcome: if response.cancelled {
                Outcome::Cancelled
            } else if response.keeps_all() {
                Outcome::Approved
            } else {
                Outcome::Modified
            },
            response,
            policies: explained,
            place,
        }
    }
}

/// The guards' turn.
struct Guards<'g, 'r> {
    conditions: Conditions<'g>,
    now: DateTime<Utc>,
    record: &'g mut Record<'r>,
}

impl Guards<'_, '_> {
    /// Lets one guard speak. `judge` answers whether the booking may pass, or none if the policy does not concern it.
    fn hear(
        &mut self,
        kind: Kind,
        header: &Header,
        judge: impl FnOnce() -> Option<(bool, Compared)>,
    ) {
        if !header.is_active(self.now) {
            return;
        }
        let Some((may_pass, compared)) = judge() else {
            return;
        };
        match self.conditions.hold([header.applies_when.as_deref()]) {
            Ok(false) => {}
            Ok(true) => {
                let verdict = if may_pass {
                    Verdict::Allowed
                } else {
                    Verdict::Refused
                };
                self.record.note(kind, header, verdict, compared);
            }
            Err(error) => self.record.note_error(kind, header, &error),
        }
    }
}
