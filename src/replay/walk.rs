//! A walk along one ledger, event by event: what every event must satisfy, whatever it says. What each type says is checked by
//! [`booking`](super::booking) and [`policy`](super::policy) events' own files.

use chrono::{DateTime, Datelike, Utc};
use serde::de::IgnoredAny;

use super::event::StoredHead;
use super::prepared::{Asked, Digests, Prepared, prepare};
use super::report::{LedgerRead, Mismatches, Summary, What};
use super::run::{Noted, Scope};
use super::state::State;
use super::view::Event;
use crate::cubu::request::Booking;
use crate::ledger::digest::{Digest, GENESIS};
use crate::ledger::event::{
    AUDIT_EXPORTED, BOOKING_CONFIRMED, BOOKING_DECIDED, BOOKING_RELEASED, BOOKING_REPEATED,
    BOOKING_REQUESTED, CASE_CLOSED, Columns, REQUEST_REJECTED, SECRET_ADDED, SECRET_EXPIRED,
    SIGNATURE_REQUIRED, SIGNATURE_WAIVED, TOKEN_CREATED, TOKEN_REVOKED,
};

/// Where a walk stands: what the next event is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) seq: i64,
    pub(super) chain: Digest,
    pub(super) recorded_at: DateTime<Utc>,
}

impl Position {
    /// Before the first event.
    pub(super) fn start() -> Self {
        Self {
            seq: 0,
            chain: GENESIS,
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }
}

/// A request that waits for its decision.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) seq: i64,
    pub(super) recorded_at: DateTime<Utc>,
    // None: erased, or not to be read.
    pub(super) asked: Option<(Booking, Digest)>,
}

impl Request {
    /// Whether this is the decision that must come next.
    pub(super) fn is_of(&self, event: &Event<'_>) -> bool {
        event.caused_by == Some(self.seq) && event.seq == self.seq.saturating_add(1)
    }
}

/// Along one organization's ledger.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) org: String,
    pub(super) position: Position,
    pub(super) state: State,
    pub(super) summary: Summary,
    pub(super) mismatches: Mismatches,
    // The request whose decision must come next.
    pub(super) request: Option<Request>,
    // The payload of the last decision that was derived: one buffer for all.
    pub(super) derived: Vec<u8>,
    // Events before this are folded in as they are recorded, and not checked.
    check_from: i64,
    to: Option<i64>,
    start: (i64, Digest),
    noted: Option<Noted>,
    allow_erased: bool,
}

impl Walk {
    /// From a state, at a position.
    pub(super) fn new(org: &str, position: Position, state: State, scope: &Scope) -> Self {
        Self {
            org: org.to_owned(),
            start: (position.seq, position.chain),
            position,
            state,
            summary: Summary::default(),
            mismatches: Mismatches::default(),
            request: None,
            derived: Vec::new(),
            check_from: scope.from.unwrap_or(i64::MIN),
            to: scope.to,
            noted: scope.noted,
            allow_erased: scope.allow_erased,
        }
    }

