//! The description of the API says what comes: nothing that is required is missing, and nothing comes that it does not name.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use crate::support::{SECRET, TestApp, booking, case_id};

/// Only the answer of one decision has them. Whatever else may be null is always there.
const ABSENT_OR_NULL: [&str; 2] = ["ExplainedPolicy.row", "ExplainedPolicy.change"];

/// `openapi.json`, held against answers.
struct Description {
    whole: Value,
    /// The members of answers that were seen, as `schema.member`.
    seen: BTreeSet<String>,
}

/// What of an object is described.
#[derive(Default)]
struct Members {
    properties: Map<String, Value>,
    required: BTreeSet<String>,
}

impl Description {
    fn read() -> Self {
        let whole = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
        let seen = BTreeSet::new();
        Self { whole, seen }
    }

    fn schema(&self, name: &str) -> Value {
        self.whole["components"]["schemas"][name].clone()
    }

    /// The faults of an answer.
    fn check(&mut self, name: &str, value: &Value, schema: &Value) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().expect("a name");
            return self.check(name, value, &self.schema(name));
        }
        if let Some(either) = schema["oneOf"].as_array() {
            let faults = either.iter().map(|one| self.check(name, value, one));
            return faults.min_by_key(Vec::len).expect("one at least");
        }
        let types: Vec<_> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let is_of_type = match value {
            Value::Null => types.contains(&"null"),
            Value::Bool(_) => types.contains(&"boolean"),
            Value::Number(number) => number.is_i64() && types.contains(&"integer"),
            Value::String(_) => types.contains(&"string"),
            Value::Array(_) => types.contains(&"array"),
            Value::Object(_) => types.contains(&"object") || schema["allOf"].is_array(),
        };
        if !is_of_type {
            return vec![format!("{name} is {value}, not {types:?}")];
        }
        let words = schema["enum"].as_array();
        if words.is_some_and(|words| !words.contains(value)) {
            return vec![format!("{name} is {value}, which is none of its words")];
        }
        match value {
            Value::Array(items) => (items.iter())
                .flat_map(|item| self.check(name, item, &schema["items"]))
                .collect(),
            Value::Object(object) => self.check_object(name, object, schema),
            _ => Vec::new(),
        }
    }

    fn check_object(
        &mut self,
        name: &str,
        object: &Map<String, Value>,
        schema: &Value,
    ) -> Vec<String> {
        let members = self.members(schema);
        if schema["additionalProperties"].is_object() {
            let values = object.values();
            return values
                .flat_map(|value| self.check(name, value, &schema["additionalProperties"]))
                .collect();
        }
        if members.properties.is_empty() {
            return Vec::new();
        }
        let missing = (members.required.iter()).filter(|member| !object.contains_key(*member));
        let mut faults: Vec<_> = missing
            .map(|member| format!("{name} has no {member}"))
            .collect();
        for (member, value) in object {
            let is_required = members.required.contains(member);
            let name = format!("{name}.{member}");
            if value.is_null() && !is_required && !ABSENT_OR_NULL.contains(&name.as_str()) {
                faults.push(format!("{name} is null, but not required"));
            }
            match members.properties.get(member) {
                Some(schema) => faults.extend(self.check(&name, value, schema)),
                None => faults.push(format!("{name} is not described")),
            }
            self.seen.insert(name);
        }
        faults
    }

    fn members(&self, schema: &Value) -> Members {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().expect("a name");
            return self.members(&self.schema(name));
        }
        let mut members = Members::default();
        members.properties.extend(
            schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
        );
        let required = schema["required"].as_array().into_iter().flatten();
        members
            .required
            .extend(required.filter_map(Value::as_str).map(str::to_owned));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let part = self.members(part);
            members.properties.extend(part.properties);
            members.required.extend(part.required);
        }
        members
    }
}

