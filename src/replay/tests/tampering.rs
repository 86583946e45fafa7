//! Whatever is done to a ledger is found, and named by its number.

use super::eventful;
use super::ledger::{Ledger, body, cap, replay};
use crate::policy::kind::Kind;
use crate::replay::event::StoredEvent;
use crate::replay::report::{Summary, What};

/// A part of an event.
type Of<T> = fn(&mut StoredEvent) -> &mut T;

/// Replays after a change of the events.
fn after(tamper: impl FnOnce(&mut Ledger)) -> Summary {
    let mut ledger = eventful();
    let head = ledger.head();
    tamper(&mut ledger);
    replay(&ledger.events, &head)
}

/// The same, by somebody who computes digests, chain and head anew.
fn after_forging(from: usize, forge: impl FnOnce(&mut Ledger)) -> Summary {
    let mut ledger = eventful();
    forge(&mut ledger);
    ledger.prove_from(from);
    replay(&ledger.events, &ledger.head())
}

fn first(summary: &Summary) -> (i64, What) {
    let first = summary.first.as_ref().expect("a mismatch");
    (first.seq, first.what)
}

#[test]
fn any_byte_of_any_text_or_digest() {
    let ledger = eventful();
    let head = ledger.head();
    for index in 0..ledger.events.len() {
        let seq = index as i64 + 1;
        let texts: [(Of<Option<String>>, &str); 2] = [
            (|event| &mut event.payload, "payload"),
            (|event| &mut event.body, "body"),
        ];
        for (text, name) in texts {
            let mut events = ledger.events.clone();
            let Some(length) = text(&mut events[index]).as_ref().map(String::len) else {
                continue;
            };
            for position in (0..length).step_by(17) {
                let mut events = ledger.events.clone();
                let text = text(&mut events[index]).as_mut().unwrap();
                let byte = text.as_bytes()[position];
                if !byte.is_ascii() {
                    continue;
                }
                text.replace_range(position..=position, if byte == b'0' { "1" } else { "0" });
                assert_eq!(
                    first(&replay(&events, &head)),
                    (seq, What::PayloadDigest),
                    "{name} at {position}"
                );
            }
        }
        let bytes: [(Of<Vec<u8>>, What); 3] = [
            (|event| event.salt.as_mut().unwrap(), What::PayloadDigest),
            (|event| &mut event.payload_digest, What::PayloadDigest),
            (|event| &mut event.chain, What::Chain),
        ];
        for (bytes, what) in bytes {
            let mut events = ledger.events.clone();
            bytes(&mut events[index])[7] ^= 1;
            assert_eq!(first(&replay(&events, &head)), (seq, what));
        }
    }
}

#[test]
fn any_column() {
    let ledger = eventful();
    let head = ledger.head();
    let lines: Vec<serde_json::Value> = ledger
        .events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .collect();
    for (index, line) in lines.iter().enumerate() {
        for (column, value) in line.as_object().unwrap() {
            if ["org", "seq", "payload", "body", "salt"].contains(&column.as_str()) {
                continue;
            }
            for other in [
                serde_json::json!(null),
                serde_json::json!(3),
                serde_json::json!("agent"),
                serde_json::json!("0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f"),
                serde_json::json!("2027-03-11"),
                serde_json::json!("2027-03-11T00:00:00Z"),
                serde_json::json!("00".repeat(32)),
            ] {
                let mut changed = line.clone();
                changed[column] = other.clone();
                let Ok(mut event) = serde_json::from_value::<StoredEvent>(changed) else {
                    continue;
                };
                if other == *value {
                    continue;
                }
                event
                    .attachment
                    .clone_from(&ledger.events[index].attachment);
                let mut events = ledger.events.clone();
                events[index] = event;
                let summary = replay(&events, &head);
                let seq = index as i64 + 1;
                let told: Vec<i64> = summary.told.iter().map(|mismatch| mismatch.seq).collect();
                assert!(
                    told.contains(&seq),
                    "{column} of {seq} from {value} to {other}: {told:?}"
                );
            }
        }
    }
}

#[test]
fn events_dropped_swapped_renumbered() {
    for index in 0..eventful().events.len() {
        let seq = index as i64 + 1;
        let dropped = after(|ledger| drop(ledger.events.remove(index)));
        match dropped.first.as_ref().map(|first| (first.seq, first.what)) {
            Some((found, What::Number)) => assert_eq!(found, seq + 1),
            Some((found, What::Head("last_seq"))) => assert_eq!(found, seq - 1),
            // A decision that is gone is first missed by its request.
            other => assert_eq!(other, Some((seq - 1, What::Undecided))),
        }
    }
    assert_eq!(
        first(&after(|ledger| ledger.events.swap(3, 4))),
        (5, What::Number)
    );
    let renumbered = after(|ledger| {
        ledger.events.swap(11, 12);
        (ledger.events[11].seq, ledger.events[12].seq) = (12, 13);
    });
    assert_eq!(first(&renumbered), (11, What::Undecided));
    let tail = after(|ledger| {
        ledger.events.remove(10);
        ledger.events[10..]
            .iter_mut()
            .for_each(|event| event.seq -= 1);
    });
    assert_eq!(first(&tail), (11, What::Chain));
}

