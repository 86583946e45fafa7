//! The core alone, without IO: criterion's benches, in a process of their own.

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use bookwarden::cubu::request::{self, Booking};
use bookwarden::cubu::signature::{Mac, matches, sign};
use bookwarden::ledger::digest::{GENESIS, Header, chain, payload_digest, sha256};
use bookwarden::policy::change::PolicyChange;
use bookwarden::policy::decide::Draft;
use bookwarden::policy::facts::Facts;
use bookwarden::policy::kind::Kind;
use bookwarden::policy::set::PolicySet;
use bookwarden::policy::tallies::Tally;
use chrono::{DateTime, Utc};
use criterion::Criterion;
use serde::Deserialize;

use crate::Bench;
use crate::failure::Failure;

const BODY: &str = include_str!("../../../tests/samples/before-book-appointment.json");
const SECRET: &str = "bench-secret";
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// As the benches below are named.
const NAMES: [&str; 6] = ["decide", "needs", "signature", "parse", "digest", "chain"];

/// What criterion keeps of each.
#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

pub fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench.report.section("The core alone");
    let this = std::env::current_exe().map_err(Failure::run("this program"))?;
    let home = bench.cluster.folder().join("criterion");
    let output = Command::new(this)
        .arg("--measure-core")
        .env("CRITERION_HOME", &home)
        .output()
        .map_err(Failure::run("this program"))?;
    if !output.status.success() {
        return Err(Failure::Program {
            program: "the core's benches".to_owned(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    for name in NAMES {
        let path = home.join(name).join("new/estimates.json");
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        let estimates: Estimates =
            serde_json::from_str(&text).map_err(|_| Failure::Unreadable {
                program: "criterion".to_owned(),
                output: text.clone(),
            })?;
        bench.report.figure(
            &format!("core: {name}"),
            estimates.mean.point_estimate / 1000.0,
            "µs",
        );
    }
    Ok(())
}

/// Leaves what it finds where `CRITERION_HOME` says.
pub fn measure() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    decisions(&mut criterion);
    wire(&mut criterion);
    ledger(&mut criterion);
}

fn booking() -> Booking {
    request::parse(BODY).expect("the sample is a booking")
}

/// A cap on the sample's service, one on every calendar, and a thousand on other services.
fn policies() -> PolicySet {
    let mut set = PolicySet::default();
    let booking = booking();
    for id in 0..1002_i64 {
        let service = match id {
            0 => "null".to_owned(),
            1 => format!("\"{}\"", booking.service_id),
            other => format!("\"00000000-0000-4000-8000-{other:012}\""),
        };
        let row = format!(
            r#"{{"id": {id}, "org": "default", "name": null, "mode": "enforce", "service_id": {service}, "on_error": "ignore",
                "max_appointments": 1000, "counted_per": "calendar", "period": "day"}}"#
        );
        let change = PolicyChange {
            kind: Kind::CapacityCaps,
            id,
            old: None,
            new: Some(&row),
        };
        set.apply(&change).expect("the row is a cap");
    }
    set
}

fn decisions(criterion: &mut Criterion) {
    let booking = booking();
    let policies = policies();
    let buckets = Draft::new(&booking, &policies, NOW).buckets().count();
    criterion.bench_function("needs", |bencher| {
        bencher.iter(|| Draft::new(black_box(&booking), &policies, NOW).needs(|_| true));
    });
    criterion.bench_function("decide", |bencher| {
        bencher.iter(|| {
            let facts = Facts {
                blocked: Vec::new(),
                counts: vec![Tally::default(); buckets],
                customer_places: Vec::new(),
                own_place: None,
            };
            Draft::new(black_box(&booking), &policies, NOW).decide(&facts)
        });
    });
}

fn wire(criterion: &mut Criterion) {
    let authorization = sign(SECRET, BODY.as_bytes());
    criterion.bench_function("signature", |bencher| {
        bencher.iter(|| {
            let mac = Mac::from_header(black_box(&authorization)).expect("the header holds a mac");
            assert!(matches(SECRET, black_box(BODY.as_bytes()), &mac));
        });
    });
    criterion.bench_function("parse", |bencher| {
        bencher.iter(|| request::parse(black_box(BODY)));
    });
}

fn ledger(criterion: &mut Criterion) {
    let digest = sha256(BODY.as_bytes());
    criterion.bench_function("digest", |bencher| {
        bencher.iter(|| payload_digest(&[7; 16], black_box("{}"), Some(BODY)));
    });
    criterion.bench_function("chain", |bencher| {
        let header = Header {
            org: "default",
            seq: 1_000_000,
            event_type: "booking.decided",
            recorded_at: NOW,
            caused_by: Some(999_999),
        };
        bencher.iter(|| chain(&GENESIS, black_box(&digest), &header));
    });
}
