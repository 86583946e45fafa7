//! Counting from what was counted once and for all: the same numbers as without, however far that is.

use std::collections::BTreeMap;

use bookwarden::ledger::counts::{NUMBERS, TRAITS};
use bookwarden::replay::{Scope, verify};
use reqwest::Client;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::replay::{behind_the_triggers_back, eventful};
use crate::support::{Server, TestApp, until};

/// Ranges that are full, in each of two ledgers; and a part of one.
const RANGES: i64 = 20;

/// Two weeks in which clocks are put back in Jerusalem and in New York. Every number but each third is a decision; every fifth of them met
/// policy 1, in batches that end before, at and behind ranges' ends, and every seventh another.
const GROWN: &str = "
    insert into policy.organizations (org) values ('second');
    insert into access.audit_tokens (org, name, role, token_digest) values ('second', 'tests', 'auditor', sha256('second-token'));
    insert into policy.capacity_caps (org, max_appointments) select 'second', n from generate_series(1, 7) n;
    insert into ledger.events (
        org, seq, recorded_at, type, payload_digest, chain, case_id, request_digest, outcome, unit_id, service_id, cu_index, appointment_date,
        channel, booked_by)
    select o.org, n, timestamptz '2027-10-26' + n * interval '14 days' / {numbers},
           case when n % 3 = 0 then 'booking.repeated' else 'booking.decided' end, '', '', gen_random_uuid(), '',
           case when n % 5 = 0 then 'cancelled' when n % 7 = o.many then 'modified' else 'approved' end, md5('unit' || n % 3)::uuid,
           md5('service' || n % 21 * o.many)::uuid, 0, '2027-11-01', case when n % 4 > 0 then 'Phone' end,
           case when n % 2 = 0 then 'agent' else 'self-service' end
    from (select h.org, case h.org when 'default' then 1 else 2 end as many, h.last_seq from ledger.heads h) as o
    cross join generate_series(o.last_seq + 1, {numbers}) n;
    insert into ledger.policy_hits (org, policy_kind, policy_id, verdict, mode, batch_seq, seqs)
    select o.org, 'capacity_caps', case when n % 5 = 0 then 1 else 1 + n % 7 end, case when n % 10 = 0 then 'refused' else 'allowed' end,
           o.mode, n / 100 * 100 + 99, array_agg(n order by n)
    from (values ('default', 'enforce'), ('second', 'shadow')) as o (org, mode)
    cross join generate_series(30, {numbers}) n
    where n % 3 > 0 and (n % 5 = 0 or n % 7 = 0) group by 1, 3, 4, 5, 6;
    update ledger.heads set last_seq = {numbers}, last_recorded_at = timestamptz '2027-11-09'";

