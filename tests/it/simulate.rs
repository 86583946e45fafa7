//! `bookwarden simulate`: what other policies would have decided is what they decide, and nothing comes of it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::after_booking::tell;
use crate::replay::eventful;
use crate::support::{BOOKWARDEN, TestApp, booking, bookwarden, bookwarden_prints, case_id, until};

fn simulated(app: &TestApp, arguments: &[&str], sql: &str) -> Value {
    let arguments = [&["simulate", "--json", "--most", "1000"], arguments].concat();
    let line = bookwarden_prints(&app.database_url, &arguments, sql);
    serde_json::from_str(&line).expect("a line of JSON")
}

fn complaint(app: &TestApp, arguments: &[&str], sql: &str) -> String {
    let output = bookwarden(&app.database_url, &[&["simulate"], arguments].concat(), sql);
    assert!(!output.status.success(), "{arguments:?} {sql}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

const OTHERWISE: &str = "
    begin;
    set local bookwarden.reason = 'from January on';
    insert into policy.capacity_caps (max_appointments, message) values (2, 'Full.');
    insert into policy.customer_limits (max_appointments, mode) values (1, 'shadow');
    insert into policy.rules (condition, priority, set_channel) values ('minuteOfDay >= 700', 5, 'Video');
    insert into policy.customer_blocklist (field_type_id, field_value, message)
    values ('4848ba2d-a80a-4f3c-b170-578d19899e2f', '+972501234599', 'Please call us.');
    commit;";

/// Bookings of several calendars, some of a blocked customer, some that move, some that end.
fn bookings() -> Vec<Value> {
    let mut bookings = Vec::new();
    for number in 0..30 {
        let mut asked = booking();
        asked["appointment"]["cuIndex"] = (number % 4).into();
        asked["appointment"]["start"] = (600 + 10 * number).into();
        if number % 7 == 3 {
            asked["fields"]["4848ba2d-a80a-4f3c-b170-578d19899e2f"] = "+972501234599".into();
        }
        let mut moved = asked.clone();
        bookings.push(asked);
        if number % 5 == 2 {
            moved["appointment"]["cuIndex"] = 4.into();
            bookings.push(moved);
        }
    }
    bookings
}

/// Each decision by its answer: of what is asked in the same order.
async fn answers(app: &TestApp, bookings: &[Value]) -> Vec<(i64, Value)> {
    let mut answers = Vec::new();
    for (number, asked) in bookings.iter().enumerate() {
        let answered = app.book(asked).await;
        answers.push((answered.decision_id.expect("a decision"), answered.json));
        if number % 6 == 4 {
            let closed = json!({ "caseId": case_id(&bookings[number - 3]) });
            tell(app, "afterClose", &closed).await;
        }
    }
    answers
}

#[tokio::test]
async fn what_would_have_been_decided_is_what_those_policies_decide() {
    let bookings = bookings();
    let app = TestApp::start().await;
    let recorded = answers(&app, &bookings).await;
    let simulated = simulated(&app, &["-"], OTHERWISE);
    let other = TestApp::start().await;
    other.sql(OTHERWISE).await;
    let decided = answers(&other, &bookings).await;

    let differences = simulated["differences"].as_array().expect("a list");
    let mut differing = differences.iter().peekable();
    let mut cancelled = 0;
    for ((decision, recorded), (_, decided)) in recorded.iter().zip(&decided) {
        let found = differing.next_if(|found| found["decisionId"] == *decision);
        let answer = found.map_or(recorded, |found| {
            assert_eq!(&found["recorded"]["response"], recorded);
            &found["simulated"]["response"]
        });
        assert_eq!(answer, decided, "decision {decision}");
        cancelled += u64::from(decided["cancelled"] == true);
    }
    assert!(differing.next().is_none(), "{differences:?}");
    assert!(
        (5..bookings.len()).contains(&differences.len()),
        "{}",
        differences.len()
    );
    assert_eq!(simulated["simulated"]["cancelled"], cancelled);
    assert_eq!(simulated["changedPolicies"], 4);

    // Each explanation, too: what the policies found is what is recorded there.
    let found = simulated["findings"].as_array().expect("a list");
    let total: u64 = found
        .iter()
        .map(|each| each["simulated"].as_u64().expect("a number"))
        .sum();
    let recorded = "select sum(cardinality(seqs))::bigint from ledger.policy_hits";
    assert_eq!(
        i64::try_from(total).ok(),
        Some(other.number(recorded).await)
    );
    app.check().await;
    other.check().await;
}

#[tokio::test]
async fn nothing_comes_of_it() {
    let app = eventful().await;
    let state = "select string_agg(org || last_seq || last_chain::text, ',' order by org) || (select count(*) from policy.capacity_caps)
        || (select count(*) from policy.staged_changes) || (select count(*) from ledger.attachments) from ledger.heads";
    let before = app.text(state).await;
    let bulk = "insert into policy.customer_blocklist (field_type_id, field_value) select gen_random_uuid(), n::text from generate_series(1, 5000) n; delete from policy.capacity_caps";
    let found = simulated(
        &app,
        &["-"],
        &OTHERWISE.replace("commit;", &format!("{bulk};\ncommit;")),
    );
    assert!(found["changedPolicies"].as_i64() > Some(5_000), "{found}");
    assert_eq!(app.text(state).await, before);
    app.check().await;
}

/// However long the change takes.
#[tokio::test]
async fn bookings_go_on_while_the_change_runs() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (5)")
        .await;
    let change = "update policy.capacity_caps set max_appointments = 0; delete from policy.rules; select pg_sleep(600)";
    let mut simulating = Command::new(BOOKWARDEN)
        .args(["simulate", "-"])
        .env("DATABASE_URL", &app.database_url)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("bookwarden starts");
    let mut stdin = simulating.stdin.take().expect("stdin is piped");
    stdin.write_all(change.as_bytes()).expect("written");
    drop(stdin);
    let sleeping = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    until("it has changed", async || app.number(sleeping).await > 0).await;
    assert!(
        !app.book(&booking()).await.cancelled(),
        "by the cap of five"
    );
    app.sql("insert into policy.capacity_caps (max_appointments) values (4)")
        .await;
    assert!(!app.book(&booking()).await.cancelled());
    // Nor does it go on when nobody wants to know any more.
    simulating.kill().expect("killed");
    simulating.wait().expect("an end");
    until("it is over", async || app.number(sleeping).await == 0).await;
    app.check().await;
}

/// Somebody edits the policy that the change is about, and does not come to an end.
#[tokio::test]
async fn bookings_and_administrators_are_not_held_up() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (5)")
        .await;
    app.book(&booking()).await;
    let mut administrator = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let mut editing = administrator.begin().await.expect("a transaction");
    let edit = "update policy.capacity_caps set max_appointments = 4";
    sqlx::raw_sql(edit)
        .execute(&mut *editing)
        .await
        .expect("edited");
    let head = app.hold_head().await;
    let said = complaint(&app, &["-"], edit);
    assert!(said.contains("lock timeout"), "{said}");
    editing.rollback().await.expect("the lock goes");
    // The ledger's head is none of its business.
    assert_eq!(simulated(&app, &["-"], edit)["decisions"], 1);
    drop(head);
    app.check().await;
}