    /// The next events.
    pub(super) fn events(&mut self, events: &[Event<'_>]) {
        let prepared = prepare(&self.org, self.position.chain, self.check_from, events);
        for (event, prepared) in events.iter().zip(prepared) {
            self.event(event, prepared);
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>, prepared: Prepared) {
        if let Some(noted) = self.noted.take_if(|noted| noted.seq == event.seq)
            && noted.chain[..] != event.chain[..]
        {
            self.tell_digest(event.seq, What::Noted, &noted.chain, event.chain);
        }
        if !(1970..=9999).contains(&event.recorded_at.year()) {
            // No clock says this; the core need not reckon with it.
            self.tell(
                event.seq,
                What::Time,
                "a time in the years 1970 to 9999",
                event.recorded_at,
            );
        } else if let Some(digests) = prepared.digests {
            self.check(event, &digests, prepared.asked);
        } else {
            self.fold(event, prepared.asked);
        }
        if event.event_type == BOOKING_DECIDED {
            self.state.counts.decision(event);
        }
        // A ledger that was tampered with is followed as it is stored, so that each mismatch is told where it is.
        self.position.seq = event.seq;
        self.position.recorded_at = event.recorded_at;
        if let Ok(chain) = event.chain.try_into() {
            self.position.chain = chain;
        }
    }

    fn check(&mut self, event: &Event<'_>, digests: &Digests, asked: Option<Asked>) {
        self.summary.events += 1;
        if event.event_type != BOOKING_DECIDED {
            self.check_nothing_waits();
        }
        self.check_number_and_time(event);
        self.check_digests(event, digests);
        match (event.event_type, event.payload) {
            (_, None) => self.erased(event, asked),
            (BOOKING_REQUESTED, Some(payload)) => self.requested(event, payload, asked),
            (BOOKING_DECIDED, Some(payload)) => self.decided(event, payload),
            (BOOKING_REPEATED, Some(payload)) => self.repeated(event, payload),
            (REQUEST_REJECTED, Some(payload)) => self.rejected(event, payload),
            (BOOKING_CONFIRMED | BOOKING_RELEASED | CASE_CLOSED, Some(payload)) => {
                self.followed(event, payload);
            }
            ("policy.created" | "policy.updated" | "policy.deleted", Some(payload)) => {
                self.policy_changed(event, payload)
            }
            (
                AUDIT_EXPORTED | TOKEN_CREATED | TOKEN_REVOKED | SECRET_ADDED | SECRET_EXPIRED
                | SIGNATURE_WAIVED | SIGNATURE_REQUIRED,
                Some(payload),
            ) => self.administered(event, payload),
            (other, Some(_)) => self.tell(
                event.seq,
                What::Type,
                "a type that this version knows",
                other,
            ),
        }
    }

    /// What operators and auditors did: nothing of it changes a decision, so there is nothing to derive.
    fn administered(&mut self, event: &Event<'_>, payload: &str) {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(payload) {
            self.tell(event.seq, What::Unreadable, "JSON", error);
        }
        if event.body.is_some() {
            self.tell(event.seq, What::Payload, "no body", "a body");
        }
        if let Some(cause) = event.caused_by {
            self.tell(event.seq, What::Cause, "none", format!("event {cause}"));
        }
        self.compare_columns(event, &Columns::default());
    }

    fn check_number_and_time(&mut self, event: &Event<'_>) {
        let expected = self.position.seq.saturating_add(1);
        if event.seq != expected {
            self.tell(event.seq, What::Number, expected, event.seq);
        }
        if event.recorded_at < self.position.recorded_at {
            let not_before = format!("not before {}", self.position.recorded_at);
            self.tell(event.seq, What::Time, not_before, event.recorded_at);
        }
    }

    /// Content and chain.
    fn check_digests(&mut self, event: &Event<'_>, digests: &Digests) {
        match digests.payload {
            Some(digest) => {
                if digest[..] != event.payload_digest[..] {
                    self.tell_digest(
                        event.seq,
                        What::PayloadDigest,
                        &digest,
                        event.payload_digest,
                    );
                }
            }
            None if event.payload.is_none() && event.salt.is_none() && event.body.is_none() => {}
            _ => self.tell(
                event.seq,
                What::Erasure,
                "payload, body and salt, or none of them",
                "only some of them",
            ),
        }
        let chain = &digests.chain;
        if chain[..] != event.chain[..] {
            self.tell_digest(event.seq, What::Chain, chain, event.chain);
        }
    }

    fn check_nothing_waits(&mut self) {
        if let Some(request) = self.request.take() {
            self.tell(
                request.seq,
                What::Undecided,
                format!("its decision, event {}", request.seq.saturating_add(1)),
                "no decision",
            );
        }
    }

    /// The end of what is read. With the head, that of the ledger.
    pub(super) fn finish(&mut self, head: Option<&StoredHead>) {
        if let Some(head) = head {
            self.check_nothing_waits();
            self.check_head(head);
        }
        self.check_reach();
        self.summary.orgs = vec![LedgerRead {
            org: self.org.clone(),
            after: self.start.0,
            checked_from: self.check_from.max(self.start.0.saturating_add(1)),
            last: self.position.seq,
            chain: hex::encode(self.position.chain),
            complete: head.is_some(),
        }];
    }

    /// What was asked about was among what was read.
    fn check_reach(&mut self) {
        let (after, chain) = self.start;
        let last = self.position.seq;
        let end = format!("an end at event {last}");
        let beginning = format!("a beginning after event {after}, which does not tell");
        match self.noted.take() {
            Some(noted) if noted.seq == after && noted.chain == chain => {}
            Some(noted) if noted.seq == after => {
                self.tell_digest(after, What::Noted, &noted.chain, &chain);
            }
            Some(noted) => {
                let found = if noted.seq < after { &beginning } else { &end };
                self.tell(last, What::Noted, format!("event {}", noted.seq), found);
            }
            None => {}
        }
        if let Some(to) = self.to.filter(|to| *to < after || *to > last) {
            let found = if to < after { &beginning } else { &end };
            self.tell(
                last,
                What::Number,
                format!("event {to}, up to which to read"),
                found,
            );
        }
        if self.check_from > last {
            let wanted = format!("event {}, from which on to check", self.check_from);
            self.tell(last, What::Number, wanted, &end);
        }
    }

    fn check_head(&mut self, head: &StoredHead) {
        let Position {
            seq,
            chain,
            recorded_at,
        } = self.position.clone();
        if seq == 0 {
            self.tell(
                seq,
                What::Number,
                "event 1, the organization's own",
                "no event at all",
            );
        }
        if head.last_seq != seq {
            self.tell(seq, What::Head("last_seq"), seq, head.last_seq);
        }
        if head.last_chain[..] != chain[..] {
            self.tell_digest(seq, What::Head("last_chain"), &chain, &head.last_chain);
        }
        if head.last_recorded_at != recorded_at {
            self.tell(
                seq,
                What::Head("last_recorded_at"),
                recorded_at,
                head.last_recorded_at,
            );
        }
        if head.policy_version != self.state.policies.version {
            self.tell(
                seq,
                What::Head("policy_version"),
                self.state.policies.version,
                head.policy_version,
            );
        }
    }

    /// An erased request or decision: what it said cannot be checked any more, what it did stands in the columns.
    fn erased(&mut self, event: &Event<'_>, asked: Option<Asked>) {
        self.summary.erased += 1;
        if !self.allow_erased {
            self.tell(
                event.seq,
                What::Erased,
                "its content",
                "none: it was erased",
            );
        }
        self.fold(event, asked);
    }

    pub(super) fn tell(
        &mut self,
        seq: i64,
        what: What,
        expected: impl ToString,
        found: impl ToString,
    ) {
        self.mismatches.push(&self.org, seq, what, expected, found);
    }

    fn tell_digest(&mut self, seq: i64, what: What, expected: &[u8], found: &[u8]) {
        self.tell(seq, what, hex::encode(expected), hex::encode(found));
    }
}
