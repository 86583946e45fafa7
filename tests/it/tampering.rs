//! Every column of everything that a ledger is made of, and of what follows from it, changed by somebody with all rights: each is found
//! and named.

use bookwarden::ledger::counts::NUMBERS;
use bookwarden::replay::{Noted, Scope, Verified, verify};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::audit_counts::{nobody_counts, until_counted};
use crate::replay::{behind_the_triggers_back, eventful};
use crate::support::TestApp;

pub async fn verified(app: &TestApp, scope: Scope) -> Verified {
    let mut connection = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    verify(&mut connection, scope, &mut ())
        .await
        .expect("the ledger can be read")
}

/// What somebody may put there instead, by the column's type.
fn forgeries(column: &str, data_type: &str) -> Vec<String> {
    let texts: &[&str] = match data_type {
        "text" => &["coalesce($, '') || ' '", "'x'", "null"],
        "bytea" => &["sha256(coalesce($, ''))", "'\\x00'", "null"],
        "uuid" => &["gen_random_uuid()", "null"],
        "bigint" | "integer" => &["coalesce($, 0) + 1", "-$", "null"],
        "date" => &[
            "coalesce($, 'today') + 1",
            "'infinity'",
            "'-infinity'",
            "null",
        ],
        "timestamp with time zone" => &[
            "coalesce($, now()) + interval '1 microsecond'",
            "'infinity'",
            "'-infinity'",
            "'4000-01-01 00:00:00+00 BC'",
            "null",
        ],
        "boolean" => &["not $"],
        "jsonb" => &["'{\"he\": \"other\"}'", "null"],
        "ARRAY" if column == "seqs" => &[
            "seqs || 999999",
            "seqs[2:]",
            "array_replace(seqs, seqs[1], 3::bigint)",
        ],
        "ARRAY" if column == "keys" => &["keys[2:]", "array_replace(keys, keys[1], 'x')"],
        "ARRAY" if ["decisions", "newest"].contains(&column) => {
            &["$[2:]", "array_replace($, $[1], $[1] + 1)"]
        }
        "ARRAY" => &["null"],
        other => panic!("a type without a forgery: {other}"),
    };
    texts.iter().map(|text| text.replace('$', column)).collect()
}

async fn columns(app: &TestApp, schema: &str, table: &str) -> Vec<(String, String)> {
    sqlx::query_as(
        "select column_name::text, data_type::text from information_schema.columns
         where table_schema = $1 and table_name = $2 order by ordinal_position",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(&app.database)
    .await
    .expect("columns")
}

/// Changes every column of one row, each in at most so many ways, and wants each found by `told`.
async fn forge(
    app: &TestApp,
    schema: &str,
    table: &str,
    row: &str,
    most: usize,
    told: impl Fn(&Verified) -> bool,
) -> usize {
    let name = format!("{schema}.{table}");
    let mut forged = 0;
    let mut connection = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(format!(
        "set session_replication_role = replica; create table public.kept as select * from {name};
         alter table public.kept drop column if exists reason_hash"
    )))
    .execute(&mut connection)
    .await
    .expect("a copy");
    for (column, data_type) in columns(app, schema, table).await {
        // By this, pages are cut; the ledger does not say where batches end, so it is only checked to be in order.
        let in_order_only = column == "batch_seq";
        for value in forgeries(&column, &data_type).into_iter().take(most) {
            if in_order_only && value.contains('+') {
                continue;
            }
            let there = if most > 1 {
                "true".to_owned()
            } else {
                format!("{column} is not null")
            };
            let update = format!(
                "update {name} set {column} = {value} where {row} and {there} and {column} is distinct from {value}"
            );
            // What the table's own constraints refuse even to a superuser is no forgery.
            let Ok(done) = sqlx::raw_sql(AssertSqlSafe(update.clone()))
                .execute(&mut connection)
                .await
            else {
                continue;
            };
            if done.rows_affected() == 0 {
                continue;
            }
            forged += 1;
            let verified = verified(app, Scope::default()).await;
            assert!(!verified.holds(), "{update}: not found");
            assert!(
                told(&verified),
                "{update}: {:#?} {:#?}",
                verified.ledger.told,
                verified.differences.told
            );
            sqlx::raw_sql(AssertSqlSafe(format!("delete from {name}; insert into {name} overriding system value select * from public.kept")))
                .execute(&mut connection)
                .await
                .expect("put back");
        }
    }
    sqlx::raw_sql("drop table public.kept")
        .execute(&mut connection)
        .await
        .expect("dropped");
    forged
}

