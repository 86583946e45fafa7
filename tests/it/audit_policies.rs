//! Pages of the policies as they were: the same as reading every change, whatever happened to the rows.

use std::ops::Range;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, booking};

fn draw(range: Range<i64>) -> i64 {
    let bits = Uuid::new_v4().as_u64_pair().1 >> 8;
    range.start + i64::try_from(bits).unwrap() % (range.end - range.start)
}

fn one_of<T: Copy>(values: &[T]) -> T {
    values[usize::try_from(draw(0..i64::try_from(values.len()).unwrap())).unwrap()]
}

/// Where pages after some of the policies differ from what follows in the whole list at a ledger number. Looked at is one boundary in so many.
fn differences(org: &str, seq: i64, kind: Option<&str>, limit: i64, one_in: i64) -> String {
    let (kinds, kind) = kind.map_or(("null".to_owned(), "null".to_owned()), |kind| {
        (format!("array['{kind}']"), format!("'{kind}'"))
    });
    format!(
        "with listed as (
             select p.policy_kind, p.policy_id, row(p.policy_kind, p.policy_id, p.policy::text, p.changed_seq, p.changed_at, p.changed_by::text)::text as said
             from audit.policies_as_of('{org}', {seq}::bigint, {kinds}::text[]) p
             union all
             select '', 0, null
         ), boundary as (
             select l.*, row_number() over w as n,
                    array_remove(array_agg(l.said) over (w rows between 1 following and {limit} following), null) as expected
             from listed l
             window w as (order by l.policy_kind, l.policy_id)
         )
         select count(*)
         from boundary b
         cross join lateral (
             select coalesce(array_agg(row(p.*)::text), '{{}}') as found
             from (
                 select p.policy_kind, p.policy_id, p.policy::text, p.changed_seq, p.changed_at, p.changed_by::text
                 from audit.policies_page('{org}', {seq}::bigint, {kind}::text, b.policy_kind, b.policy_id, {limit}) p
             ) p
         ) page
         where (b.n % {one_in} = 0 or b.n = 1) and page.found <> coalesce(b.expected, '{{}}')"
    )
}

/// A statement, or very many, that change some policies.
fn change(org: &str) -> String {
    let (table, column, value) = one_of(&[
        (
            "customer_blocklist",
            "customer_record_id",
            "gen_random_uuid()",
        ),
        ("capacity_caps", "max_appointments", "1"),
        ("blackouts", "from_date", "'2027-01-01'"),
    ]);
    // Up to 100 rows a statement are an event each; more are put away in pieces.
    let rows = one_of(&[1, 3, 130, 260]);
    let from = draw(1..900);
    let to = from + rows * draw(1..3);
    let step = draw(1..4);
    let note = draw(0..1_000_000);
    match draw(0..8) {
        // Rows that were deleted come back under their numbers, too.
        0 | 1 => format!(
            "insert into policy.{table} (id, org, {column}) select i, '{org}', {value} from generate_series({from}, {to}, {step}) i on conflict do nothing"
        ),
        2 => format!(
            "insert into policy.{table} (id, org, {column}) select nextval('policy.{table}_id_seq') + 900, '{org}', {value} from generate_series(1, {rows}) on conflict do nothing"
        ),
        3 => format!(
            "update policy.{table} set note = '{note}' where org = '{org}' and id between {from} and {to} and id % {step} = 0"
        ),
        4 => format!("update policy.{table} set note = '{note}' where org = '{org}'"),
        5 => format!("delete from policy.{table} where org = '{org}' and id between {from} and {to} and id % {step} = 0"),
        6 => format!("delete from policy.{table} where org = '{org}' and id % 3 > 0"),
        // More than a thousand statements of one transaction are put away as they were made: any ids, some of them twice.
        _ => (0..1001).map(|n| format!(
            "update policy.{table} set note = '{n}' where org = '{org}' and id = (select id from policy.{table} where org = '{org}' order by random() limit 1);"
        )).collect(),
    }
}

#[tokio::test]
async fn pages_are_what_follows_in_the_whole_list() {
    let app = TestApp::start().await;
    app.sql("insert into policy.organizations (org) values ('other')")
        .await;
    let mut history = Vec::new();
    for n in 0..24 {
        let org = if n % 4 == 0 { "other" } else { "default" };
        let statement = change(org);
        app.sql(&statement).await;
        history.push(statement.chars().take(200).collect::<String>());
    }
    let newest = app
        .number("select last_seq from ledger.heads where org = 'default'")
        .await;
    for n in 0..12 {
        let seq = draw(0..newest + 1);
        let kind = [None, Some("customer_blocklist"), Some("capacity_caps")][n % 3];
        let limit = [1, 5, 51, 201][n % 4];
        let query = differences("default", seq, kind, limit, 23);
        let different = app.number(&query).await;
        assert_eq!(different, 0, "{history:#?}\n{query}");
    }
    for (org, limit) in [("default", 4), ("other", 201)] {
        let query = differences(org, newest, None, limit, 1);
        assert_eq!(app.number(&query).await, 0, "{history:#?}\n{query}");
    }
    app.check().await;
}

