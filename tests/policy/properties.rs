//! What holds for any sequence of bookings, moves and retries under any policies.

use std::collections::BTreeMap;

use bookwarden::cubu::request::Booking;
use bookwarden::policy::bucket::Bucket;
use bookwarden::policy::capacity_caps::CapacityCap;
use bookwarden::policy::decide::Decision;
use bookwarden::policy::kind::Kind;
use bookwarden::policy::place::Place;
use bookwarden::policy::row::Policy;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::rows::{booking, row};
use crate::world::World;

type Row = (Kind, Map<String, Value>);

const SERVICES: [&str; 2] = [
    "3031af97-328d-4df1-a528-cf198e4e7897",
    "3031af97-328d-4df1-a528-cf198e4e7898",
];
const UNIT: &str = "6d1c9a52-7f0f-4b0c-9a57-3f2f4f1f2c11";
const TAG: &str = "0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f";
const FIELD: &str = "4848ba2d-a80a-4f3c-b170-578d19899e2f";

fn now() -> DateTime<Utc> {
    "2027-02-26T08:00:00Z".parse().unwrap()
}

/// Nine cases of two customers over the turn of a month, so that a case comes back and limits bite.
fn any_booking() -> impl Strategy<Value = Booking> {
    let text = |values: &'static [&'static str]| select(values);
    (
        0..9,
        0..3,
        text(&SERVICES),
        text(&["Video", "Phone"]),
        27..32,
        select(vec![0, 600, 605, 615, 630, 1435]),
        select(vec![0, 5, 15, 30]),
        0..2,
    )
        .prop_map(|(case, customer, service, channel, day, start, duration, cu_index)| {
            let (month, day) = if day > 28 { (3, day - 28) } else { (2, day) };
            let customer = (customer > 0).then(|| format!("9f86d081-884c-4d63-a1e2-{customer:012}"));
            booking(&json!({
                "caseId": format!("00000000-0000-4000-8000-{case:012}"),
                "serviceId": service, "channel": channel, "customerRecordId": customer,
                "at": format!("2027-{month:02}-{day:02}T{:02}:{:02}+02:00", start / 60, start % 60),
                "appointment": {"duration": duration, "cuIndex": cu_index},
            }))
        })
}

fn or_null<T: Into<Value> + Clone + std::fmt::Debug + 'static>(
    values: Vec<T>,
) -> impl Strategy<Value = Value> {
    proptest::option::of(select(values)).prop_map(|value| value.map_or(Value::Null, Into::into))
}

fn scope() -> impl Strategy<Value = Map<String, Value>> {
    let columns = (
        or_null(SERVICES.to_vec()),
        or_null(vec![UNIT]),
        or_null(vec!["Video"]),
        or_null(vec![0, 1]),
        or_null(vec!["self-service"]),
    );
    columns.prop_map(|(service_id, unit_id, channel, cu_index, booked_by)| {
        object(json!({
            "service_id": service_id, "unit_id": unit_id, "channel": channel, "cu_index": cu_index, "booked_by": booked_by
        }))
    })
}

