//! What would have been decided, on ledgers in memory and on those that real servers wrote.

use serde_json::{Value, json};

use super::eventful;
use super::ledger::{Ledger, body, cap};
use crate::policy::kind::Kind;
use crate::replay::event::StoredEvent;
use crate::replay::simulation::{Change, Period, Simulation};

/// As `bookwarden simulate --json` prints it.
fn simulate(events: &[StoredEvent], from: i64, change: &Change) -> Value {
    let last = events.last().expect("an event");
    let period = Period {
        org: last.org.parse().expect("an organization"),
        from,
        to: last.seq,
    };
    let mut simulation = Simulation::new(&period, change, usize::MAX);
    let events: Vec<_> = events.iter().map(StoredEvent::view).collect();
    simulation.events(&events);
    serde_json::to_value(simulation.finish()).expect("JSON")
}

/// One policy's row, or that there is none.
fn with(kind: Kind, id: i64, row: Option<&str>) -> Change {
    let payload = format!(
        r#"{{"version":1,"id":{id},"old":null,"new":{}}}"#,
        row.unwrap_or("null")
    );
    let mut change = Change::default();
    change.add(kind.table(), &payload, None).expect("a change");
    change
}

fn numbers<const N: usize>(simulated: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| simulated[name].as_u64().expect("a number"))
}

const DIFFERENCES: [&str; 4] = ["decisions", "differing", "newlyCancelled", "newlyBooked"];

fn ids(simulated: &Value) -> Vec<i64> {
    let differences = simulated["differences"].as_array().expect("a list");
    let ids = differences.iter().map(|each| each["decisionId"].as_i64());
    ids.map(|id| id.expect("a number")).collect()
}

#[test]
fn where_nothing_is_otherwise_nothing_differs() {
    let ledger = eventful();
    for from in 1..=ledger.events.len() as i64 {
        let simulated = simulate(&ledger.events, from, &Change::default());
        assert_eq!(simulated["recorded"], simulated["simulated"], "from {from}");
        assert_eq!(simulated["findings"], json!([]), "from {from}");
        assert_eq!(simulated["differing"], 0, "from {from}");
    }
}

#[test]
fn nothing_differs_in_any_golden_ledger() {
    let mut decisions = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut ledgers: Vec<Vec<StoredEvent>> = Vec::new();
        let mut attachment = None;
        for line in text.lines() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            if let Some(found) = line.get_mut("attachment") {
                attachment = Some(serde_json::from_value(found.take()).unwrap());
            } else if let Some(event) = line.get_mut("event") {
                let mut event: StoredEvent = serde_json::from_value(event.take()).unwrap();
                event.attachment = attachment.take();
                match ledgers.last_mut() {
                    Some(ledger) if ledger[0].org == event.org => ledger.push(event),
                    _ => ledgers.push(vec![event]),
                }
            }
        }
        for ledger in ledgers {
            let simulated = simulate(&ledger, 1, &Change::default());
            assert_eq!(simulated["recorded"], simulated["simulated"]);
            assert_eq!(simulated["findings"], json!([]));
            assert_eq!(numbers(&simulated, ["differing", "notDecided"]), [0, 0]);
            decisions += simulated["decisions"].as_u64().unwrap();
        }
    }
    assert!(decisions > 100, "{decisions}");
}

