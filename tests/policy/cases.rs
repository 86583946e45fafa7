//! The cases in `tests/cases`: each file is one organization's policies and the places taken, with bookings and what is wanted.
//!
//! A booking is what is different from the sample (and `at`, its time); a policy row what is different from the defaults, its
//! `id` being its position. An `answer` is whole but for the keys that keep everything; an `explanation` names each policy that
//! applied, in order, with as much of what was compared as matters. Each booking of a file is decided on its own.

use std::path::Path;

use bookwarden::cubu::response::Response;
use bookwarden::policy::decide::{Decision, Outcome};
use bookwarden::policy::kind::Kind;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::rows::{booking, row};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "says")]
    _says: String,
    #[serde(default)]
    organization: Map<String, Value>,
    policies: Vec<Map<String, Value>>,
    #[serde(default)]
    places: Vec<Value>,
    #[serde(default = "long_before")]
    now: DateTime<Utc>,
    bookings: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    says: String,
    now: Option<DateTime<Utc>>,
    #[serde(default)]
    booking: Map<String, Value>,
    answer: Map<String, Value>,
    body: Option<String>,
    explanation: Vec<Map<String, Value>>,
}

/// Monday, 2027-03-01, 10:00 in Jerusalem: eight days before the sample's appointment.
fn long_before() -> DateTime<Utc> {
    "2027-03-01T08:00:00Z".parse().unwrap()
}

#[test]
fn every_case_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the cases are there");
    let mut faults = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let case: Case =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for asked in &case.bookings {
            for fault in check(&case, asked) {
                faults.push(format!("{name}: {}: {fault}", asked.says));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

fn check(case: &Case, asked: &Asked) -> Vec<String> {
    let decision = decide(case, asked, false);
    let again = decide(case, asked, true);
    let mut faults = Vec::new();
    let mut compare = |what: &str, found: Value, wanted: Value, same: bool| {
        if !same {
            faults.push(format!("{what}\n  found  {found}\n  wanted {wanted}"));
        }
    };

    let body = decision.response.to_body();
    let found: Value = serde_json::from_str(&body).unwrap();
    let mut wanted: Value = serde_json::from_str(&Response::default().to_body()).unwrap();
    for (key, value) in &asked.answer {
        assert!(wanted.get(key).is_some(), "the answer has no key {key}");
        wanted[key] = value.clone();
    }
    let outcome = match (found["cancelled"] == true, asked.answer.is_empty()) {
        (true, _) => Outcome::Cancelled,
        (false, true) => Outcome::Approved,
        (false, false) => Outcome::Modified,
    };
    compare(
        "outcome",
        decision.outcome.as_str().into(),
        outcome.as_str().into(),
        decision.outcome == outcome,
    );
    let same = found == wanted;
    compare("answer", found, wanted, same);
    if let Some(wanted) = &asked.body {
        compare(
            "body",
            body.as_str().into(),
            wanted.as_str().into(),
            body == *wanted,
        );
    }

    let found = explanation(&decision);
    let wanted = asked.explanation.iter().map(|policy| {
        let mut whole = Map::from_iter([("mode".to_owned(), json!("enforce"))]);
        whole.extend(policy.clone());
        Value::Object(whole)
    });
    let wanted = Value::Array(wanted.collect());
    let same = includes(&found, &wanted);
    compare("explanation", found.clone(), wanted, same);

    let backwards = explanation(&again);
    let same = found == backwards && body == again.response.to_body();
    compare(
        "with policies and places in the opposite order",
        backwards,
        found,
        same,
    );
    faults
}

fn decide(case: &Case, asked: &Asked, backwards: bool) -> Decision {
    let mut world = World::default();
    world.insert(
        Kind::Organizations,
        1,
        &row(Kind::Organizations, 1, &case.organization),
    );
    let mut policies: Vec<_> = (1..).zip(&case.policies).collect();
    let mut places: Vec<_> = (1..).zip(&case.places).collect();
    if backwards {
        policies.reverse();
        places.reverse();
    }
    for (id, policy) in policies {
        let mut columns = policy.clone();
        let table = columns.remove("kind").expect("a policy has a kind");
        let kind = table
            .as_str()
            .and_then(Kind::of_table)
            .unwrap_or_else(|| panic!("{table} is not a kind"));
        world.insert(kind, id, &row(kind, id, &columns));
    }
    for (number, place) in places {
        let mut place = place.clone();
        let case_id = place.as_object_mut().unwrap().entry("caseId");
        case_id.or_insert_with(|| format!("00000000-0000-4000-8000-{number:012}").into());
        world.hold(&booking(&place));
    }
    world.book(
        &booking(&Value::Object(asked.booking.clone())),
        asked.now.unwrap_or(case.now),
    )
}

fn explanation(decision: &Decision) -> Value {
    serde_json::from_str(&decision.explanation()).unwrap()
}

/// Whether everything wanted is there: lists whole and in order, objects by the wanted keys; a wanted null may also be absent.
fn includes(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| includes(found, wanted))
        }
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| includes(found.get(key).unwrap_or(&Value::Null), wanted)),
        (found, wanted) => found == wanted,
    }
}