fn with(
    scope: impl Strategy<Value = Map<String, Value>>,
    own: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Map<String, Value>> {
    (scope, own).prop_map(|(mut row, own)| {
        row.extend(object(own));
        row
    })
}

fn cap() -> impl Strategy<Value = Map<String, Value>> {
    let own = (
        0..4,
        or_null(vec![0, 15, 40]),
        select(vec!["calendar", "service", "unit"]),
        select(vec!["slot", "day", "week", "month"]),
        or_null(vec![605, 630]),
        proptest::option::of(vec(1..8, 1..4)),
    );
    let own = own.prop_map(|(most, minutes, counted_per, period, to_minute, weekdays)| {
        json!({
            "max_appointments": most, "max_minutes": minutes, "counted_per": counted_per, "period": period,
            "to_minute": to_minute, "weekdays": weekdays
        })
    });
    with(scope(), own)
}

fn limit() -> impl Strategy<Value = Map<String, Value>> {
    let own = (
        0..4,
        select(vec!["day", "week", "month", "upcoming"]),
        or_null(vec![1, 15, 2000]),
        any::<bool>(),
    );
    let own = own.prop_map(|(most, period, gap, overlap)| {
        json!({"max_appointments": most, "period": period, "gap_minutes": gap, "forbid_overlap": overlap})
    });
    with(scope(), own)
}

fn rule() -> impl Strategy<Value = Map<String, Value>> {
    let effect = select(vec![
        json!({"set_channel": "Video"}),
        json!({"set_channel": "Phone"}),
        json!({"remove_customer": true}),
        json!({"set_customer_record_id": "9f86d081-884c-4d63-a1e2-000000000001"}),
        json!({"set_service_type_id": TAG}),
        json!({"add_tags": [TAG, SERVICES[0]]}),
        json!({"remove_tags": [TAG]}),
        json!({"set_fields": {FIELD: "changed"}}),
        json!({"remove_fields": [FIELD]}),
        json!({"use_customer_contact_info": true}),
        json!({"set_contact_email": "a@b"}),
        json!({"set_prevent_self_check_in": true}),
        json!({"cancel": true}),
    ]);
    let own = (effect, or_null(CONDITIONS.to_vec()), 0..3_i32).prop_map(
        |(mut effect, condition, priority)| {
            effect["condition"] = condition;
            effect["priority"] = Value::from(priority);
            effect
        },
    );
    with(scope(), own)
}

const CONDITIONS: [&str; 8] = [
    "channel == 'Video'",
    "customerRecordId == null",
    "size(tagIds) > 1",
    "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'] == 'changed'",
    "minutesUntilStart < 3000",
    "1 / (appointment.cuIndex - 1) > 0",
    "no such name",
    "weekday == 6 || nowMinuteOfDay > 60",
];

fn other() -> impl Strategy<Value = Row> {
    let blackout = json!({"from_date": "2027-02-28", "to_date": "2027-03-01", "from_minute": 600, "to_minute": 615});
    let rows = select(vec![
        (Kind::Blackouts, blackout),
        (Kind::Blackouts, json!({"weekdays": [7], "to_minute": 10})),
        (Kind::BookingWindows, json!({"min_notice_minutes": 3000})),
        (Kind::BookingWindows, json!({"max_days_ahead": 3})),
        (
            Kind::CustomerBlocklist,
            json!({"customer_record_id": "9f86d081-884c-4d63-a1e2-000000000002"}),
        ),
        (
            Kind::CustomerBlocklist,
            json!({"field_type_id": FIELD, "field_value": "CHANGED"}),
        ),
    ]);
    rows.prop_map(|(kind, columns)| (kind, object(columns)))
}

fn any_row() -> impl Strategy<Value = Row> {
    let row = prop_oneof![
        cap().prop_map(|row| (Kind::CapacityCaps, row)),
        limit().prop_map(|row| (Kind::CustomerLimits, row)),
        rule().prop_map(|row| (Kind::Rules, row)),
        other(),
    ];
    (
        row,
        select(vec!["enforce", "enforce", "shadow", "off"]),
        or_null(CONDITIONS.to_vec()),
        select(vec!["ignore", "cancel"]),
    )
        .prop_map(|((kind, mut row), mode, applies_when, on_error)| {
            row.insert("mode".to_owned(), mode.into());
            row.insert("applies_when".to_owned(), applies_when);
            row.insert("on_error".to_owned(), on_error.into());
            (kind, row)
        })
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn world<'a>(rows: impl IntoIterator<Item = (usize, &'a Row)>) -> World {
    let mut world = World::default();
    for (position, (kind, columns)) in rows {
        let id = i64::try_from(position).unwrap();
        world.insert(*kind, id, &row(*kind, id, columns));
    }
    world
}

fn answer(decision: &Decision) -> (String, String) {
    (decision.response.to_body(), decision.explanation())
}

fn count(places: &BTreeMap<Uuid, Place>, bucket: &Bucket) -> (i64, i64) {
    let counted = places.values().filter(|place| bucket.contains(place));
    counted.fold((0, 0), |(count, minutes), place| {
        (count + 1, minutes + i64::from(place.duration))
    })
}