/// Three on one calendar: two and three have no room under a cap of one, unless one moves away before.
#[test]
fn places_are_those_that_would_have_been_taken() {
    let mut ledger = Ledger::new();
    let asked = [body(1, 0, 600), body(2, 0, 610), body(3, 0, 620)];
    let decisions = asked.map(|body| ledger.ask(&body));
    let one = cap(9, 1, "enforce");
    let change = with(Kind::CapacityCaps, 9, Some(&one));
    let simulated = simulate(&ledger.events, 1, &change);
    assert_eq!(numbers(&simulated, DIFFERENCES), [3, 2, 2, 0]);
    assert_eq!(ids(&simulated), decisions[1..]);
    let second = &simulated["differences"][0];
    assert_eq!(second["recorded"]["outcome"], "approved");
    assert_eq!(second["simulated"]["outcome"], "cancelled");
    let cap = &second["simulated"]["policies"][0];
    assert_eq!([&cap["used"], &cap["max"]], [1, 1], "the second took none");
    assert_eq!(
        simulated["findings"][0],
        json!({"kind": "capacity_caps", "id": 9, "name": null, "mode": "enforce", "verdict": "refused", "recorded": 0, "simulated": 2})
    );

    ledger.ask(&body(1, 1, 600));
    let fifth = ledger.ask(&body(4, 0, 630));
    let simulated = simulate(&ledger.events, 1, &change);
    assert_eq!(ids(&simulated), decisions[1..]);
    assert!(fifth > decisions[2], "which has the place of the first");
}

/// What was before is as it was, also where it could not have come about.
#[test]
fn a_period_begins_with_the_places_that_are_recorded() {
    let mut ledger = Ledger::new();
    ledger.ask(&body(1, 0, 600));
    let second = ledger.ask(&body(2, 0, 610));
    let third = ledger.ask(&body(3, 0, 620));
    let change = with(Kind::CapacityCaps, 9, Some(&cap(9, 1, "enforce")));
    let simulated = simulate(&ledger.events, second + 1, &change);
    assert_eq!(numbers(&simulated, DIFFERENCES), [1, 1, 1, 0]);
    assert_eq!(ids(&simulated), [third]);
    assert_eq!(
        simulated["differences"][0]["simulated"]["policies"][0]["used"],
        2
    );
}

/// The policy that is changed stays so, whatever was done to it; the others change as they did.
#[test]
fn only_the_changed_policy_is_otherwise() {
    let mut ledger = Ledger::new();
    let (one, many) = (cap(5, 1, "enforce"), cap(5, 50, "enforce"));
    ledger.change(Kind::CapacityCaps, 5, None, Some(&many));
    ledger.ask(&body(1, 0, 600));
    ledger.change(Kind::CapacityCaps, 5, Some(&many), Some(&one));
    let second = ledger.ask(&body(2, 0, 610));
    ledger.change(Kind::CapacityCaps, 6, None, Some(&cap(6, 2, "enforce")));
    let third = ledger.ask(&body(3, 0, 620));
    ledger.change(Kind::CapacityCaps, 5, Some(&one), None);
    let fourth = ledger.ask(&body(4, 0, 630));

    // Never there: the second is booked, then the other cap is what refuses the third, and the fourth, which was booked.
    let never = simulate(&ledger.events, 1, &with(Kind::CapacityCaps, 5, None));
    assert_eq!(ids(&never), [second, fourth]);
    assert_eq!(numbers(&never, DIFFERENCES), [4, 2, 1, 1]);
    // Always there, though it was deleted in the end.
    let always = simulate(&ledger.events, 1, &with(Kind::CapacityCaps, 5, Some(&one)));
    assert_eq!(ids(&always), [fourth]);
    assert!(third < fourth, "refused either way");
}

/// A case that ends gives back the place that it would have, whether or not it had it.
#[test]
fn a_case_that_ends_gives_its_place_back() {
    let mut ledger = Ledger::new();
    let none = cap(5, 0, "enforce");
    ledger.change(Kind::CapacityCaps, 5, None, Some(&none));
    let first = ledger.ask(&body(1, 0, 600));
    ledger.change(Kind::CapacityCaps, 5, Some(&none), None);
    ledger.close(1);
    ledger.ask(&body(2, 0, 610));
    ledger.close(2);
    ledger.ask(&body(3, 0, 620));
    let change = with(Kind::CapacityCaps, 5, Some(&cap(5, 1, "enforce")));
    assert_eq!(ids(&simulate(&ledger.events, 1, &change)), [first]);
}

