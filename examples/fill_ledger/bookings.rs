//! Bookings as a public administration's: 20 units, 200 services, 3 calendars each, some 400,000 customers, a skew in everything.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

const UNITS: u64 = 20;
const SERVICES: u64 = 200;
const CUSTOMERS: u64 = 400_000;
const AGENTS: u64 = 300;

/// A source of bookings; the same number makes the same bookings.
pub(crate) struct Bookings {
    state: u64,
    sample: Value,
}

/// As Postgres' `md5(text)::uuid`, by which the policies name the same services and customers.
fn named(kind: &str, number: u64) -> Uuid {
    let names = format!("{kind}{number}");
    Uuid::from_bytes(md5(names.as_bytes()))
}

impl Bookings {
    pub(crate) fn new(task: u64) -> Self {
        let sample = include_str!("../../tests/samples/before-book-appointment.json");
        Self {
            state: task.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed,
            sample: serde_json::from_str(sample).unwrap(),
        }
    }

    /// SplitMix64.
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// Low numbers come often, high ones rarely.
    fn skewed(&mut self, limit: u64) -> u64 {
        let most = self.below(limit) + 1;
        self.below(most)
    }

    /// A booking made at this time.
    pub(crate) fn next(&mut self, now: DateTime<Utc>) -> String {
        let service = self.skewed(SERVICES);
        let by_agent = self.below(100) < 15;
        let channel = match self.below(1000) {
            0 => "Chat",
            1..100 => "Phone",
            100..250 => "Video",
            _ => "FaceToFace",
        };
        let starts = now + TimeDelta::days(self.skewed(60) as i64);
        let start = 480 + 15 * self.below(36);
        let date = starts.format("%Y-%m-%d");
        let local = format!("{date}T{:02}:{:02}:00", start / 60, start % 60);
        let customer = self.below(10) > 0;
        let fields = format!("customer{}@example.com", self.below(CUSTOMERS));
        let mut booking = self.sample.clone();
        booking["caseId"] = json!(Uuid::from_u64_pair(
            self.below(u64::MAX),
            self.below(u64::MAX)
        ));
        booking["unitId"] = json!(named("unit", service % UNITS));
        booking["serviceId"] = json!(named("service", service));
        booking["serviceTypeId"] = json!(named("type", service * 3 + self.below(3)));
        booking["channel"] = json!(channel);
        booking["customerRecordId"] = if customer {
            json!(named("customer", self.skewed(CUSTOMERS)))
        } else {
            Value::Null
        };
        booking["fields"]["cd439a62-c78a-413f-bb42-cc4dd720375c"] = json!(fields);
        if by_agent {
            booking["triggeredByUserId"] = json!(named("agent", 1));
            booking["triggeredByUserEmail"] =
                json!(format!("agent{}@example.org", self.skewed(AGENTS)));
        }
        booking["appointment"] = json!({
            "date": format!("{date}T00:00:00"), "cuIndex": self.skewed(if service == 150 { 40 } else { 3 }), "start": start,
            "timeLocal": local, "timeUtc": format!("{local}Z"), "timeZoneId": "UTC", "duration": 15 + 15 * self.below(3),
            "preventSelfCheckIn": false,
        });
        booking.to_string()
    }
}

/// RFC 1321, as no dependency of the service has it.
fn md5(message: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let word = |at: usize| u32::from_le_bytes(block[at * 4..at * 4 + 4].try_into().unwrap());
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64_usize {
            let (mix, at) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let constant = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a
                .wrapping_add(mix)
                .wrapping_add(constant)
                .wrapping_add(word(at));
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
        }
        state = [
            state[0].wrapping_add(a),
            state[1].wrapping_add(b),
            state[2].wrapping_add(c),
            state[3].wrapping_add(d),
        ];
    }
    let mut digest = [0; 16];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}