#[tokio::test]
async fn of_a_row_that_very_many_statements_changed_twice_the_later_change_counts() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    let statements: String = (1..=1001)
        .map(|n| format!("update policy.capacity_caps set max_appointments = {n};"))
        .collect();
    app.sql(&statements).await;
    let newest = app.number("select last_seq from ledger.heads").await;
    for query in [
        "audit.policies_as_of('default', now())",
        "audit.policies_page('default', 1000000, null, '', 0, 50)",
    ] {
        let found = app
            .number(&format!("select (policy ->> 'max_appointments')::bigint from {query} where policy_kind = 'capacity_caps'"))
            .await;
        assert_eq!(found, 1001, "{query}");
    }
    // The piece before the last statement, which stands alone.
    let before = newest - 1;
    let (_, page) = app
        .get(&format!(
            "/v1/policies?policyKind=capacity_caps&asOf={before}"
        ))
        .await;
    assert_eq!(page["items"][0]["row"]["max_appointments"], 1000);
    let (_, history) = app.get("/v1/policies/capacity_caps/1/history").await;
    let piece = &history["items"][1];
    assert_eq!(piece["eventId"], before);
    assert_eq!(
        [
            &piece["old"]["max_appointments"],
            &piece["new"]["max_appointments"]
        ],
        [0, 1000]
    );

    // A decision whose cap was last changed by such a piece: what stands alone is of another calendar's.
    app.sql("insert into policy.capacity_caps (cu_index, max_appointments) values (99, 0)")
        .await;
    let statements: String = (2001..=3000)
        .map(|n| format!("update policy.capacity_caps set max_appointments = {n};"))
        .collect();
    let of_first = statements.replace(';', " where id = 1;");
    let other = "update policy.capacity_caps set max_appointments = 1 where cu_index = 99";
    app.sql(&format!("{of_first} {other}")).await;
    let attached =
        "select seq from ledger.events where attachment_id is not null order by seq desc limit 1";
    let piece = app.number(attached).await;
    let decided = app.book(&booking()).await.decision_id.expect("an id");
    let (_, decision) = app.get(&format!("/v1/decisions/{decided}")).await;
    let cap = &decision["policies"][0];
    assert_eq!(cap["change"]["eventId"], piece, "{cap}");
    assert_eq!(cap["row"]["max_appointments"], 3000, "{cap}");
    app.check().await;
}

#[tokio::test]
async fn a_policy_may_have_any_number() {
    let app = TestApp::start().await;
    let (lowest, highest) = (i64::MIN, i64::MAX);
    app.sql(&format!("insert into policy.blackouts (id, from_date) select i, '2027-01-01' from generate_series(-2, 2) i;
        insert into policy.blackouts (id, from_date) values ({lowest}, '2027-01-01'), ({highest}, '2027-01-01')"))
        .await;
    let walked = async |call: &str| {
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let (status, page) = app.get(&format!("{call}limit=1{next}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            let items = page["items"].as_array().expect("items");
            found.extend(items.iter().map(|item| item["id"].as_i64().expect("an id")));
            let Some(cursor) = page["nextCursor"].as_str() else {
                break;
            };
            next = format!("&cursor={cursor}");
        }
        found
    };
    let blackouts = [lowest, -2, -1, 0, 1, 2, highest];
    assert_eq!(
        walked("/v1/policies?policyKind=blackouts&").await,
        blackouts
    );
    assert_eq!(walked("/v1/stats?by=policy&").await, blackouts);
    let with_organization = [lowest, -2, -1, 0, 1, 2, highest, 1];
    assert_eq!(walked("/v1/policies?").await, with_organization);
    let (_, history) = app.get("/v1/policies/blackouts/-2/history").await;
    assert_eq!(history["items"][0]["new"]["id"], -2);
    let (_, changes) = app.get("/v1/events?policyKind=blackouts&policyId=-2").await;
    assert_eq!(changes["items"][0]["type"], "policy.created");
    app.book(&booking()).await;
    let (_, decisions) = app
        .get("/v1/decisions?policyKind=blackouts&policyId=-2")
        .await;
    assert_eq!(decisions["items"], json!([]));
    app.check().await;
}

#[tokio::test]
async fn all_pages_are_of_one_search_as_of_the_same_event() {
    let app = TestApp::start().await;
    app.sql(
        "insert into policy.capacity_caps (max_appointments) select i from generate_series(1, 3) i",
    )
    .await;
    let newest = app.number("select last_seq from ledger.heads").await;
    let search = "policyKind=capacity_caps&asOf=99999999";
    let (_, first) = app.get(&format!("/v1/policies?{search}&limit=2")).await;
    assert_eq!(first["asOf"], newest, "no event that is yet to come");
    let cursor = first["nextCursor"].as_str().expect("more");
    app.sql("insert into policy.capacity_caps (max_appointments) values (4)")
        .await;
    let (_, rest) = app
        .get(&format!("/v1/policies?{search}&limit=2&cursor={cursor}"))
        .await;
    let maxima = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().expect("items").iter();
        items
            .map(|item| item["row"]["max_appointments"].clone())
            .collect()
    };
    assert_eq!(
        (maxima(&first), maxima(&rest)),
        (vec![json!(1), json!(2)], vec![json!(3)])
    );
    assert_eq!(
        (&rest["asOf"], &rest["nextCursor"]),
        (&json!(newest), &Value::Null)
    );

    // What the cursor knows may be left out.
    for same in ["", "policyKind=capacity_caps&", "asOf=99999999&"] {
        let path = format!("/v1/policies?{same}limit=2&cursor={cursor}");
        assert_eq!(app.get(&path).await.1, rest, "{same}");
    }
    for other in [
        "policyKind=rules&asOf=99999999&",
        "policyKind=capacity_caps&asOf=2&",
        "policyKind=rules&",
        "asOf=2&",
    ] {
        let (status, problem) = app
            .get(&format!("/v1/policies?{other}cursor={cursor}"))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{other}: {problem}");
        let error = &problem["errors"][0];
        assert_eq!(error["path"], "cursor");
        assert_eq!(error["message"], "belongs to a search with other filters");
    }
}