#[test]
fn a_head_that_is_not_the_last_event() {
    let ledger = eventful();
    let mut head = ledger.head();
    head.last_seq += 1;
    assert_eq!(
        first(&replay(&ledger.events, &head)),
        (29, What::Head("last_seq"))
    );
    let mut head = ledger.head();
    head.policy_version -= 1;
    assert_eq!(
        first(&replay(&ledger.events, &head)),
        (29, What::Head("policy_version"))
    );
}

#[test]
fn a_forged_answer_with_right_digests() {
    let decided = eventful()
        .events
        .iter()
        .position(|event| event.outcome.as_deref() == Some("cancelled"))
        .unwrap();
    let seq = decided as i64 + 1;
    let edit = |from: &'static str, to: &'static str| {
        after_forging(decided, move |ledger| {
            let payload = ledger.events[decided].payload.as_mut().unwrap();
            assert!(payload.contains(from), "{payload}");
            *payload = payload.replacen(from, to, 1);
        })
    };
    assert_eq!(
        first(&edit("\"cancelled\":true", "\"cancelled\":false")),
        (seq, What::Response)
    );
    assert_eq!(
        first(&edit("\"used\":2", "\"used\":3")),
        (seq, What::Policies)
    );
    assert_eq!(
        first(&edit("\"policyVersion\":4", "\"policyVersion\":3")),
        (seq, What::PolicyVersion)
    );
    assert_eq!(
        first(&edit("\"version\":2", "\"version\":3")),
        (seq, What::Unreadable)
    );
    assert_eq!(
        first(&edit("\"policyVersion\"", " \"policyVersion\"")),
        (seq, What::Payload)
    );
}

#[test]
fn a_forged_policy_with_right_digests() {
    let edit = |from: &'static str, to: &'static str| {
        after_forging(2, move |ledger| {
            let payload = ledger.events[2].payload.as_mut().unwrap();
            assert!(payload.contains(from), "{payload}");
            *payload = payload.replacen(from, to, 1);
        })
    };
    // A cap of 3 would have let through what was refused; and the next change knows the row as it was.
    let seqs: Vec<(i64, What)> = edit("\"max_appointments\":2", "\"max_appointments\":3")
        .told
        .iter()
        .map(|told| (told.seq, told.what))
        .collect();
    assert_eq!(seqs[0], (6, What::Policies));
    assert!(seqs.contains(&(8, What::Response)) && seqs.iter().any(|told| told.1 == What::OldRow));
    assert_eq!(first(&edit("\"id\":5", "\"id\":9")), (3, What::NewRow));
    assert_eq!(
        first(&edit("\"org\":\"default\"", "\"org\":\"other\"")),
        (3, What::NewRow)
    );
    assert_eq!(
        first(&edit("\"capacity_caps\"", "\"capacity_taps\"")),
        (3, What::Unreadable)
    );
}

#[test]
fn an_attachment_that_is_gone_or_changed() {
    let bulk = eventful()
        .events
        .iter()
        .position(|event| event.attachment.is_some())
        .unwrap();
    let seq = bulk as i64 + 1;
    assert_eq!(
        first(&after(|ledger| ledger.events[bulk].attachment = None)),
        (seq, What::Attachment)
    );
    let changed = after(|ledger| {
        let attachment = ledger.events[bulk].attachment.as_mut().unwrap();
        let payload = attachment.payload.as_mut().unwrap();
        *payload = payload.replace("972501234567", "972501234568");
    });
    assert_eq!(first(&changed), (seq, What::Attachment));
}

#[test]
fn a_repeat_of_what_does_not_stand_and_a_decision_where_an_answer_stood() {
    let mut ledger = Ledger::new();
    ledger.change(Kind::CapacityCaps, 1, None, Some(&cap(1, 0, "enforce")));
    ledger.ask(&body(1, 0, 600));
    ledger.wait(60);
    ledger.ask(&body(1, 0, 600));
    assert!(replay(&ledger.events, &ledger.head()).holds());
    // As if it had come within the window: then the answer stood.
    for event in &mut ledger.events[3..] {
        event.recorded_at -= chrono::TimeDelta::microseconds(1);
    }
    ledger.prove_from(3);
    assert_eq!(
        first(&replay(&ledger.events, &ledger.head())),
        (5, What::Repeat)
    );

    let mut ledger = Ledger::new();
    ledger.change(Kind::CapacityCaps, 1, None, Some(&cap(1, 0, "enforce")));
    ledger.ask(&body(1, 0, 600));
    ledger.wait(59);
    ledger.ask(&body(1, 0, 600));
    assert_eq!(ledger.events.last().unwrap().event_type, "booking.repeated");
    ledger.events[3].recorded_at += chrono::TimeDelta::seconds(1);
    ledger.prove_from(3);
    assert_eq!(
        first(&replay(&ledger.events, &ledger.head())),
        (4, What::Repeat)
    );
}

#[test]
fn a_request_without_its_decision_and_time_that_runs_backwards() {
    let undecided = after_forging(1, |ledger| {
        ledger.events.remove(1);
        ledger
            .events
            .iter_mut()
            .skip(1)
            .for_each(|event| event.seq -= 1);
    });
    assert_eq!(first(&undecided), (1, What::Undecided));
    let backwards = after_forging(6, |ledger| {
        ledger.events[6].recorded_at -= chrono::TimeDelta::seconds(1)
    });
    assert_eq!(first(&backwards), (7, What::Time));
    let unknown = after_forging(8, |ledger| {
        ledger.events[8].event_type = "booking.guessed".to_owned()
    });
    assert_eq!(first(&unknown).1, What::Type);
}
