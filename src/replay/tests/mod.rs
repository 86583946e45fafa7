//! Whole ledgers, true and tampered with.

mod ledger;
mod reach;
mod simulation;
mod tampering;

use ledger::{Ledger, blocked, body, cap, replay, replay_within};

use std::collections::BTreeSet;

use super::report::What;
use super::run::{Replay, Scope};
use crate::ledger::event::{
    AUDIT_EXPORTED, BOOKING_CONFIRMED, BOOKING_DECIDED, BOOKING_RELEASED, BOOKING_REPEATED,
    BOOKING_REQUESTED, CASE_CLOSED, REQUEST_REJECTED, SECRET_ADDED, SECRET_EXPIRED,
    SIGNATURE_REQUIRED, SIGNATURE_WAIVED, TOKEN_CREATED, TOKEN_REVOKED,
};
use crate::policy::kind::Kind;

/// The field of the sample that holds a phone number, and that number.
const PHONE_FIELD: &str = "4848ba2d-a80a-4f3c-b170-578d19899e2f";

/// Policies made, changed and deleted; approvals, refusals, moves, repeats, a retry after the window; a rejection.
fn eventful() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.ask(&body(1, 0, 600));
    let (two, one) = (cap(5, 2, "enforce"), cap(5, 1, "enforce"));
    ledger.change(Kind::CapacityCaps, 5, None, Some(&two));
    ledger.change(Kind::CapacityCaps, 6, None, Some(&cap(6, 1, "shadow")));
    ledger.ask(&body(2, 0, 610));
    ledger.ask(&body(3, 0, 620));
    ledger.ask(&body(3, 0, 620));
    ledger.reject();
    ledger.ask(&body(1, 1, 600));
    ledger.ask(&body(1, 1, 600));
    ledger.wait(61);
    ledger.ask(&body(3, 0, 620));
    ledger.change(Kind::CapacityCaps, 5, Some(&two), Some(&one));
    ledger.ask(&body(4, 1, 600));
    ledger.ask(&body(5, 2, 600));
    ledger.create_many(
        Kind::CustomerBlocklist,
        &[
            (1, blocked(1, PHONE_FIELD, "none")),
            (2, blocked(2, PHONE_FIELD, " +972501234567")),
        ],
    );
    ledger.ask(&body(6, 3, 600));
    ledger.change(
        Kind::CustomerBlocklist,
        2,
        Some(&blocked(2, PHONE_FIELD, " +972501234567")),
        None,
    );
    ledger.wait(61);
    ledger.ask(&body(6, 3, 600));
    ledger.change(Kind::CapacityCaps, 5, Some(&one), None);
    ledger.ask(&body(7, 3, 600));
    ledger
}

#[test]
fn a_true_ledger_replays() {
    let ledger = eventful();
    let summary = replay(&ledger.events, &ledger.head());
    assert!(summary.holds(), "{:#?}", summary.told);
    assert_eq!(
        (
            summary.decisions,
            summary.repeats,
            summary.rejected,
            summary.policy_changes
        ),
        (10, 2, 1, 6)
    );
    assert_eq!(summary.events, 29);
    let outcomes: Vec<&str> = ledger
        .events
        .iter()
        .filter_map(|event| event.outcome.as_deref())
        .collect();
    assert_eq!(
        outcomes,
        [
            "approved",
            "approved",
            "cancelled",
            "approved",
            "approved",
            "cancelled",
            "approved",
            "cancelled",
            "approved",
            "approved"
        ]
    );
}

/// An instant that the columns do not have: it is in the request.
#[test]
fn events_that_are_folded_unchecked_leave_the_places_that_checking_leaves() {
    let ledger = eventful();
    let places = |from| {
        let scope = Scope {
            from: Some(from),
            ..Scope::default()
        };
        let mut replay = Replay::new(scope, Default::default());
        replay.begin("default");
        let events: Vec<_> = ledger.events.iter().map(|event| event.view()).collect();
        replay.events(&events);
        let places = &replay.state().unwrap().places;
        let held = |case_id| format!("{case_id} {:?}", places.held(case_id));
        places.cases().into_iter().map(held).collect::<Vec<_>>()
    };
    let checked = places(1);
    assert_eq!(checked.len(), 6);
    assert!(
        checked[0].contains("starts_at: 2027-03-09T08:"),
        "not local time: {}",
        checked[0]
    );
    for from in [2, 9, 1_000] {
        assert_eq!(places(from), checked);
    }
}

#[test]
fn an_event_that_was_erased_keeps_its_links_and_what_it_did() {
    let mut ledger = eventful();
    for event in &mut ledger.events[..2] {
        (event.payload, event.body, event.salt) = (None, None, None);
    }
    let summary = replay(&ledger.events, &ledger.head());
    let told: Vec<_> = (summary.told.iter().map(|told| (told.seq, told.what))).collect();
    assert_eq!(told, [(1, What::Erased), (2, What::Erased)]);

    let allowed = Scope {
        allow_erased: true,
        ..Scope::default()
    };
    let summary = replay_within(allowed, &ledger.events, &ledger.head());
    assert!(summary.holds(), "{:#?}", summary.told);
    assert_eq!((summary.erased, summary.decisions), (2, 9));
}

