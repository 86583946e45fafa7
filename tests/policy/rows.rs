//! Policy rows with only the interesting columns given, and bookings by what is different from the sample.

use bookwarden::cubu::request::{Booking, parse};
use bookwarden::policy::kind::Kind;
use chrono::{DateTime, FixedOffset, Timelike};
use serde_json::{Map, Value, json};

const SAMPLE: &str = include_str!("../samples/before-book-appointment.json");

/// A row with the table's defaults. A column that the table does not have is a mistake in the test.
pub(crate) fn row(kind: Kind, id: i64, columns: &Map<String, Value>) -> String {
    let mut row = defaults(kind);
    row.insert("id".to_owned(), id.into());
    for (column, value) in columns {
        assert!(
            row.contains_key(column),
            "policy.{kind} has no column {column}"
        );
        row.insert(column.clone(), value.clone());
    }
    Value::Object(row).to_string()
}

fn defaults(kind: Kind) -> Map<String, Value> {
    let common = json!({
        "id": 0, "org": "default", "name": null, "mode": "enforce", "unit_id": null, "service_id": null,
        "service_category_id": null, "service_type_id": null, "cu_index": null, "channel": null, "booked_by": null,
        "applies_when": null, "on_error": "ignore", "active_from": null, "active_until": null, "message": null,
        "translations": null, "note": null
    });
    let own = match kind {
        Kind::Organizations => {
            return object(
                json!({"id": 0, "org": "default", "mode": "enforce", "retry_window_seconds": 60, "note": null}),
            );
        }
        Kind::Rules => json!({
            "condition": null, "priority": 100, "cancel": false, "set_fields": null, "remove_fields": null, "add_tags": null,
            "remove_tags": null, "set_customer_record_id": null, "remove_customer": false, "use_customer_contact_info": false,
            "set_contact_phone_number": null, "set_contact_email": null, "set_service_type_id": null, "set_channel": null,
            "set_prevent_self_check_in": null
        }),
        Kind::CustomerBlocklist => {
            json!({"customer_record_id": null, "field_type_id": null, "field_value": null})
        }
        Kind::Blackouts => {
            json!({"from_date": null, "to_date": null, "weekdays": null, "from_minute": null, "to_minute": null})
        }
        Kind::BookingWindows => json!({"min_notice_minutes": null, "max_days_ahead": null}),
        Kind::CustomerLimits => {
            json!({"max_appointments": null, "period": "upcoming", "gap_minutes": null, "forbid_overlap": false})
        }
        Kind::CapacityCaps => json!({
            "max_appointments": null, "max_minutes": null, "counted_per": "calendar", "period": "day", "weekdays": null,
            "from_minute": null, "to_minute": null
        }),
    };
    let mut row = object(common);
    row.extend(object(own));
    row
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

/// The sample with changes. `at`, such as `2027-03-09T10:50+02:00`, sets the date, the start and both times alike.
pub(crate) fn booking(changes: &Value) -> Booking {
    let mut body: Value = serde_json::from_str(SAMPLE).unwrap();
    let mut changes = changes.clone();
    if let Some(at) = changes
        .as_object_mut()
        .and_then(|changes| changes.remove("at"))
    {
        merge(
            &mut body,
            &json!({"appointment": times(at.as_str().unwrap())}),
        );
    }
    merge(&mut body, &changes);
    let body = body.to_string();
    parse(&body).unwrap_or_else(|error| panic!("{error:?}: {body}"))
}

fn times(at: &str) -> Value {
    let at: DateTime<FixedOffset> = DateTime::parse_from_str(at, "%Y-%m-%dT%H:%M%:z")
        .unwrap_or_else(|error| panic!("{at}: {error}"));
    json!({
        "date": at.date_naive().to_string(),
        "start": at.hour() * 60 + at.minute(),
        "timeLocal": at.naive_local().format("%Y-%m-%dT%H:%M:%S").to_string(),
        "timeUtc": at.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

/// Objects are merged, all else is replaced. `"fields": {}` and the like come from replacing with null first.
fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, changes) => *into = changes.clone(),
    }
}
