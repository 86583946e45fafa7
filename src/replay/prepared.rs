//! What can be computed of an event before its turn, for it depends on nothing before but the chain: of many events together, one kind of
//! work after another.
//!
//! A decision runs through more code than the processor's first cache holds, so one event at a time each kind of work finds its code gone:
//! of 64 together, a replay takes a tenth less time (`docs/performance.md`).

use super::view::Event;
use crate::cubu::request::{self, Booking, RequestError};
use crate::ledger::digest::{self, Digest, Header, sha256};
use crate::ledger::event::BOOKING_REQUESTED;

/// How many events are worked on together. So few for tests that each ledger has many ends of such groups, within bookings, too.
const TOGETHER: usize = if cfg!(debug_assertions) { 3 } else { 64 };

/// More than this many bytes are worked on at once: one event can have an attachment of many rows.
const MOST_BYTES: usize = 1024 * 1024;

/// Events that were read and are not yet worked on, in whatever form they are read.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    events: Vec<T>,
    bytes: usize,
}

impl<T> Gathered<T> {
    pub(super) fn new() -> Self {
        Self {
            events: Vec::with_capacity(TOGETHER),
            bytes: 0,
        }
    }

    pub(super) fn add(&mut self, event: T, bytes: usize) {
        self.events.push(event);
        self.bytes += bytes;
    }

    /// Whether they are to be worked on before more are read.
    pub(super) fn are_enough(&self) -> bool {
        self.events.len() >= TOGETHER || self.bytes > MOST_BYTES
    }

    pub(super) fn events(&self) -> &[T] {
        &self.events
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }
}

/// What was computed of an event.
#[derive(Debug)]
pub(super) struct Prepared {
    /// None: of an event that is not checked.
    pub(super) digests: Option<Digests>,
    /// Of a request.
    pub(super) asked: Option<Asked>,
}

/// What an event's digests should be.
#[derive(Debug)]
pub(super) struct Digests {
    /// None: of content that is not whole.
    pub(super) payload: Option<Digest>,
    pub(super) chain: Digest,
}

/// A booking that is asked for, and the digest of its request.
pub(super) type Asked = Result<(Booking, Digest), RequestError>;

/// Prepares events that follow each other, the first of them this chain value.
pub(super) fn prepare(
    org: &str,
    mut chain: Digest,
    check_from: i64,
    events: &[Event<'_>],
) -> Vec<Prepared> {
    let digests = events.iter().map(|event| {
        let digests = (event.seq >= check_from).then(|| Digests::of(org, &chain, event));
        // As it is stored: each mismatch is told where it is.
        chain = event.chain.try_into().unwrap_or(chain);
        (
            digests,
            requested(event).map(|body| sha256(body.as_bytes())),
        )
    });
    let digests: Vec<_> = digests.collect();
    let prepared = events.iter().zip(digests);
    let prepared = prepared.map(|(event, (digests, of_request))| Prepared {
        digests,
        asked: requested(event)
            .zip(of_request)
            .map(|(body, digest)| Ok((request::parse(body)?, digest))),
    });
    prepared.collect()
}

fn requested<'a>(event: &Event<'a>) -> Option<&'a str> {
    (event.event_type == BOOKING_REQUESTED).then(|| event.body.unwrap_or_default())
}

impl Digests {
    fn of(org: &str, previous: &Digest, event: &Event<'_>) -> Self {
        let content = event.payload.zip(event.salt);
        Self {
            payload: content
                .map(|(payload, salt)| digest::payload_digest(salt, payload, event.body)),
            chain: digest::chain(
                previous,
                event.payload_digest,
                &Header {
                    org,
                    seq: event.seq,
                    event_type: event.event_type,
                    recorded_at: event.recorded_at,
                    caused_by: event.caused_by,
                },
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_events_are_gathered_and_a_large_one_is_not_kept_waiting() {
        let mut gathered = Gathered::new();
        for event in 1..TOGETHER {
            gathered.add(event, 1);
            assert!(!gathered.are_enough(), "{event} of {TOGETHER}");
        }
        gathered.add(TOGETHER, 1);
        assert!(gathered.are_enough());
        for _ in 0..2 {
            gathered.clear();
            assert!(gathered.events().is_empty() && !gathered.are_enough());
            gathered.add(1, MOST_BYTES + 1);
            assert!(gathered.are_enough());
        }
    }
}