#[tokio::test]
async fn any_column_of_any_kind_of_event() {
    let app = eventful().await;
    // Without the constraints that a superuser would drop first.
    app.sql("alter table ledger.events drop constraint seq_is_positive; alter table ledger.events alter payload_digest drop not null, alter chain drop not null, alter type drop not null, alter recorded_at drop not null").await;
    let rows: Vec<(i64, bool)> = sqlx::query_as(
        "select min(seq), type = 'booking.decided' from ledger.events where org = 'default' group by type, attachment_id is null order by 1",
    )
    .fetch_all(&app.database)
    .await
    .expect("rows");
    assert!(rows.len() >= 9, "{rows:?}");
    let mut forged = 0;
    for (seq, decided) in rows {
        // A decision has every column but those of a policy; of the others, those that they have.
        let most = if decided { 9 } else { 1 };
        let row = format!("org = 'default' and seq = {seq}");
        // At the event itself, or at the first that misses it.
        let near = seq - 1..=seq + 1;
        forged += forge(&app, "ledger", "events", &row, most, |verified| {
            (verified.ledger.told.iter())
                .any(|told| told.org == "default" && (near.contains(&told.seq) || told.seq == -seq))
        })
        .await;
    }
    assert!(forged > 100, "{forged}");
}

#[tokio::test]
async fn any_column_of_heads_attachments_and_projections() {
    let app = eventful().await;
    app.sql("alter table ledger.heads drop constraint org_name; alter table ledger.attachments alter payload_digest drop not null").await;
    let named = |verified: &Verified| !verified.ledger.told.is_empty();
    assert!(forge(&app, "ledger", "heads", "org = 'default'", 9, named).await > 8);
    let one = "attachment_id = (select min(attachment_id::text)::uuid from ledger.attachments)";
    let bulk = app.number("select seq from ledger.events where attachment_id = (select min(attachment_id::text)::uuid from ledger.attachments)").await;
    let named = |verified: &Verified| verified.ledger.told.iter().any(|told| told.seq == bulk);
    assert!(forge(&app, "ledger", "attachments", one, 9, named).await > 8);

    let case = app
        .text("select min(case_id::text) from ledger.reservations where org = 'default'")
        .await;
    let row = format!("org = 'default' and case_id = '{case}'");
    let named = |verified: &Verified| {
        let mut told = verified.differences.told.iter();
        verified.ledger.holds()
            && told.any(|told| told.table == "ledger.reservations" && told.key == case)
    };
    assert!(forge(&app, "ledger", "reservations", &row, 9, named).await > 15);

    let hit = "ctid = (select min(ctid) from ledger.policy_hits where org = 'default' and cardinality(seqs) = 1)";
    let named = |verified: &Verified| {
        let mut told = verified.differences.told.iter();
        verified.ledger.holds() && told.any(|told| told.table == "ledger.policy_hits")
    };
    assert!(forge(&app, "ledger", "policy_hits", hit, 9, named).await > 8);

    until_counted(&app).await;
    let _held = nobody_counts(&app).await;
    app.sql("alter table ledger.decision_counts drop constraint two_bytes_tell_the_numbers_apart")
        .await;
    let range = "org = 'default' and first_seq = 1 and counted_by";
    for counted_by in ["outcome", "quarterHour", "policy"] {
        let named = |verified: &Verified| {
            let mut told = verified.differences.told.iter();
            let row = format!("{counted_by} 1 to {NUMBERS}");
            verified.ledger.holds()
                && told.any(|told| told.table == "ledger.decision_counts" && told.key == row)
        };
        let row = format!("{range} = '{counted_by}'");
        assert!(forge(&app, "ledger", "decision_counts", &row, 9, named).await > 12);
    }
}

#[tokio::test]
async fn any_column_of_any_policy() {
    let app = eventful().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (300); insert into policy.customer_blocklist (customer_record_id) values (gen_random_uuid())").await;
    for table in [
        "organizations",
        "rules",
        "customer_blocklist",
        "blackouts",
        "booking_windows",
        "customer_limits",
        "capacity_caps",
    ] {
        let name = format!("policy.{table}");
        let row = format!("id = (select max(id) from {name} where org = 'default')");
        let forged = forge(&app, "policy", table, &row, 2, |verified| {
            verified.ledger.holds()
                && verified
                    .differences
                    .told
                    .iter()
                    .any(|told| told.table == name)
        })
        .await;
        assert!(forged > 1, "{table}: {forged}");
    }
}