/// Written by real servers; see tests/it/replay.rs.
#[test]
fn every_golden_ledger_replays() {
    let mut replayed = 0;
    let mut types = BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "ndjson")
        {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                types.extend(line["event"]["type"].as_str().map(str::to_owned));
            }
            let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
            let summary =
                super::file::replay(file, Default::default(), Default::default(), None, &mut ())
                    .unwrap();
            assert!(summary.holds(), "{path:?}: {:#?}", summary.told);
            assert!(summary.decisions > 0);
            replayed += 1;
        }
    }
    assert!(replayed > 0);
    for event_type in [
        BOOKING_REQUESTED,
        BOOKING_DECIDED,
        BOOKING_REPEATED,
        BOOKING_CONFIRMED,
        BOOKING_RELEASED,
        CASE_CLOSED,
        REQUEST_REJECTED,
        AUDIT_EXPORTED,
        TOKEN_CREATED,
        TOKEN_REVOKED,
        SECRET_ADDED,
        SECRET_EXPIRED,
        SIGNATURE_WAIVED,
        SIGNATURE_REQUIRED,
        "policy.created",
        "policy.updated",
        "policy.deleted",
    ] {
        assert!(
            types.contains(event_type),
            "no golden ledger has {event_type}"
        );
    }
}

mod files {
    use std::io::Write as _;

    use super::*;
    use crate::org::Org;
    use crate::replay::file;

    use crate::replay::{Options, ReplayError, Source, Summary, check_snapshot};

    fn lines(ledger: &Ledger) -> Vec<String> {
        let mut text = Vec::new();
        file::write_events(&mut text, &ledger.events, &ledger.head()).unwrap();
        String::from_utf8(text)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn read_text(text: &str) -> Result<Summary, ReplayError> {
        file::replay(
            text.as_bytes(),
            Scope::default(),
            Default::default(),
            None,
            &mut (),
        )
    }

    fn replay_text(text: &str) -> Summary {
        read_text(text).unwrap()
    }

    /// Nothing was proven.
    #[test]
    fn a_file_of_no_ledger_is_an_error() {
        let mut lines = lines(&eventful()).into_iter();
        let attachment = lines.find(|line| line.starts_with(r#"{"attachment""#));
        for text in ["", &attachment.unwrap()] {
            let error = read_text(text).unwrap_err();
            assert!(matches!(error, ReplayError::NoLedger), "{error}");
        }
    }

    #[test]
    fn an_exported_ledger_replays_and_a_cut_one_does_not() {
        let lines = lines(&eventful());
        assert!(replay_text(&lines.join("\n")).holds());
        for cut in 1..lines.len() {
            assert!(
                !replay_text(&lines[..cut].join("\n")).holds(),
                "cut after {cut} lines"
            );
        }
    }

    #[tokio::test]
    async fn a_snapshot_anywhere_leads_to_the_same_end() {
        let folder = std::env::temp_dir().join(format!("bookwarden-replay-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (export, snapshot, end, other_end) = (
            folder.join("export"),
            folder.join("snapshot"),
            folder.join("end"),
            folder.join("other-end"),
        );
        let ledger = eventful();
        std::fs::File::create(&export)
            .unwrap()
            .write_all(lines(&ledger).join("\n").as_bytes())
            .unwrap();
        let source = &mut Source::File(&export);
        let save_end = Options {
            save_snapshot: Some(end.clone()),
            ..Options::default()
        };
        assert!(
            crate::replay::replay(source, &save_end, &mut ())
                .await
                .unwrap()
                .holds()
        );

        for event in &ledger.events {
            let to = Scope {
                org: Some(Org::default_org()),
                to: Some(event.seq),
                ..Scope::default()
            };
            let save = Options {
                scope: to,
                save_snapshot: Some(snapshot.clone()),
                ..Options::default()
            };
            let saved = crate::replay::replay(source, &save, &mut ()).await;
            if event.event_type == "booking.requested" {
                assert!(saved.is_err());
                continue;
            }
            assert!(saved.unwrap().holds());
            assert!(
                check_snapshot(source, &snapshot, &mut ())
                    .await
                    .unwrap()
                    .holds()
            );
            let go_on = Options {
                from_snapshot: Some(snapshot.clone()),
                save_snapshot: Some(other_end.clone()),
                ..Options::default()
            };
            let summary = crate::replay::replay(source, &go_on, &mut ())
                .await
                .unwrap();
            assert!(summary.holds(), "from {}: {:#?}", event.seq, summary.told);
            assert_eq!(summary.events, 29 - event.seq as u64);
            assert_eq!(
                std::fs::read(&end).unwrap(),
                std::fs::read(&other_end).unwrap()
            );

            if event.seq == 29 {
                continue;
            }
            let from = Options {
                scope: Scope {
                    from: Some(event.seq + 1),
                    ..Scope::default()
                },
                save_snapshot: Some(other_end.clone()),
                ..Options::default()
            };
            assert!(
                crate::replay::replay(source, &from, &mut ())
                    .await
                    .unwrap()
                    .holds()
            );
            assert_eq!(
                std::fs::read(&end).unwrap(),
                std::fs::read(&other_end).unwrap()
            );
        }

        let text = std::fs::read_to_string(&end).unwrap();
        let changed = text.replacen("\"cu_index\":1", "\"cu_index\":2", 1);
        assert_ne!(text, changed);
        std::fs::write(&snapshot, &changed).unwrap();
        assert!(
            check_snapshot(source, &snapshot, &mut ()).await.is_err(),
            "its digest tells"
        );
        let body = &changed[..changed.trim_end().rfind('\n').unwrap() + 1];
        let digest = hex::encode(crate::ledger::digest::sha256(body.as_bytes()));
        std::fs::write(
            &snapshot,
            format!("{body}{{\"end\":{{\"digest\":\"{digest}\"}}}}\n"),
        )
        .unwrap();
        let summary = check_snapshot(source, &snapshot, &mut ()).await.unwrap();
        assert_eq!(summary.mismatches, 1, "the fold tells");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
