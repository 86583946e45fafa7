//! What a recipe is put to: bookings like the sample with some parts changed, and the parts of the answer that matter.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{TestApp, booking};

/// A booking, as a change of the sample, and what of the answer is wanted.
pub type Try = (Value, Value);

/// Runs a recipe between two series of bookings.
pub async fn run(recipe: &str, before: Vec<Try>, after: Vec<Try>) {
    let app = TestApp::start().await;
    // What undoes another recipe is shown after it.
    if let Some(first) = recipe.strip_suffix("_off").map(|_| "29_kill_switch_on") {
        app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
            .await;
        as_policy_admin(&app, first).await;
    } else if recipe.starts_with("29_") {
        app.sql("insert into policy.capacity_caps (max_appointments) values (0)")
            .await;
    }
    book(&app, "before", before).await;
    as_policy_admin(&app, recipe).await;
    book(&app, "after", after).await;
    app.check().await;
}

/// As `set role bookwarden_policy_admin` and `\i` in psql.
async fn as_policy_admin(app: &TestApp, recipe: &str) {
    let path = format!("{}/sql/cookbook/{recipe}.sql", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the recipe is there");
    let mut psql = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql("set role bookwarden_policy_admin")
        .execute(&mut psql)
        .await
        .expect("the role");
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(&mut psql)
        .await
        .unwrap_or_else(|error| panic!("{recipe}: {error}"));
}

async fn book(app: &TestApp, when: &str, tries: Vec<Try>) {
    for (number, (changes, wanted)) in tries.into_iter().enumerate() {
        let mut asked = booking();
        change(&mut asked, &changes);
        let answered = app.book(&asked).await;
        assert!(answered.status.is_success(), "{}", answered.text);
        let verdicts = match answered.decision_id {
            Some(id) if wanted.get("policies").is_some() => {
                app.get(&format!("/v1/decisions/{id}")).await.1["policies"].clone()
            }
            _ => Value::Null,
        };
        for (key, value) in wanted.as_object().expect("an object") {
            let found = match key.as_str() {
                "policies" => {
                    &json!({ "mode": verdicts[0]["mode"], "verdict": verdicts[0]["verdict"] })
                }
                _ => &answered.json[key],
            };
            assert_eq!(
                found, value,
                "{when}, booking {number} ({changes}): {}",
                answered.text
            );
        }
    }
}

/// Merges objects; `inMinutes` moves the appointment to so long from now, on a clock that shows UTC.
fn change(value: &mut Value, changes: &Value) {
    for (key, change_of) in changes.as_object().expect("an object") {
        if key == "inMinutes" {
            let minutes = TimeDelta::minutes(change_of.as_i64().expect("a number"));
            let start = Utc::now() + minutes;
            value["appointment"]["timeUtc"] = start.format("%Y-%m-%dT%H:%M:%SZ").to_string().into();
            value["appointment"]["timeLocal"] =
                start.format("%Y-%m-%dT%H:%M:%S").to_string().into();
            value["appointment"]["date"] = start.format("%Y-%m-%d").to_string().into();
        } else if change_of.is_object() {
            change(&mut value[key], change_of);
        } else {
            value[key] = change_of.clone();
        }
    }
}