proptest! {
    #[test]
    fn a_cap_is_never_exceeded(
        caps in vec(cap(), 1..5),
        rules in vec(rule(), 0..4),
        bookings in vec(any_booking(), 1..60),
    ) {
        let rows: Vec<Row> = caps.iter().map(|cap| (Kind::CapacityCaps, cap.clone()))
            .chain(rules.into_iter().map(|rule| (Kind::Rules, rule)))
            .collect();
        let mut world = world(rows.iter().enumerate());
        let caps: Vec<Policy<CapacityCap>> =
            caps.iter().map(|cap| Policy::from_row(&row(Kind::CapacityCaps, 1, cap)).unwrap()).collect();
        for booking in &bookings {
            world.book(booking, now());
            for (cap, place) in caps.iter().flat_map(|cap| world.places().values().map(move |place| (cap, place))) {
                if cap.concerns(place) {
                    let (appointments, minutes) = count(world.places(), &cap.bucket(place));
                    prop_assert!(cap.terms.max_appointments.is_none_or(|most| appointments <= most));
                    prop_assert!(cap.terms.max_minutes.is_none_or(|most| minutes <= most));
                }
            }
        }
    }

    #[test]
    fn a_customer_keeps_their_distance(gap in 1..2000_i64, bookings in vec(any_booking(), 1..60)) {
        let distant = (Kind::CustomerLimits, object(json!({"gap_minutes": gap})));
        let mut world = world([(1, &distant)]);
        for booking in &bookings {
            world.book(booking, now());
        }
        let mut places: Vec<_> = world.places().values().filter(|place| place.customer_record_id.is_some()).collect();
        places.sort_by_key(|place| (place.customer_record_id, place.starts_at));
        for pair in places.windows(2).filter(|pair| pair[0].customer_record_id == pair[1].customer_record_id) {
            let free_from = pair[0].starts_at + TimeDelta::minutes(i64::from(pair[0].minutes_taken()) + gap);
            prop_assert!(free_from <= pair[1].starts_at);
        }
    }

    #[test]
    fn a_customer_has_at_most_so_many_upcoming(most in 0..4_usize, bookings in vec(any_booking(), 1..60)) {
        let at_most = (Kind::CustomerLimits, object(json!({"max_appointments": most})));
        let mut world = world([(1, &at_most)]);
        for booking in &bookings {
            world.book(booking, now());
            for customer in world.places().values().filter_map(|place| place.customer_record_id) {
                let of_customer = world.places().values().filter(|place| place.customer_record_id == Some(customer));
                prop_assert!(of_customer.count() <= most);
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        rows in vec(any_row(), 1..10),
        bookings in vec(any_booking(), 1..12),
        swaps in vec((any::<Index>(), any::<Index>()), 10),
    ) {
        let mut shuffled: Vec<_> = rows.iter().enumerate().collect();
        for (left, right) in swaps {
            shuffled.swap(left.index(rows.len()), right.index(rows.len()));
        }
        let (mut one, mut other) = (world(rows.iter().enumerate()), world(shuffled));
        for booking in &bookings {
            prop_assert_eq!(answer(&one.book(booking, now())), answer(&other.book(booking, now())));
        }
    }

    #[test]
    fn a_shadow_changes_nothing(rows in vec(any_row(), 1..10), bookings in vec(any_booking(), 1..12)) {
        let mut acting = world(rows.iter().enumerate());
        let mut shadow = world(rows.iter().enumerate());
        let off_switch = row(Kind::Organizations, 1, &object(json!({"mode": "shadow"})));
        shadow.insert(Kind::Organizations, 1, &off_switch);
        for booking in &bookings {
            let decision = shadow.book(booking, now());
            prop_assert!(decision.response.keeps_all());
            // A booking that is cancelled anyway is not told apart from one that is not: the contract's own rules hold.
            let acted = acting.book(booking, now()).response;
            let gives_details = acted.contact_email.is_some() || acted.contact_phone_number.is_some();
            prop_assert!(!(acted.use_customer_contact_info && gives_details));
            prop_assert!(!(acted.remove_customer && acted.customer_record_id.is_some()));
            prop_assert_eq!(acted.cancelled, acted.cancellation_reason.is_some());
        }
    }

    #[test]
    fn nothing_panics(
        rows in vec(any_row(), 1..10),
        days in vec((0..3_652_058_i64, 0..=10_080, 0..=10_080, 0..3_652_058_i64, 0..3_652_058_i64), 1..4),
        gap in 1..=527_040,
        ahead in 0..=36_600,
    ) {
        let mut rows = rows;
        rows.push((Kind::CustomerLimits, object(json!({"gap_minutes": gap, "max_appointments": 1}))));
        rows.push((Kind::BookingWindows, object(json!({"max_days_ahead": ahead, "min_notice_minutes": 0}))));
        rows.push((Kind::Blackouts, object(json!({"from_minute": 1439}))));
        let mut world = world(rows.iter().enumerate());
        for (day, start, duration, local, now) in days {
            let instant = |days: i64| {
                let first: DateTime<Utc> = "0001-01-01T12:00:00Z".parse().unwrap();
                first + TimeDelta::days(days)
            };
            let text = |days: i64, format: &str| instant(days).format(format).to_string();
            let booking = booking(&json!({"appointment": {
                "date": text(day, "%Y-%m-%d"), "start": start, "duration": duration,
                "timeLocal": text(local, "%Y-%m-%dT%H:%M:%S"), "timeUtc": text(day, "%Y-%m-%dT%H:%M:%SZ"),
            }}));
            world.book(&booking, instant(now));
        }
    }
}

#[test]
fn the_order_of_fields_changes_nothing() {
    let rows = [
        (
            Kind::Rules,
            object(json!({"set_fields": {FIELD: "changed", TAG: [1]}, "remove_fields": [UNIT]})),
        ),
        (
            Kind::CustomerBlocklist,
            object(json!({"field_type_id": FIELD, "field_value": "blocked", "mode": "shadow"})),
        ),
    ];
    let pairs = [
        (FIELD, r#""blocked""#),
        (UNIT, "1.50e+02"),
        (SERVICES[0], r#"{"b": 1, "a": 2}"#),
    ];
    let sample = include_str!("../samples/before-book-appointment.json");
    let answers = [[0, 1, 2], [2, 1, 0], [1, 2, 0]].map(|order| {
        let fields: Vec<_> = order
            .map(|at| format!("\"{}\": {}", pairs[at].0, pairs[at].1))
            .into();
        let (before, after) = sample.split_once("\"fields\": {").unwrap();
        let (_, after) = after.split_once('}').unwrap();
        let body = format!("{before}\"fields\": {{{}}}{after}", fields.join(", "));
        let booking = bookwarden::cubu::request::parse(&body).unwrap();
        answer(&world(rows.iter().enumerate()).book(&booking, now()))
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert!(
        answers[0].0.contains(r#"{"b": 1, "a": 2}"#),
        "{}",
        answers[0].0
    );
}
