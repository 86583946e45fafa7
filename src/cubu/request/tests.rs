use super::*;
use chrono::{Datelike, Timelike};
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../../../tests/samples/before-book-appointment.json");

fn sample_with(change: impl FnOnce(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(SAMPLE).unwrap();
    change(&mut body);
    body.to_string()
}

fn faults(body: &str) -> Vec<(String, String)> {
    match parse(body).unwrap_err() {
        RequestError::Fields(faults) => (faults.into_iter())
            .map(|fault| (fault.path, fault.message))
            .collect(),
        other => vec![(String::new(), other.to_string())],
    }
}

#[test]
fn the_whole_sample() {
    let booking = parse(SAMPLE).unwrap();
    assert_eq!(booking.parent_case_id, None);
    assert_eq!(booking.fields.len(), 3);
    assert_eq!(booking.tag_ids.len(), 1);
    assert_eq!(booking.booked_by(), BookedBy::SelfService);
    let ticket = booking.ticket.unwrap();
    assert_eq!((ticket.number, ticket.suffix), (Some(331), None));
    let appointment = booking.appointment;
    assert_eq!(appointment.date.to_string(), "2027-03-09");
    assert_eq!((appointment.start, appointment.duration), (650, 15));
    assert_eq!(appointment.time_local.hour(), 10);
    assert_eq!(appointment.time_utc.hour(), 8);
}

#[test]
fn only_the_required_fields() {
    let body = json!({
        "caseId": "4E510ED0-EF6F-4441-A1D3-C29D2F752E57",
        "unitId": "6d1c9a52-7f0f-4b0c-9a57-3f2f4f1f2c11",
        "serviceId": "3031af97-328d-4df1-a528-cf198e4e7897",
        "fields": null, "tagIds": null, "ticket": null, "somethingNew": {"deep": [1]},
        "appointment": {"date": "2027-03-09", "cuIndex": 2, "start": 0, "duration": 0,
            "timeLocal": "2027-03-09T00:10:00.1234567", "timeUtc": "2027-03-08T22:10:00.1234567Z"}
    });
    let booking = parse(&body.to_string()).unwrap();
    assert!(booking.fields.is_empty() && booking.tag_ids.is_empty());
    assert_eq!(
        booking.case_id.to_string(),
        "4e510ed0-ef6f-4441-a1d3-c29d2f752e57"
    );
    assert!(!booking.appointment.prevent_self_check_in);
}

#[test]
fn dates_in_every_form() {
    for text in [
        "2027-03-09",
        "2027-03-09T00:00:00",
        "2027-03-09T00:00:00.0000000",
        "2027-03-09T00:00:00Z",
        "2027-03-09T00:00",
    ] {
        let body = sample_with(|body| body["appointment"]["date"] = text.into());
        assert_eq!(parse(&body).unwrap().appointment.date.day(), 9, "{text}");
    }
    for text in [
        "",
        "2027-3-9",
        "2027-02-30",
        "0000-01-01",
        "+2027-03-09",
        "12027-03-09",
        "2027-03-09Tx",
        "2027-03-09 00:00:00",
        "09/03/2027",
        "２０２７-03-09",
    ] {
        let body = sample_with(|body| body["appointment"]["date"] = text.into());
        assert_eq!(faults(&body)[0].0, "appointment.date", "{text}");
    }
}

#[test]
fn times_in_every_form() {
    for text in [
        "2027-03-09T08:50:00Z",
        "2027-03-09T10:50:00+02:00",
        "2027-03-09T08:50:00",
    ] {
        let body = sample_with(|body| body["appointment"]["timeUtc"] = text.into());
        let time = parse(&body).unwrap().appointment.time_utc;
        assert_eq!(time.to_rfc3339(), "2027-03-09T08:50:00+00:00", "{text}");
    }
    for text in ["0001-01-01T00:00:00+10:00", "0000-01-01T00:00:00Z", "now"] {
        let body = sample_with(|body| body["appointment"]["timeUtc"] = text.into());
        assert_eq!(faults(&body)[0].0, "appointment.timeUtc", "{text}");
    }
    let body = sample_with(|body| body["appointment"]["timeLocal"] = "2027-03-09T11:13:00".into());
    assert_eq!(parse(&body).unwrap().appointment.start, 650);
}

#[test]
fn every_missing_field_is_named() {
    assert_eq!(
        parse("{}").unwrap_err().to_string(),
        "caseId is required; unitId is required; serviceId is required; appointment is required"
    );
    let body = sample_with(|body| {
        body["serviceId"] = Value::Null;
        body["appointment"] = json!({"date": "2027-03-09"});
    });
    let paths: Vec<_> = faults(&body).into_iter().map(|fault| fault.0).collect();
    assert_eq!(
        paths,
        [
            "serviceId",
            "appointment.cuIndex",
            "appointment.start",
            "appointment.duration",
            "appointment.timeLocal",
            "appointment.timeUtc"
        ]
    );
}

#[test]
fn wrong_values_are_named_by_path_and_never_repeated() {
    let cases: [(&str, Value, &str, &str); 18] = [
        (
            "/caseId",
            json!("secret-person"),
            "caseId",
            "must be a GUID",
        ),
        ("/caseId", json!(5), "caseId", "must be a GUID"),
        ("/tagIds", json!("x"), "tagIds", "must be an array"),
        ("/tagIds", json!(["x"]), "tagIds[0]", "must be a GUID"),
        (
            "/channel",
            json!(7),
            "channel",
            "must be text of at most 1,000 bytes without U+0000",
        ),
        (
            "/channel",
            json!("a\0"),
            "channel",
            "must be text of at most 1,000 bytes without U+0000",
        ),
        (
            "/triggeredByUserEmail",
            json!("\0"),
            "triggeredByUserEmail",
            "must be text of at most 1,000 bytes without U+0000",
        ),
        ("/ticket", json!([]), "ticket", "must be an object"),
        (
            "/ticket/number",
            json!("331"),
            "ticket.number",
            "must be an integer",
        ),
        ("/fields", json!([]), "fields", "must be an object"),
        (
            "/appointment",
            json!(["2027-03-09"]),
            "appointment",
            "must be an object",
        ),
        (
            "/appointment/cuIndex",
            json!(-1),
            "appointment.cuIndex",
            "must be an integer from 0 to 2147483647",
        ),
        (
            "/appointment/cuIndex",
            json!(2_147_483_648_i64),
            "appointment.cuIndex",
            "must be an integer from 0 to 2147483647",
        ),
        (
            "/appointment/cuIndex",
            json!(u64::MAX),
            "appointment.cuIndex",
            "must be an integer from 0 to 2147483647",
        ),
        (
            "/appointment/start",
            json!(10_081),
            "appointment.start",
            "must be an integer from 0 to 10080",
        ),
        (
            "/appointment/start",
            json!("650"),
            "appointment.start",
            "must be an integer from 0 to 10080",
        ),
        (
            "/appointment/duration",
            json!(1.5),
            "appointment.duration",
            "must be an integer from 0 to 10080",
        ),
        (
            "/appointment/preventSelfCheckIn",
            json!("a, expected b"),
            "appointment.preventSelfCheckIn",
            "must be true or false",
        ),
    ];
    for (pointer, value, path, message) in cases {
        let body = sample_with(|body| *body.pointer_mut(pointer).unwrap() = value);
        assert_eq!(
            faults(&body),
            [(path.to_owned(), message.to_owned())],
            "{body}"
        );
    }
}

#[test]
fn a_field_given_twice_is_refused() {
    let twice = |from: &str, to: &str| SAMPLE.replacen(from, to, 1);
    let case = r#""caseId": "4e510ed0-ef6f-4441-a1d3-c29d2f752e57","#;
    let body = twice(case, &format!("{case}{case}"));
    assert_eq!(
        faults(&body),
        [("caseId".to_owned(), "is given twice".to_owned())]
    );
    let body = twice(r#""cuIndex": 0,"#, r#""cuIndex": 0, "cuIndex": 1,"#);
    assert_eq!(
        faults(&body),
        [(
            "appointment.cuIndex".to_owned(),
            "is given twice".to_owned()
        )]
    );
    let body = twice(r#""fields": {"#, r#""fields": {"x": 1, "x": 2,"#);
    assert_eq!(
        faults(&body),
        [(
            "fields".to_owned(),
            "has a key twice: its key number 2 was there before".to_owned()
        )]
    );
    let body = twice(r#""fields": {"#, r#""fields": {}, "fields": {"#);
    assert_eq!(
        faults(&body),
        [("fields".to_owned(), "is given twice".to_owned())]
    );
    let body = twice(r#""fields": {"#, r#""fields": {"x": {"y": 1, "y": 2},"#);
    assert!(parse(&body).is_ok(), "values are any JSON");
}

#[test]
fn field_values_are_kept_byte_for_byte() {
    let value = "{ \"a\" : [1.0e5,\t\"\\u05d0\\ud800\", 123456789012345678901234567890] }";
    let body = SAMPLE.replacen(
        r#""fields": {"#,
        &format!(r#""fields": {{"K": {value} ,"#),
        1,
    );
    assert_eq!(parse(&body).unwrap().fields["K"].get(), value);
}

#[test]
fn what_is_not_json() {
    let bytes = b"{\"a\xff\"}".to_vec();
    let error = String::from_utf8(bytes).unwrap_err().utf8_error();
    assert_eq!(
        RequestError::from(error),
        RequestError::NotUtf8 { offset: 3 }
    );
    let fault = |body: &str| match parse(body).unwrap_err() {
        RequestError::NotJson {
            fault,
            line,
            column,
        } => (fault, line, column),
        other => panic!("{other}"),
    };
    assert_eq!(fault(""), (JsonFault::Empty, 1, 0));
    assert_eq!(fault(" \r\n\t").0, JsonFault::Empty);
    assert_eq!(fault("{\n  \"a\": }"), (JsonFault::Other, 2, 8));
    let cut = &SAMPLE[..SAMPLE.len() - 4];
    assert_eq!(fault(cut).0, JsonFault::EndsEarly);
    assert_eq!(fault("{\"a").0, JsonFault::EndsEarly);
    assert_eq!(fault(&format!("{SAMPLE}x")).0, JsonFault::TextAfterEnd);
    let marked = format!("\u{feff}{SAMPLE}");
    assert_eq!(fault(&marked).0, JsonFault::ByteOrderMark);
    assert_eq!(
        parse("").unwrap_err().to_string(),
        "the body is not JSON: it is empty"
    );
    assert_eq!(
        parse("{} x").unwrap_err().to_string(),
        "the body is not JSON: there is text after its end, at line 1, column 4"
    );
    for body in ["[]", "null", "5", "\"x\""] {
        assert_eq!(
            parse(body).unwrap_err().to_string(),
            "the body must be an object"
        );
    }
    let nested = format!("{{\"x\": {}", "[".repeat(100_000));
    assert_eq!(fault(&nested).0, JsonFault::EndsEarly);
}
