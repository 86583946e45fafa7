//! Why: each policy with its row as it was, the change that made it so, and who holds the places.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{TestApp, booking, case_id};

async fn get(app: &TestApp, path: &str) -> Value {
    let (status, answer) = app.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

#[tokio::test]
async fn a_refusal_shows_the_row_of_then_its_change_and_who_holds_the_places() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (name, max_appointments) values ('five', 5)")
        .await;
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("begin; set local bookwarden.reason = 'renovation'; update policy.capacity_caps set max_appointments = 2; commit")
        .execute(&mut psql)
        .await
        .expect("a change");
    let moved = booking();
    let first = app.book(&moved).await.decision_id.expect("an id");
    let second = app.book(&booking()).await.decision_id.expect("an id");
    // The first case moves to another day: its place is taken by a third.
    let mut to_another_day = moved.clone();
    to_another_day["appointment"]["date"] = json!("2027-03-10");
    app.book(&to_another_day).await;
    let third = app.book(&booking()).await.decision_id.expect("an id");
    let refused = app.book(&booking()).await;
    assert!(refused.cancelled());
    app.sql("update policy.capacity_caps set max_appointments = 50, name = 'fifty'")
        .await;

    let id = refused.decision_id.expect("an id");
    let decision = get(&app, &format!("/v1/decisions/{id}")).await;
    let policy = &decision["policies"][0];
    assert_eq!(
        (&policy["used"], &policy["max"]),
        (&json!(2), &json!(2)),
        "{policy}"
    );
    assert_eq!(policy["row"]["max_appointments"], 2, "as it was then");
    assert_eq!(policy["row"]["name"], "five");
    assert_eq!(policy["change"]["type"], "policy.updated");
    assert_eq!(policy["change"]["changedBy"]["reason"], "renovation");
    assert!(policy["change"]["changedBy"]["transaction"].is_string());
    let holders = policy["heldBy"].as_array().expect("holders");
    let holders: Vec<_> = holders
        .iter()
        .map(|holder| holder["decisionId"].as_i64().expect("a number"))
        .collect();
    assert_eq!(holders, [second, third], "not {first}, which moved away");
    let approved = get(&app, &format!("/v1/decisions/{second}")).await;
    assert_eq!(
        approved["policies"][0]["heldBy"],
        Value::Null,
        "only a full cap has holders"
    );

    let history = get(&app, "/v1/policies/capacity_caps/1/history?limit=2").await;
    let maxima: Vec<_> = history["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|c| &c["new"]["max_appointments"])
        .collect();
    assert_eq!(maxima, [50, 2]);
    let cursor = history["nextCursor"].as_str().expect("more");
    let rest = get(
        &app,
        &format!("/v1/policies/capacity_caps/1/history?limit=2&cursor={cursor}"),
    )
    .await;
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(rest["items"][0]["old"], Value::Null);
    assert_eq!(rest["nextCursor"], Value::Null);

    let story = get(&app, &format!("/v1/cases/{}", case_id(&moved))).await;
    let types: Vec<_> = story["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|e| e["type"].as_str().expect("a type"))
        .collect();
    assert_eq!(
        types,
        [
            "booking.requested",
            "booking.decided",
            "booking.requested",
            "booking.decided"
        ]
    );
    assert_eq!(story["place"]["appointmentDate"], "2027-03-10");
    app.check().await;
}

#[tokio::test]
async fn the_kill_switch_is_told_with_who_threw_it_and_why() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    let switched = async |mode: &str| {
        app.sql(&format!("set local bookwarden.reason = 'to {mode}'; update policy.organizations set mode = '{mode}' where org = 'default'"))
            .await;
        let decided = app.book(&booking()).await;
        let id = decided.decision_id.expect("an id");
        (id, decided.cancelled())
    };
    app.sql("insert into policy.organizations (org) values ('other')")
        .await;
    let off = switched("shadow").await;
    let on = switched("enforce").await;
    for ((id, is_cancelled), mode) in [(off, "shadow"), (on, "enforce")] {
        assert_eq!(is_cancelled, mode == "enforce");
        let decision = get(&app, &format!("/v1/decisions/{id}")).await;
        let policy = &decision["policies"][0];
        assert_eq!([&policy["mode"], &policy["row"]["mode"]], [mode, "enforce"]);
        let organization = &decision["organization"];
        assert_eq!(
            [&organization["row"]["mode"], &organization["row"]["org"]],
            [mode, "default"]
        );
        let change = &organization["change"];
        assert_eq!(change["type"], "policy.updated");
        assert_eq!(change["eventId"], decision["policyVersion"]);
        assert_eq!(change["changedBy"]["reason"], format!("to {mode}"));
        assert!(change["changedBy"]["user"].is_string());
    }
    let (_, page) = app.get("/v1/decisions").await;
    assert!(page["items"][0].get("organization").is_none());
    app.check().await;
}

#[tokio::test]
async fn a_move_names_the_decision_whose_place_it_freed() {
    let app = TestApp::start().await;
    let mut case = booking();
    let first = app.book(&case).await.decision_id.expect("an id");
    case["appointment"]["date"] = json!("2027-03-10");
    let moved = app.book(&case).await.decision_id.expect("an id");
    app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
        .await;
    case["appointment"]["date"] = json!("2027-03-11");
    let refused = app.book(&case).await;
    assert!(refused.cancelled(), "it stays where it is");
    let refused = refused.decision_id.expect("an id");

    let wanted = [(first, None), (moved, Some(first)), (refused, None)];
    let (_, page) = app.get("/v1/decisions?order=oldest").await;
    for ((id, moved_from), item) in wanted.iter().zip(page["items"].as_array().expect("items")) {
        assert_eq!(
            (&item["decisionId"], &item["movedFrom"]),
            (&json!(id), &json!(moved_from))
        );
        let decision = get(&app, &format!("/v1/decisions/{id}")).await;
        assert_eq!(decision["movedFrom"], item["movedFrom"]);
    }
    let csv = reqwest::Client::new()
        .get(format!(
            "{}/v1/decisions?order=oldest&format=csv",
            app.server.url
        ))
        .bearer_auth("test-token")
        .send()
        .await
        .expect("an answer");
    let csv = csv.text().await.expect("text");
    let last_cells: Vec<_> = (csv.lines())
        .map(|line| line.rsplit(',').next().expect("a cell"))
        .collect();
    assert_eq!(last_cells, ["movedFrom", "", &first.to_string(), ""]);
    let in_sql = "select string_agg(decision_id || ' from ' || moved_from, ', ') from audit.decisions where moved_from is not null";
    assert_eq!(app.text(in_sql).await, format!("{moved} from {first}"));
    app.check().await;
}

#[tokio::test]
async fn holders_beyond_two_hundred_are_told_of() {
    let app = TestApp::start().await;
    app.sql("insert into policy.capacity_caps (max_appointments) values (200)")
        .await;
    let bookings: Vec<_> = (0..200).map(|_| booking()).collect();
    for booked in join_all(bookings.iter().map(|booking| app.book(booking))).await {
        assert!(!booked.cancelled());
    }
    let refused = async || {
        let refused = app.book(&booking()).await;
        assert!(refused.cancelled());
        refused.decision_id.expect("an id")
    };
    let told = async |id: i64| {
        let decision = get(&app, &format!("/v1/decisions/{id}")).await;
        let policy = &decision["policies"][0];
        let holders = policy["heldBy"].as_array().expect("holders").len();
        let is_cut = policy["heldByIsCut"].as_bool().expect("a boolean");
        (policy["used"].clone(), holders, is_cut)
    };
    let of_200 = refused().await;
    app.sql("update policy.capacity_caps set max_appointments = 201")
        .await;
    app.book(&booking()).await;
    let of_201 = refused().await;
    assert_eq!(told(of_200).await, (json!(200), 200, false));
    assert_eq!(told(of_201).await, (json!(201), 200, true));
    // Found in the calendar before, in the ledger after one of them has moved.
    let mut moved = bookings[0].clone();
    moved["appointment"]["date"] = json!("2027-03-10");
    assert!(!app.book(&moved).await.cancelled());
    assert_eq!(told(of_200).await, (json!(200), 200, false));
    assert_eq!(told(of_201).await, (json!(201), 200, true));
}

#[tokio::test]
async fn a_row_out_of_a_bulk_change_explains_as_well() {
    let app = TestApp::start().await;
    let blocked = "9f86d081-884c-4d63-a1e2-2d1c3b4a5f60";
    app.sql(&format!("insert into policy.customer_blocklist (customer_record_id, name)
        select case i when 150 then '{blocked}' else gen_random_uuid() end, 'no. ' || i from generate_series(1, 300) i")).await;
    let refused = app.book(&booking()).await;
    assert!(refused.cancelled());
    app.sql("truncate policy.customer_blocklist").await;
    let decision = get(
        &app,
        &format!("/v1/decisions/{}", refused.decision_id.expect("an id")),
    )
    .await;
    assert_eq!(decision["policies"][0]["row"]["name"], "no. 150");
    let history = get(&app, "/v1/policies/customer_blocklist/150/history").await;
    assert_eq!(history["items"][0]["type"], "policy.deleted");
    assert_eq!(history["items"][0]["old"]["name"], "no. 150");
    assert_eq!(history["items"][1]["new"]["name"], "no. 150");
}

#[tokio::test]
async fn a_row_is_read_from_the_newest_change_that_has_it() {
    let app = TestApp::start().await;
    let cap_150 = "select 'caps', case i when 150 then 100 else 1000 end, case i when 150 then null::integer else 900 + i end
        from generate_series(1, 300) i";
    app.sql(&format!(
        "insert into policy.capacity_caps (name, max_appointments, cu_index) {cap_150}"
    ))
    .await;
    let renamed = async |name: &str, only: &str| {
        app.sql(&format!(
            "update policy.capacity_caps set name = '{name}' where {only}"
        ))
        .await;
        let decided = app.book(&booking()).await.decision_id.expect("an id");
        let path = format!("/v1/decisions/{decided}");
        let policy = get(&app, &path).await["policies"][0].clone();
        assert_eq!(
            (&policy["id"], &policy["row"]["name"]),
            (&json!(150), &json!(name))
        );
        (path, policy)
    };
    let mut told = Vec::new();
    for (name, only) in [
        ("all", "true"),
        ("all again", "true"),
        ("alone", "id = 150"),
        ("all once more", "true"),
    ] {
        told.push(renamed(name, only).await);
    }
    // A bulk change whose range of ids has it, and whose rows have not.
    app.sql("update policy.capacity_caps set name = 'others' where id <> 150")
        .await;
    // What came later does not change what is told of then.
    for (path, policy) in told {
        assert_eq!(get(&app, &path).await["policies"][0], policy);
    }

    let statement = include_str!("../../sql/queries/read_policy_states.sql");
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let prepare = format!(
        "set enable_seqscan = off; set enable_bitmapscan = off;
         prepare statement (text, text[], bigint[], bigint) as {statement}"
    );
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut psql)
        .await
        .expect("a statement");
    let pieces_read = async |psql: &mut PgConnection, ids: &[i64]| -> String {
        let kinds = vec!["capacity_caps"; ids.len()];
        let explain = format!(
            "explain (analyze, costs off, timing off)
             execute statement ('default', array{kinds:?}, array{ids:?}, 1000000)"
        )
        .replace('"', "'");
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
            .persistent(false)
            .fetch_all(psql)
            .await
            .expect("a plan");
        assert!(
            plan.iter()
                .any(|line| line.contains("events_by_bulk_change")),
            "{}",
            plan.join("\n")
        );
        plan.iter()
            .find(|line| line.contains("Function Scan on json_array_elements"))
            .expect("changes are unpacked")
            .trim()
            .to_owned()
    };
    // The change of all others is asked, and the one before it, which has the row. Those before that are not.
    let of_one = pieces_read(&mut psql, &[150]).await;
    assert!(of_one.contains("loops=2)"), "{of_one}");
    // However many policies there are, each change is read once.
    let all: Vec<i64> = (1..=300).collect();
    let of_all = pieces_read(&mut psql, &all).await;
    assert!(of_all.contains("loops=2)"), "{of_all}");
}

#[tokio::test]
async fn a_decision_of_very_many_policies_tells_each_as_it_was() {
    let app = TestApp::start().await;
    for change in [
        "insert into policy.capacity_caps (name, max_appointments) select 'cap ' || i, 1000 from generate_series(1, 900) i",
        "insert into policy.rules (name, condition, add_tags)
             select 'rule ' || i, 'true', '{d3b07384-d113-4ec5-a58a-6b1f2c3d4e5f}' from generate_series(1, 150) i",
        "update policy.capacity_caps set name = 'alone, then all' where id = 7",
        "update policy.capacity_caps set max_appointments = 999",
        "update policy.capacity_caps set name = 'even' where id % 2 = 0",
        "update policy.capacity_caps set name = 'alone' where id in (8, 9)",
        "delete from policy.capacity_caps where id > 850",
        "insert into policy.capacity_caps (name, max_appointments) values ('last', 2000)",
    ] {
        app.sql(change).await;
    }
    let decided = app.book(&booking()).await.decision_id.expect("an id");
    app.sql("update policy.capacity_caps set name = 'later'; truncate policy.rules")
        .await;

    let decision = get(&app, &format!("/v1/decisions/{decided}")).await;
    let told = decision["policies"].as_array().expect("policies");
    assert_eq!(told.len(), 851 + 150);
    let version = &decision["policyVersion"];
    let (mut expected, mut query) = (Vec::new(), format!("asOf={version}&limit=200"));
    loop {
        let page = get(&app, &format!("/v1/policies?{query}")).await;
        expected.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("asOf={version}&limit=200&cursor={cursor}"),
            None => break,
        }
    }
    for policy in told {
        let state = expected
            .iter()
            .find(|state| policy["kind"] == state["kind"] && policy["id"] == state["id"])
            .unwrap_or_else(|| panic!("{policy} was in force"));
        assert_eq!(policy["row"], state["row"]);
        assert_eq!(policy["change"]["eventId"], state["change"]["eventId"]);
        assert!(policy["change"]["eventId"].is_i64(), "{policy}");
    }
}

#[tokio::test]
async fn policies_as_of_an_event_or_a_time() {
    let app = TestApp::start().await;
    app.sql(
        "insert into policy.capacity_caps (max_appointments) select i from generate_series(1, 3) i",
    )
    .await;
    app.sql("insert into policy.customer_blocklist (customer_record_id) select gen_random_uuid() from generate_series(1, 150)").await;
    let before = app.number("select last_seq from ledger.heads").await;
    let time = app.text("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')").await;
    app.sql("update policy.capacity_caps set max_appointments = 9 where id = 2; delete from policy.capacity_caps where id = 3; delete from policy.customer_blocklist").await;

    let maxima = async |query: &str| -> Vec<i64> {
        let page = get(
            &app,
            &format!("/v1/policies?policyKind=capacity_caps{query}"),
        )
        .await;
        let items = page["items"].as_array().expect("items");
        items
            .iter()
            .map(|item| item["row"]["max_appointments"].as_i64().expect("a number"))
            .collect()
    };
    assert_eq!(maxima("").await, [1, 9]);
    assert_eq!(maxima(&format!("&asOf={before}")).await, [1, 2, 3]);
    assert_eq!(maxima(&format!("&asOf={time}")).await, [1, 2, 3]);
    assert_eq!(maxima("&asOf=2000-01-01").await, [0; 0]);

    let (mut seen, mut query) = (Vec::new(), format!("asOf={before}&limit=100"));
    loop {
        let page = get(&app, &format!("/v1/policies?{query}")).await;
        assert_eq!(page["asOf"], before);
        seen.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|p| (p["kind"].to_string(), p["id"].to_string())),
        );
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("asOf={before}&limit=100&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(
        seen.len(),
        154,
        "150 blocked customers, 3 caps, 1 organization"
    );
    seen.dedup();
    assert_eq!(seen.len(), 154, "each once");

    // The ledger's fold and the live tables are the same.
    let difference = "select count(*) from (select p.policy::text from audit.policies_as_of('default', now()) p where policy_kind = 'capacity_caps'
        except select row_to_json(c)::text from policy.capacity_caps c) d";
    assert_eq!(app.number(difference).await, 0);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/v1/cases/4e510ed0-ef6f-4441-a1d3-c29d2f752e57",
        "/v1/policies/capacity_caps/1/history",
        "/v1/decisions/999",
    ] {
        assert_eq!(app.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [
        "/v1/cases/x",
        "/v1/policies/x'/1/history",
        "/v1/policies/rules/x/history",
        "/v1/policies?asOf=x",
        "/v1/policies?cursor=x",
        "/v1/cases/4e510ed0-ef6f-4441-a1d3-c29d2f752e57?x=1",
    ] {
        assert_eq!(app.get(path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}
