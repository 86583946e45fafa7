//! What makes tampering visible: a salted digest of each event's content, and a chain over the events. The database computes the
//! same for policy changes (`sql/functions/02_event_digest.sql`, `03_event_chain.sql`).

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::json;

/// A SHA-256 value.
pub type Digest = [u8; 32];

/// The chain value before the first event.
pub const GENESIS: Digest = [0; 32];

/// 16 random bytes: a digest must not betray what it covers, and must not be guessable from it.
pub type Salt = [u8; 16];

/// As many salts as one call to the system gives for certain: 256 bytes (getrandom(2)).
const SALTS: usize = 16;

/// New salts, for the events of a batch.
#[derive(Debug, Default)]
pub struct Salts {
    drawn: [Salt; SALTS],
    left: usize,
}

impl Salts {
    /// A new one.
    #[expect(
        clippy::disallowed_methods,
        reason = "random, and recorded with the event"
    )]
    pub fn draw(&mut self) -> Salt {
        if self.left == 0 {
            // A system that has none must record nothing.
            getrandom::fill(self.drawn.as_flattened_mut()).expect("random bytes");
            self.left = SALTS;
        }
        self.left -= 1;
        self.drawn[self.left]
    }
}

/// SHA-256 of any bytes, such as a request body.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// SHA-256 of salt, payload and, if there is one, a line feed and the body.
#[must_use]
pub fn payload_digest(salt: &[u8], payload: &str, body: Option<&str>) -> Digest {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(payload);
    if let Some(body) = body {
        hash.update(b"\n");
        hash.update(body);
    }
    hash.finalize().into()
}

/// What the chain covers of an event besides its content.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// The organization.
    pub org: &'a str,
    /// Its number.
    pub seq: i64,
    /// Its type.
    pub event_type: &'a str,
    /// Its time.
    pub recorded_at: DateTime<Utc>,
    /// The event that led to it.
    pub caused_by: Option<i64>,
}

impl Header<'_> {
    /// Its parts with a space between them, the time in microseconds since 1970, and 0 for no cause.
    fn to_text(self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.org.len() + self.event_type.len() + LONGEST_NUMBERS);
        text.extend_from_slice(self.org.as_bytes());
        text.push(b' ');
        json::write_value(&mut text, self.seq);
        text.push(b' ');
        text.extend_from_slice(self.event_type.as_bytes());
        text.push(b' ');
        json::write_value(&mut text, self.recorded_at.timestamp_micros());
        text.push(b' ');
        json::write_value(&mut text, self.caused_by.unwrap_or(0));
        text
    }
}

/// Three whole numbers of at most twenty characters, and four spaces.
const LONGEST_NUMBERS: usize = 3 * 20 + 4;

/// The chain value of an event: commits to everything before it.
#[must_use]
pub fn chain(previous: &Digest, payload_digest: &[u8], header: &Header<'_>) -> Digest {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(payload_digest);
    hash.update(header.to_text());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_salt_is_drawn_twice() {
        let mut salts = Salts::default();
        let drawn: BTreeSet<Salt> = (0..5 * SALTS).map(|_| salts.draw()).collect();
        assert_eq!(drawn.len(), 5 * SALTS);
    }
}