/// Of an erased decision only the local time is left, by which its place would be given back hours too early or too late.
#[test]
fn a_recorded_place_is_given_back_as_recorded() {
    let mut ledger = Ledger::new();
    ledger.ask(&body(1, 0, 600));
    ledger.close(1);
    let second = ledger.ask(&body(2, 0, 610));
    let third = ledger.ask(&body(3, 0, 620));
    for event in &mut ledger.events {
        // Between the local time and the true one, as UTC.
        event.recorded_at = "2027-03-09T10:30:00Z".parse().unwrap();
    }
    for event in &mut ledger.events[..2] {
        (event.payload, event.body, event.salt) = (None, None, None);
    }
    let change = with(Kind::CapacityCaps, 9, Some(&cap(9, 1, "enforce")));
    let simulated = simulate(&ledger.events, 1, &change);
    assert_eq!(
        ids(&simulated),
        [third],
        "{second} has the place of the first"
    );
}

/// Who tries again what would have been booked the first time gets that answer (promise 4).
#[test]
fn what_is_booked_is_answered_again() {
    let mut ledger = Ledger::new();
    let none = cap(5, 0, "enforce");
    ledger.change(Kind::CapacityCaps, 5, None, Some(&none));
    let first = ledger.ask(&body(1, 0, 600));
    ledger.wait(61);
    let again = ledger.ask(&body(1, 0, 600));
    let simulated = simulate(&ledger.events, 1, &with(Kind::CapacityCaps, 5, None));
    assert_eq!(ids(&simulated), [first, again]);
    assert_eq!(
        simulated["differences"][1]["simulated"],
        json!({"answeredAs": first, "cancelled": false})
    );
    assert_eq!(
        numbers(&simulated, ["answeredAgain", "newlyBooked"]),
        [1, 2]
    );
    assert_eq!(simulated["recorded"]["cancelled"], 2);
    assert_eq!(simulated["simulated"]["approved"], 1);
}

#[test]
fn an_answer_that_says_something_else_differs() {
    let mut ledger = Ledger::new();
    let none = cap(5, 0, "enforce");
    ledger.change(Kind::CapacityCaps, 5, None, Some(&none));
    ledger.ask(&body(1, 0, 600));
    let said = none.replace(r#""message":null"#, r#""message":"Not here.""#);
    let simulated = simulate(&ledger.events, 1, &with(Kind::CapacityCaps, 5, Some(&said)));
    assert_eq!(numbers(&simulated, DIFFERENCES), [1, 1, 0, 0]);
    let reason = &simulated["differences"][0]["simulated"]["cancellationReason"];
    assert_eq!(reason, "Not here.");
    assert_eq!(simulated["findings"], json!([]), "it refuses as often");
    // In shadow it books, and says how often it would not have.
    let shadow = cap(5, 0, "shadow");
    let simulated = simulate(
        &ledger.events,
        1,
        &with(Kind::CapacityCaps, 5, Some(&shadow)),
    );
    assert_eq!(numbers(&simulated, DIFFERENCES), [1, 1, 0, 1]);
    let found: Vec<_> = (simulated["findings"].as_array().unwrap().iter())
        .map(|each| {
            format!(
                "{} {} {}",
                each["mode"], each["recorded"], each["simulated"]
            )
        })
        .collect();
    assert_eq!(found, [r#""enforce" 1 0"#, r#""shadow" 0 1"#]);
}

#[test]
fn what_was_erased_is_taken_as_recorded() {
    let mut ledger = Ledger::new();
    ledger.ask(&body(1, 0, 600));
    for event in &mut ledger.events[..2] {
        (event.payload, event.body, event.salt) = (None, None, None);
    }
    let second = ledger.ask(&body(2, 0, 610));
    let change = with(Kind::CapacityCaps, 9, Some(&cap(9, 1, "enforce")));
    let simulated = simulate(&ledger.events, 1, &change);
    assert_eq!(numbers(&simulated, ["decisions", "notDecided"]), [1, 1]);
    assert_eq!(ids(&simulated), [second]);
}