#[tokio::test]
async fn rows_that_nobody_asked_for() {
    let app = eventful().await;
    app.sql("create table public.kept as select * from ledger.events; alter table ledger.events drop constraint seq_is_positive, alter column reason_hash drop expression").await;
    for (statement, named) in [
        (
            "insert into ledger.heads (org) values ('ghost')",
            "ghost event 0: number",
        ),
        (
            "insert into ledger.events select (jsonb_populate_record(e, '{\"seq\": -3}')).* from ledger.events e where org = 'default' and seq = 1",
            "default event -3: number",
        ),
        (
            "insert into ledger.events select (jsonb_populate_record(e, '{\"seq\": 0}')).* from ledger.events e where org = 'default' and seq = 1",
            "default event 0: number",
        ),
        (
            "insert into ledger.events select (jsonb_populate_record(e, '{\"seq\": 9223372036854775807}')).* from ledger.events e where org = 'default' and seq = 1",
            "default event 9223372036854775807: number",
        ),
        (
            "insert into ledger.events select (jsonb_populate_record(e, '{\"org\": \"ghost\"}')).* from ledger.events e where org = 'default' and seq = 1",
            "ghost event 1: ",
        ),
        (
            "insert into ledger.attachments select gen_random_uuid(), org, payload, salt, payload_digest from ledger.attachments limit 1",
            "ledger.attachments ",
        ),
        (
            "insert into ledger.policy_hits select 'ghost', policy_kind, policy_id, verdict, mode, batch_seq, seqs from ledger.policy_hits limit 1",
            "ledger.policy_hits ",
        ),
        (
            "insert into ledger.decision_counts values ('ghost', 'outcome', 1, 2, '{}', '{}', '{}', '')",
            "ledger.decision_counts outcome 1 to 2 ",
        ),
        (
            "insert into ledger.decision_counts values ('second', 'outcome', 2, 3, '{}', '{}', '{}', '')",
            "ledger.decision_counts outcome 2 to 3 ",
        ),
    ] {
        behind_the_triggers_back(
            &app,
            &format!(
                "create table public.attached as select * from ledger.attachments; {statement}"
            ),
        )
        .await;
        let verified = verified(&app, Scope::default()).await;
        let mut told = (verified.ledger.told.iter().map(ToString::to_string))
            .chain(verified.differences.told.iter().map(ToString::to_string));
        assert!(
            told.any(|told| told.starts_with(named)),
            "{statement}: {verified:#?}"
        );
        behind_the_triggers_back(&app, "delete from ledger.events; insert into ledger.events select * from public.kept; delete from ledger.heads where org = 'ghost'; delete from ledger.attachments where attachment_id not in (select attachment_id from public.attached); delete from ledger.policy_hits where org = 'ghost'; delete from ledger.decision_counts; drop table public.attached").await;
    }
    assert!(
        verified(&app, Scope::default()).await.holds(),
        "all was put back"
    );
}

/// What a ledger cannot tell of itself, a head that was noted elsewhere does.
#[tokio::test]
async fn an_end_that_was_cut_off_or_written_anew() {
    let app = eventful().await;
    let org = || Some("default".parse().expect("an organization"));
    let scope = |noted| Scope {
        org: org(),
        noted,
        ..Scope::default()
    };
    let before = verified(&app, scope(None)).await;
    let ledger = &before.ledger.orgs[0];
    let noted: Noted = format!("{}:{}", ledger.last, ledger.chain)
        .parse()
        .expect("a noted head");
    assert!(verified(&app, scope(Some(noted))).await.holds());

    // The last event was a rejected request: nothing follows from it. Cut off together with the head, and nobody is the wiser …
    behind_the_triggers_back(
        &app,
        "delete from ledger.events where org = 'default' and seq = (select last_seq from ledger.heads where org = 'default');
         update ledger.heads h set (last_seq, last_chain, last_recorded_at) =
             (select seq, chain, recorded_at from ledger.events e where e.org = h.org order by seq desc limit 1)
         where org = 'default'",
    )
    .await;
    assert!(verified(&app, scope(None)).await.holds());
    // … but those who noted it.
    let told = verified(&app, scope(Some(noted))).await.ledger.told;
    assert_eq!(told[0].what.to_string(), "noted event");

    // Another one in its place, with right digests.
    behind_the_triggers_back(
        &app,
        "insert into ledger.events (org, seq, recorded_at, type, payload, salt, payload_digest, chain)
         select h.org, h.last_seq + 1, h.last_recorded_at, 'token.revoked', '{\"version\":1}', 'salt', d.digest,
                ledger.chain(h.last_chain, d.digest, h.org, h.last_seq + 1, 'token.revoked', h.last_recorded_at, null)
         from ledger.heads h, ledger.payload_digest('salt', '{\"version\":1}') as d (digest) where h.org = 'default';
         update ledger.heads h set (last_seq, last_chain, last_recorded_at) =
             (select seq, chain, recorded_at from ledger.events e where e.org = h.org order by seq desc limit 1)
         where org = 'default'",
    )
    .await;
    assert!(verified(&app, scope(None)).await.holds());
    let told = verified(&app, scope(Some(noted))).await.ledger.told;
    assert_eq!(
        (told[0].what.to_string(), told[0].seq),
        ("noted event".to_owned(), noted.seq)
    );
}