/// A policy of each kind, in shadow mode so that all of them are asked, and with all that it may compare.
fn policies(booking: &Value) -> String {
    let id = |name: &str| booking[name].as_str().expect("an id").to_owned();
    let (unit, service) = (id("unitId"), id("serviceId"));
    let (category, service_type) = (id("serviceCategoryId"), id("serviceTypeId"));
    let tag = "d3b07384-d113-4ec5-a58a-6b1f2c3d4e5f";
    format!(
        "insert into policy.capacity_caps (mode, unit_id, service_id, service_category_id, service_type_id, cu_index, channel, booked_by,
             max_appointments, max_minutes, weekdays, from_minute, to_minute)
         values ('shadow', '{unit}', '{service}', '{category}', '{service_type}', 0, 'FaceToFace', 'self-service', 1, 15, '{{1,2,3,4,5,6,7}}', 0, 1440);
         insert into policy.customer_limits (mode, max_appointments, period, gap_minutes, forbid_overlap) values ('shadow', 1, 'month', 30, true);
         insert into policy.customer_blocklist (mode, field_type_id, field_value) values ('shadow', '{FIELD}', 'x');
         insert into policy.blackouts (mode, from_date) values ('shadow', '2027-03-09');
         insert into policy.booking_windows (mode, min_notice_minutes, max_days_ahead) values ('shadow', 1, 10000);
         insert into policy.rules (condition, add_tags) values ('true', '{{{tag}}}'), ('channel ===', '{{{tag}}}')"
    )
}

const FIELD: &str = "cd439a62-c78a-413f-bb42-cc4dd720375c";

#[tokio::test]
async fn answers_are_as_described() {
    let app = TestApp::start().await;
    let booked = async || {
        let mut booking = booking();
        booking["customerRecordId"] = json!("9f86d081-884c-4d63-a1e2-2d1c3b4a5f60");
        booking["fields"][FIELD] = json!("x");
        let decided = app.book(&booking).await.decision_id.expect("an id");
        (booking, decided)
    };
    app.sql(&policies(&booking())).await;
    app.sql("insert into policy.customer_blocklist (customer_record_id) select gen_random_uuid() from generate_series(1, 150)").await;
    let (mut first, _) = booked().await;
    let (second, refused) = booked().await;
    first["appointment"]["date"] = json!("2027-03-10");
    let moved = app.book(&first).await.decision_id.expect("an id");
    let closed = json!({ "caseId": second["caseId"] });
    for (action, body) in [("afterBookAppointment", second), ("afterClose", closed)] {
        let body = body.to_string();
        let signed = bookwarden::cubu::signature::sign(SECRET, body.as_bytes());
        let path = format!("/service/actions/{action}");
        let answered = app.post(&app.server, &path, body, Some(signed)).await;
        assert!(answered.expect("an answer").status.is_success());
    }

    let mut description = Description::read();
    let case = case_id(&first);
    for (call, schema) in [
        ("/v1/decisions".to_owned(), "Page"),
        (format!("/v1/decisions/{refused}"), "DecisionDetail"),
        (format!("/v1/decisions/{moved}"), "DecisionDetail"),
        ("/v1/events?limit=200".to_owned(), "EventPage"),
        (format!("/v1/cases/{case}"), "Case"),
        ("/v1/policies".to_owned(), "PolicyPage"),
        (
            "/v1/policies/capacity_caps/1/history".to_owned(),
            "HistoryPage",
        ),
        ("/v1/stats".to_owned(), "Stats"),
        ("/v1/stats?by=policy".to_owned(), "Stats"),
    ] {
        let (status, answer) = app.get(&call).await;
        assert_eq!(status, StatusCode::OK, "{call}: {answer}");
        let faults = description.check(schema, &answer, &description.schema(schema));
        assert_eq!(faults, [""; 0], "{call}: {answer}");
    }

    for schema in ["ExplainedPolicy", "CountedPlaces", "Holder", "RowThen"] {
        let described = description.members(&description.schema(schema)).properties;
        let names = described.keys().map(|member| format!("{schema}.{member}"));
        let unseen: Vec<_> = names
            .filter(|name| !description.seen.contains(name))
            .collect();
        // Written by the first version only.
        let old = ["ExplainedPolicy.customerRecordId"];
        let expected: &[&str] = if schema == "ExplainedPolicy" {
            &old
        } else {
            &[]
        };
        assert_eq!(unseen, expected);
    }
    let requests = ["booking.requested", "booking.confirmed", "booking.released"];
    let (_, events) = app.get("/v1/events?limit=200").await;
    for event in events["items"].as_array().expect("items") {
        let kind = event["type"].as_str().expect("a type");
        assert_eq!(
            event["request"].is_object(),
            requests.contains(&kind),
            "{event}"
        );
    }
}