/// While it is open, nobody counts: it holds the lock of who does.
pub async fn nobody_counts(app: &TestApp) -> PgConnection {
    let mut connection = PgConnection::connect(&app.database_url).await.unwrap();
    sqlx::raw_sql("select pg_advisory_lock(x'626f6f6b636f756e'::bigint)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

/// Waits until all is counted that can be.
pub async fn until_counted(app: &TestApp) {
    let uncounted = format!(
        "select count(*) from ledger.heads h where h.last_seq / {NUMBERS} * {} >
             (select count(*) from ledger.decision_counts c where c.org = h.org)",
        TRAITS.len()
    );
    until("all is counted", async || app.number(&uncounted).await == 0).await;
}

async fn ask(app: &TestApp, token: &str, question: &str) -> Value {
    let url = format!("{}/v1/stats?{question}", app.server.url);
    let response = Client::new().get(url).bearer_auth(token).send();
    let response = response.await.expect("an answer");
    let status = response.status();
    let answer: Value = response.json().await.expect("JSON");
    assert!(status.is_success(), "{question}: {answer}");
    answer
}

/// What both organizations' auditors are told, whatever they ask.
async fn answers(app: &TestApp) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    let spans = [
        "",
        "&from=2027-10-29&until=2027-11-05",
        "&from=2027-10-30T11:07:03Z&until=2027-10-31T03:20:01Z",
        "&until=2027-10-26T02:00:00Z",
        "&from=2027-11-08T22:10:00Z",
    ];
    for token in ["test-token", "second-token"] {
        for span in spans {
            for by in ["outcome", "unitId", "serviceId", "channel", "bookedBy"] {
                for (bucket, zone) in [
                    ("hour", "Asia/Kolkata"),
                    ("hour", "America/New_York"),
                    ("day", "Asia/Kathmandu"),
                    ("day", "Asia/Jerusalem"),
                    ("week", "UTC"),
                ] {
                    let question = format!("by={by}&bucket={bucket}&timeZone={zone}{span}");
                    let answer = ask(app, token, &question).await;
                    answers.insert(format!("{token} {question}"), answer);
                }
            }
            let question = format!("by=policy{span}");
            let answer = ask(app, token, &question).await;
            answers.insert(format!("{token} {question}"), answer);
        }
    }
    answers
}

fn assert_same(answers: &BTreeMap<String, Value>, known: &BTreeMap<String, Value>) {
    assert_eq!(answers.len(), known.len());
    for (question, answer) in answers {
        assert_eq!(answer, &known[question], "{question}");
    }
}

#[tokio::test]
async fn answers_are_the_same_before_during_and_after_counting() {
    let app = TestApp::start().await;
    let held = nobody_counts(&app).await;
    let numbers = RANGES * NUMBERS + NUMBERS / 2;
    app.sql(&GROWN.replace("{numbers}", &numbers.to_string()))
        .await;
    let known = answers(&app).await;
    let totals = &known["test-token by=outcome&bucket=day&timeZone=Asia/Jerusalem"]["totals"];
    let cancelled = app.number("select count(*) from ledger.events where org = 'default' and type = 'booking.decided' and outcome = 'cancelled'").await;
    assert_eq!(totals["cancelled"], cancelled);
    let policies = &known["second-token by=policy"]["items"];
    let met = app.number("select sum(cardinality(seqs))::bigint from ledger.policy_hits where org = 'second' and policy_id = 1").await;
    assert_eq!(policies[0]["met"], met);
    let counted = "select count(*) from ledger.decision_counts";
    assert_eq!(app.number(counted).await, 0);

    // A server on a ledger from before there were counts, and another beside it.
    held.close().await.unwrap();
    let _other = Server::start(&app.database_url);
    until_counted(&app).await;
    assert_same(&answers(&app).await, &known);

    // As if they were not as far yet; with a hole, in one trait or in all; with rows that cannot be read.
    let _held = nobody_counts(&app).await;
    let half = RANGES / 2 * NUMBERS;
    for done in [
        format!("delete from ledger.decision_counts where last_seq > {half}"),
        format!(
            "delete from ledger.decision_counts where first_seq = {NUMBERS} * 3 + 1 and counted_by in ('outcome', 'policy', 'quarterHour')"
        ),
        format!(
            "update ledger.decision_counts set positions = '\\x00' where first_seq = {NUMBERS} * 2 + 1"
        ),
        "update ledger.decision_counts set decisions = decisions[2:] where first_seq = 1"
            .to_owned(),
    ] {
        app.sql(&done).await;
        assert_same(&answers(&app).await, &known);
    }
}

#[tokio::test]
async fn what_was_counted_holds_and_stays_when_texts_are_erased() {
    let app = eventful().await;
    until_counted(&app).await;
    assert!(
        app.number("select count(*) from ledger.decision_counts where org = 'default'")
            .await
            > 0
    );
    app.check().await;
    let known = ask(&app, "test-token", "by=serviceId&bucket=hour").await;
    let policies = ask(&app, "test-token", "by=policy").await;

    let gauge = "bookwarden_uncounted_events{org=\"default\"} ";
    until("the metric is there", async || {
        let metrics = reqwest::get(format!("{}/metrics", app.server.url)).await;
        let text = metrics.expect("an answer").text().await.expect("a text");
        text.contains(gauge)
    })
    .await;

    behind_the_triggers_back(
        &app,
        "update ledger.events set payload = null, body = null, salt = null where type in ('booking.requested', 'booking.decided') and seq < 50",
    )
    .await;
    let _held = nobody_counts(&app).await;
    let scope = Scope {
        allow_erased: true,
        ..Scope::default()
    };
    let mut connection = PgConnection::connect(&app.database_url).await.unwrap();
    let verified = verify(&mut connection, scope, &mut ()).await.unwrap();
    let mut told = verified.differences.told.iter();
    assert!(
        !told.any(|told| told.table == "ledger.decision_counts"),
        "{verified:#?}"
    );
    for erased in ["select", "truncate ledger.decision_counts"] {
        app.sql(erased).await;
        assert_eq!(
            ask(&app, "test-token", "by=serviceId&bucket=hour").await,
            known
        );
        assert_eq!(ask(&app, "test-token", "by=policy").await, policies);
    }
}