#[tokio::test]
async fn without_a_change_policies_are_as_they_are_now() {
    let app = TestApp::start().await;
    let first = app.book(&booking()).await.decision_id.expect("a decision");
    let second = app.book(&booking()).await.decision_id.expect("a decision");
    app.sql("insert into policy.capacity_caps (name, max_appointments) values ('one', 1)")
        .await;
    let third = app.book(&booking()).await;
    assert!(third.cancelled());
    let whole = simulated(&app, &[], "");
    assert_eq!(whole["newlyCancelled"], 1);
    assert_eq!(whole["differences"][0]["decisionId"], second);
    assert_eq!(whole["findings"][0]["name"], "one");
    let since = app
        .text("select recorded_at::text from ledger.events where seq = 3")
        .await;
    let since = since.replace(' ', "T").replace("+00", "Z");
    for arguments in [["--from", &(first + 1).to_string()], ["--since", &since]] {
        assert_eq!(
            simulated(&app, &arguments, "")["differing"],
            1,
            "{arguments:?}"
        );
    }
    // Also where they were changed after the period's end; what begins at its end is not in it.
    let before = simulated(&app, &["--to", &second.to_string()], "");
    assert_eq!([&before["decisions"], &before["differing"]], [2, 1]);
    assert_eq!(simulated(&app, &["--until", &since], "")["decisions"], 0);
    let none = complaint(&app, &["--from", &(second + 2).to_string()], "");
    assert!(
        none.contains("no policy of default has changed since event"),
        "{none}"
    );
    let mine = "update policy.capacity_caps set max_appointments = 2 where name = 'one'";
    let mine = simulated(&app, &["--to", &second.to_string(), "-"], mine);
    assert_eq!([&mine["decisions"], &mine["differing"]], [2, 0]);
    app.check().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_simulated_says_why() {
    let app = TestApp::start().await;
    app.found("north").await;
    app.book(&booking()).await;
    for (sql, expected) in [
        (
            "select 1;\n\ninsert into policy.caps values (1)",
            "in line 3: relation \"policy.caps\" does not exist",
        ),
        (
            "insert into policy.capacity_caps (max_appointments) values (-1)",
            "max_appointments_is_not_negative",
        ),
        ("\\copy policy.rules from 'x'", "without psql's commands"),
        (
            "delete from policy.rules; commit; select 1",
            "on the first and the last line, or none",
        ),
        (
            "set constraints all immediate; update policy.organizations set mode = 'shadow'",
            "a simulated change must not be committed. Leave out",
        ),
        (
            "do $$ begin commit; end $$",
            "invalid transaction termination",
        ),
        ("delete from ledger.events", "append-only"),
        (
            "truncate policy.rules",
            "TRUNCATE keeps bookings waiting, so it cannot be simulated. Delete the rows",
        ),
        ("-- nothing", "touches no policy of default"),
        (
            "update policy.organizations set mode = 'shadow' where org = 'north'",
            "touches no policy of default, only of north: name that by --org",
        ),
    ] {
        let said = complaint(&app, &["-"], sql);
        assert!(said.contains(expected), "{sql}: {said}");
    }
    for (arguments, expected) in [
        (&["--org", "south", "-"][..], "there is no ledger south"),
        (
            &["--from", "900"],
            "the ledger default has no such events: it ends at",
        ),
        (&["--to", "900"], "it ends at"),
        (&["--since", "2999-01-01"], "it ends at"),
        (
            &["--since", "+12027-01-01"],
            "must be a date or an RFC 3339 time",
        ),
        (
            &["--since", "yesterday"],
            "must be a date or an RFC 3339 time",
        ),
        (
            &["--from", "2", "--since", "2026-01-01"],
            "cannot be used with",
        ),
        (&["no-such-file.sql"], "cannot read no-such-file.sql"),
    ] {
        let said = complaint(&app, arguments, "");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert_eq!(
        app.number("select count(*) from policy.organizations where mode = 'shadow'")
            .await,
        0
    );
    app.check().await;
}

/// What is so now need not have been so before.
#[tokio::test]
async fn a_row_that_is_as_the_change_has_it_is_held_so_too() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (name, max_appointments) values ('raised', 0)")
        .await;
    assert!(app.book(&booking()).await.cancelled());
    let raise = "update policy.capacity_caps set max_appointments = 10 where name = 'raised'";
    app.sql(raise).await;
    // A file as some editors write it.
    let found = simulated(
        &app,
        &["-"],
        &format!("\u{feff}begin;\r\n{raise};\r\ncommit;\r\n"),
    );
    assert_eq!([&found["changedPolicies"], &found["newlyBooked"]], [1, 1]);
    // With the rights of an admin, who may not read what was staged.
    let as_admin = format!("set local role bookwarden_policy_admin; {raise}");
    assert_eq!(simulated(&app, &["-"], &as_admin)["newlyBooked"], 1);
    let events = app.number("select count(*) from ledger.events").await;
    app.sql(raise).await;
    let then = app.number("select count(*) from ledger.events").await;
    assert_eq!(then, events, "but it is no change");
    app.check().await;
}

/// Why does it do nothing?
#[tokio::test]
async fn policies_that_do_nothing_are_named() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    let sql = "insert into policy.rules (name, condition, cancel) values ('misspelled', 'channel = \"Video\"', true);
        insert into policy.capacity_caps (name, max_appointments, active_from) values ('from now on', 0, now());
        insert into policy.capacity_caps (name, max_appointments, channel) values ('small', 0, 'video');
        update policy.organizations set retry_window_seconds = 30";
    let found = simulated(&app, &["-"], sql);
    assert_eq!([&found["differing"], &found["meetingNone"]], [0, 2]);
    let unmet = found["unmet"].as_array().expect("a list");
    let names: Vec<_> = unmet.iter().map(|unmet| &unmet["name"]).collect();
    assert_eq!(names, ["from now on", "small"]);
    let error = found["findings"][0]["error"].as_str().unwrap_or_default();
    assert_eq!(error, "line 1, column 9: write == to compare");
    let said = bookwarden_prints(&app.database_url, &["simulate", "-"], sql);
    for expected in [
        "1 decision, with 4 policies otherwise",
        "misspelled  error    0         1",
        ": line 1, column 9: write == to compare",
        "that would have met no booking (off, not active then, or out of scope):\ncapacity_caps",
        "from now on",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    app.check().await;
}

/// For people: three tables, and what they were about.
#[tokio::test]
async fn what_is_printed_names_the_policy_and_the_decision() {
    let app = TestApp::start().await;
    app.book(&booking()).await;
    let second = app.book(&booking()).await.decision_id.expect("a decision");
    app.book(&booking()).await;
    let sql = "insert into policy.capacity_caps (name, max_appointments, message) values ('1 a day', 1, 'Full.')";
    let said = bookwarden_prints(&app.database_url, &["simulate", "-", "--most", "1"], sql);
    for expected in [
        "3 decisions, with 1 policy otherwise than recorded",
        "approved   3         1",
        "cancelled  0         2",
        "2 answers differ: 2 booked would be cancelled, 0 cancelled would be booked",
        "1 a day  refused  0         2",
        &format!(
            "decision {second} (2027-03-09 10:50, calendar 0 of service 3031af97-328d-4df1-a528-cf198e4e7897): approved; would be cancelled: \"Full.\""
        ),
        "and 1 more (--most)",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    app.check().await;
}

/// The cookbook's files, as they are.
#[tokio::test]
async fn every_recipe_can_be_simulated() {
    let app = TestApp::start().await;
    for number in 0..3 {
        let mut asked = booking();
        asked["appointment"]["cuIndex"] = number.into();
        app.book(&asked).await;
    }
    for recipe in
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/cookbook")).expect("a folder")
    {
        let path = recipe.expect("a file").path();
        let path = path.to_str().expect("text");
        let found = simulated(&app, &[path], "");
        assert!(
            found["changedPolicies"].as_u64() >= Some(1),
            "{path}: {found}"
        );
        assert_eq!(found["decisions"], 3, "{path}");
    }
    app.check().await;
}
