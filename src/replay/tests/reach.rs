//! What is asked about must be among what is read: else a replay that looked at nothing would say that all matches.

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::ledger::digest::Digest;
use crate::org::Org;
use crate::replay::run::{Noted, Start};
use crate::replay::{Options, Source, Summary, check_snapshot, file};

/// From the state that a replay up to a number reaches, or from the beginning.
fn replay_after(ledger: &Ledger, start: Option<i64>, scope: Scope) -> Summary {
    let views: Vec<_> = ledger.events.iter().map(|event| event.view()).collect();
    let mut starts = BTreeMap::new();
    if let Some(to) = start {
        let up_to = Scope {
            to: Some(to),
            ..Scope::default()
        };
        let mut replay = Replay::new(up_to, BTreeMap::new());
        replay.begin("default");
        replay.events(&views[..usize::try_from(to).unwrap()]);
        let reached = replay.end(None).unwrap();
        let (position, state) = (reached.position, reached.state);
        starts.insert("default".to_owned(), Start { position, state });
    }
    let to = scope.to.unwrap_or(i64::MAX);
    let mut replay = Replay::new(scope, starts);
    let from = replay.begin("default");
    let read: Vec<_> = (views.into_iter())
        .filter(|event| (from..=to).contains(&event.seq))
        .collect();
    replay.events(&read);
    replay.end(Some(&ledger.head()));
    replay.finish()
}

fn told(summary: &Summary) -> Vec<(What, &str, &str)> {
    let told = summary.told.iter();
    told.map(|told| (told.what, &*told.expected, &*told.found))
        .collect()
}

fn noted(seq: i64, chain: Digest) -> Scope {
    Scope {
        noted: Some(Noted { seq, chain }),
        ..Scope::default()
    }
}

#[test]
fn an_event_that_was_noted_must_be_there_wherever_reading_begins() {
    let ledger = eventful();
    let chain = |seq: usize| Digest::try_from(&*ledger.events[seq - 1].chain).unwrap();
    for start in [None, Some(8)] {
        for seq in [9, 29] {
            let summary = replay_after(&ledger, start, noted(seq as i64, chain(seq)));
            assert!(summary.holds(), "{:#?}", summary.told);
            let summary = replay_after(&ledger, start, noted(seq as i64, [7; 32]));
            assert_eq!(told(&summary)[0].0, What::Noted);
        }
        let summary = replay_after(&ledger, start, noted(1_000, [7; 32]));
        assert_eq!(
            told(&summary),
            [(What::Noted, "event 1000", "an end at event 29")]
        );
    }
    // The snapshot itself, and what is before it.
    assert!(replay_after(&ledger, Some(8), noted(8, chain(8))).holds());
    let summary = replay_after(&ledger, Some(8), noted(8, [7; 32]));
    assert_eq!(told(&summary)[0].0, What::Noted);
    let summary = replay_after(&ledger, Some(8), noted(5, chain(5)));
    let beginning = "a beginning after event 8, which does not tell";
    assert_eq!(told(&summary), [(What::Noted, "event 5", beginning)]);

    for text in ["0", "-3"] {
        assert!(
            format!("{text}:{}", "00".repeat(32))
                .parse::<Noted>()
                .is_err()
        );
    }
}

#[test]
fn a_range_of_no_event_does_not_match() {
    let ledger = eventful();
    let range = |from, to| Scope {
        from,
        to,
        ..Scope::default()
    };
    let end = "an end at event 29";
    let summary = replay_after(&ledger, None, range(Some(30), None));
    let wanted = "event 30, from which on to check";
    assert_eq!(told(&summary), [(What::Number, wanted, end)]);
    let summary = replay_after(&ledger, None, range(None, Some(30)));
    let wanted = "event 30, up to which to read";
    assert_eq!(told(&summary), [(What::Number, wanted, end)]);
    let summary = replay_after(&ledger, Some(8), range(None, Some(5)));
    let beginning = "a beginning after event 8, which does not tell";
    let wanted = "event 5, up to which to read";
    assert_eq!(told(&summary), [(What::Number, wanted, beginning)]);

    // Of a range, what was checked and what was taken as recorded.
    let summary = replay_after(&ledger, None, range(Some(12), None));
    assert!(summary.holds());
    let read = &summary.orgs[0];
    assert_eq!((read.after, read.checked_from, read.last), (0, 12, 29));
    // Nothing has come since.
    assert!(replay_after(&ledger, Some(29), Scope::default()).holds());
}

#[test]
fn a_snapshot_of_a_ledger_that_is_gone_is_not_passed_over() {
    let ledger = eventful();
    let start = Start::default();
    let mut replay = Replay::new(
        Scope::default(),
        BTreeMap::from([("gone".to_owned(), start)]),
    );
    replay.begin("default");
    let views: Vec<_> = ledger.events.iter().map(|event| event.view()).collect();
    replay.events(&views);
    replay.end(Some(&ledger.head()));
    let summary = replay.finish();
    let wanted = "the ledger of the snapshot";
    assert_eq!(told(&summary), [(What::Head("last_seq"), wanted, "none")]);
}

#[tokio::test]
async fn a_snapshot_is_kept_only_of_what_matches() {
    let folder = std::env::temp_dir().join(format!("bookwarden-reach-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (export, snapshot) = (folder.join("export"), folder.join("snapshot"));
    fs::write(&snapshot, "an earlier one").unwrap();
    let mut ledger = eventful();
    ledger.events[3].chain = vec![7; 32];
    let mut out = fs::File::create(&export).unwrap();
    file::write_events(&mut out, &ledger.events, &ledger.head()).unwrap();

    let options = Options {
        scope: Scope {
            org: Some(Org::default_org()),
            ..Scope::default()
        },
        save_snapshot: Some(snapshot.clone()),
        ..Options::default()
    };
    let source = &mut Source::File(&export);
    let replayed = crate::replay::replay(source, &options, &mut ()).await;
    assert!(!replayed.unwrap().holds());
    assert_eq!(fs::read_to_string(&snapshot).unwrap(), "an earlier one");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);

    fs::write(&snapshot, "").unwrap();
    let error = check_snapshot(source, &snapshot, &mut ())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it has no ledger"), "{error}");
    fs::remove_dir_all(&folder).unwrap();
}
