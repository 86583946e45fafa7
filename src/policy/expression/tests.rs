//! What expressions say, and what hostile ones cannot do.

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::cubu::request::{Appointment, Booking, Ticket};

const PHONE: &str = "4848ba2d-a80a-4f3c-b170-578d19899e2f";

/// Tuesday 2027-03-09, 10:50 in Jerusalem (UTC+2), channel FaceToFace, a customer, one tag, booked by the customer.
pub(super) fn booking() -> Booking {
    Booking {
        case_id: "4e510ed0-ef6f-4441-a1d3-c29d2f752e57".parse().unwrap(),
        parent_case_id: None,
        reference_date: Some("2027-03-09T08:50:00Z".to_owned()),
        unit_id: "6d1c9a52-7f0f-4b0c-9a57-3f2f4f1f2c11".parse().unwrap(),
        service_id: "3031af97-328d-4df1-a528-cf198e4e7897".parse().unwrap(),
        service_category_id: Some("ef023335-f091-4e97-9fa3-3076bac3309b".parse().unwrap()),
        service_type_id: Some("108165ca-8277-4284-a073-432b6d20219c".parse().unwrap()),
        status: Some("Pending".to_owned()),
        channel: Some("FaceToFace".to_owned()),
        language: Some("en".to_owned()),
        ticket: Some(Ticket {
            prefix: Some("A".to_owned()),
            number: Some(331),
            suffix: None,
        }),
        fields: [
            (PHONE, "\"+972501234567\""),
            (
                "cd439a62-c78a-413f-bb42-cc4dd720375c",
                "\" Dana@Example.com \"",
            ),
            (
                "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10",
                r#"{"street":"Main","rooms":[3,1,2.5],"vip":true}"#,
            ),
        ]
        .map(|(key, value)| (key.to_owned(), raw(value)))
        .into(),
        tag_ids: vec!["0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f".parse().unwrap()],
        customer_record_id: Some("9f86d081-884c-4d63-a1e2-2d1c3b4a5f60".parse().unwrap()),
        triggered_by_user_id: None,
        triggered_by_user_email: None,
        appointment: Appointment {
            date: NaiveDate::from_ymd_opt(2027, 3, 9).unwrap(),
            cu_index: 0,
            start: 650,
            time_local: "2027-03-09T10:50:00".parse().unwrap(),
            time_utc: "2027-03-09T08:50:00Z".parse().unwrap(),
            time_zone_id: Some("Israel Standard Time".to_owned()),
            duration: 15,
            prevent_self_check_in: false,
        },
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// Monday, 2027-03-08, 23:30 in Jerusalem.
pub(super) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2027, 3, 8, 21, 30, 0).unwrap()
}

fn evaluate(text: &str) -> Result<bool, ExpressionError> {
    evaluate_for(text, &booking())
}

fn evaluate_for(text: &str, booking: &Booking) -> Result<bool, ExpressionError> {
    Expression::compile(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .evaluate(&Scope::new(booking, now()))
}

fn refused(text: &str) -> String {
    match Expression::compile(text) {
        Ok(_) => panic!("{text} compiled"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_name_has_the_kind_that_is_announced() {
    let mut booking = booking();
    booking.parent_case_id = Some(booking.case_id);
    booking.triggered_by_user_id = Some(booking.case_id);
    booking.triggered_by_user_email = Some("agent@example.com".to_owned());
    booking.ticket.as_mut().unwrap().suffix = Some("Z".to_owned());
    let scope = Scope::new(&booking, now());
    for (name, kind) in names::NAMES {
        let value = scope
            .value(name)
            .unwrap_or_else(|| panic!("{name} has no value"));
        let wanted = match kind {
            Kind::Boolean => "bool",
            Kind::Integer => "int",
            Kind::Text => "string",
            Kind::List => "list",
            Kind::Map => "map",
            kind => panic!("{name} is announced as {kind}"),
        };
        assert_eq!(value.get_type().name(), wanted, "{name}");
    }
}

#[test]
fn conditions_hold() {
    for text in [
        "caseId == '4e510ed0-ef6f-4441-a1d3-c29d2f752e57'",
        "parentCaseId == null && !has(ticket.suffix) && has(ticket.number) && ticket.number == 331 && ticket.prefix == 'A'",
        "referenceDate.startsWith('2027-03-09')",
        "channel in ['FaceToFace', 'Phone'] && language == 'en' && status != 'Waiting'",
        "'0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f' in tagIds && size(tagIds) == 1 && tagIds.size() < 2",
        "tagIds == ['0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f'] && tagIds[0].startsWith('0b6f')",
        "selfService && bookedBy == 'self-service' && triggeredByUserEmail == null",
        "appointment.date == '2027-03-09' && appointment.cuIndex == 0 && appointment.start == 650 && minuteOfDay == 650",
        "appointment.timeLocal == '2027-03-09T10:50:00' && appointment.timeUtc == '2027-03-09T08:50:00Z'",
        "appointment.timeZoneId == 'Israel Standard Time' && appointment.duration == 15 && !appointment.preventSelfCheckIn",
        "minutesUntilStart == 680 && daysUntilDate == 1 && weekday == 2",
        "now == '2027-03-08T21:30:00Z' && nowWeekday == 1 && nowMinuteOfDay == 1410",
        "now > '2027-03-01T00:00:00Z' && appointment.date < '2027-04-01'",
        "(channel == 'Video' ? 1 : 2) == 2 && 7 / 2 == 3 && -7 % 3 == -1 && 1.5 < 2 && 2.0 == 2",
        "int('12') + 1 == 13 && string(weekday) + 'nd' == '2nd' && double('1.5') == 1.5",
        "[1, 2, 3].map(x, x * 2).exists(x, x == 6) && [1, 2, 3].filter(x, x > 1).size() == 2",
        "[1, 2].all(x, x > 0) && [1, 2].exists_one(x, x == 1) && [[1], [2, 3]].exists(x, x.exists(y, y == 3))",
        "'A-1'.lowerAscii() == 'a-1' && ' x '.trim() == 'x' && 'abc'.contains('b') && 'abc'.endsWith('bc')",
        "'+972-50'.matches('^\\\\+972') && !channel.matches('^Video$') && 'x1'.matches(r'^\\w\\d$')",
        "1 / 0 == 1 || true",
    ] {
        assert_eq!(evaluate(text), Ok(true), "{text}");
    }
}

#[test]
fn fields_are_read_as_their_json_and_a_missing_one_is_null() {
    for text in [
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'] == '+972501234567'",
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'].startsWith('+972')",
        "fields['cd439a62-c78a-413f-bb42-cc4dd720375c'].trim().lowerAscii().endsWith('@example.com')",
        "fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'].street == 'Main'",
        "fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'].vip && has(fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'].vip)",
        "fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'].rooms == [3, 1, 2.5]",
        "fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'] == fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10']",
        "!('x' in fields) && fields['x'] == null && !has(fields.x) && size(fields) == 3 && fields.size() == 3",
        "!fields['x'].startsWith('a') && !fields['x'].contains('a') && !fields['x'].matches('.*') && size(fields['x']) == 0",
        "fields['x'].lowerAscii() == null && !fields['x'].trim().lowerAscii().endsWith('x')",
        "'4848ba2d-a80a-4f3c-b170-578d19899e2f' in fields && fields.exists(id, fields[id] == '+972501234567')",
    ] {
        assert_eq!(evaluate(text), Ok(true), "{text}");
    }
    let mut shouted = booking();
    shouted.fields = [(PHONE.to_uppercase(), raw("\"1\""))].into();
    assert_eq!(
        evaluate_for(
            &format!("fields['{PHONE}'] == '1' && fields.all(id, id == '{PHONE}')"),
            &shouted
        ),
        Ok(true)
    );
}

#[test]
fn maps_are_walked_in_the_order_of_their_keys() {
    let mut booking = booking();
    booking.fields = (0..40)
        .map(|number| {
            (
                format!("{:02}", (number * 7) % 40),
                raw(r#"{"c":1,"a":2,"b":3}"#),
            )
        })
        .collect();
    let keys = (0..40)
        .map(|number| format!("'{number:02}'"))
        .collect::<Vec<_>>()
        .join(", ");
    for _ in 0..20 {
        assert_eq!(
            evaluate_for(&format!("fields.map(id, id) == [{keys}]"), &booking),
            Ok(true)
        );
        assert_eq!(
            evaluate_for("fields['00'].map(key, key) == ['a', 'b', 'c']", &booking),
            Ok(true)
        );
    }
}

#[test]
fn times_are_those_of_the_bookings_own_offset() {
    let mut booking = booking();
    let at = |booking: &Booking, now: &str, text: &str| {
        Expression::compile(text)
            .unwrap()
            .evaluate(&Scope::new(booking, now.parse().unwrap()))
    };
    assert_eq!(
        at(
            &booking,
            "2027-03-08T22:00:00Z",
            "daysUntilDate == 0 && nowMinuteOfDay == 0"
        ),
        Ok(true)
    );
    assert_eq!(
        at(
            &booking,
            "2027-03-08T21:59:59Z",
            "daysUntilDate == 1 && nowMinuteOfDay == 1439"
        ),
        Ok(true)
    );
    assert_eq!(
        at(&booking, "2027-03-09T08:49:00Z", "minutesUntilStart == 1"),
        Ok(true)
    );
    assert_eq!(
        at(
            &booking,
            "2027-03-09T08:49:00.001Z",
            "minutesUntilStart == 0"
        ),
        Ok(true)
    );
    assert_eq!(
        at(
            &booking,
            "2027-03-09T08:50:00.001Z",
            "minutesUntilStart == -1"
        ),
        Ok(true)
    );
    booking.appointment.time_local = "2027-03-09T08:50:00".parse().unwrap();
    assert_eq!(
        at(&booking, "2027-03-08T23:59:00Z", "daysUntilDate == 1"),
        Ok(true)
    );
    booking.appointment.time_local = chrono::NaiveDateTime::MAX;
    assert!(
        at(
            &booking,
            "2027-03-08T23:59:00Z",
            "daysUntilDate < 100000 || true"
        )
        .is_ok()
    );
}

#[test]
fn mistakes_are_named_when_compiled() {
    for (text, part) in [
        ("channel = 'Video'", "line 1, column 9: write == to compare"),
        (
            "channel == Video",
            "line 1, column 12: unknown name `Video`; texts are written in quotes",
        ),
        ("'é' == status && Video", "line 1, column 18: unknown name"),
        ("true &&\n  nope", "line 2, column 3: unknown name `nope`"),
        ("appointment.foo == 1", "unknown name `appointment.foo`"),
        ("appointment == null", "unknown name `appointment`"),
        ("channel == 'a' and true", "write && for `and`"),
        ("channel <> 'a'", "write != for"),
        ("channel & true", "write && and ||"),
        ("foo(1)", "unknown function `foo` with 1 argument(s)"),
        (
            "channel.startsWith()",
            "unknown function `startsWith` with 0 argument(s)",
        ),
        (
            "channel.replace('a', 'b') == ''",
            "unknown function `replace`",
        ),
        ("timestamp(now) == null", "unknown function `timestamp`"),
        ("optional.none() == null", "unknown function `none`"),
        ("weekday == '2'", "a number and a text cannot be combined"),
        ("weekday in ['2']", "a number and a text cannot be combined"),
        ("channel > 3", "a text and a number cannot be combined"),
        ("weekday.startsWith('2')", "cannot be combined"),
        ("channel", "a text where true or false is needed"),
        ("weekday + 1", "a number where true or false is needed"),
        (
            "selfService && channel",
            "a text where true or false is needed",
        ),
        ("!weekday", "a number where true or false is needed"),
        ("[1]", "a list where true or false is needed"),
        (
            "unitId == '6D1C9A52-7F0F-4B0C-9A57-3F2F4F1F2C11'",
            "write this one in lower case",
        ),
        ("channel.matches('(')", "unclosed group"),
        ("channel.matches(status)", "must be a text in quotes"),
        ("channel.matches('(\\\\w{100}){100}')", "too complex"),
        ("{'a': 1}['a'] == 1", "maps ({…}) are not available"),
        ("b'a' == b'a'", "bytes (b'…') are not available"),
        ("1u == 1", "numbers ending in u"),
        (
            "tagIds.exists(channel, channel == 'a')",
            "`channel` is taken",
        ),
        ("tagIds.exists(ticket, ticket == 'a')", "`ticket` is taken"),
        (
            "tagIds.exists(a, tagIds.exists(a, a == ''))",
            "`a` is taken",
        ),
        ("fields.?a == 1", "line 1, column"),
        ("1 +", "line 1, column 4"),
        ("", "line 1, column 1"),
        ("(true", "a bracket is not closed"),
        ("true)", "a closing bracket too many"),
        ("'abc", "a text in quotes is not closed"),
        ("'a\nb' == ''", "a text in quotes is not closed"),
        ("'\\q' == ''", "unknown escape"),
        ("'''a''' == ''", "three quotes"),
        ("a # b", "unexpected `#`"),
        ("99999999999999999999 == 1", "line 1, column 1"),
    ] {
        let error = refused(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn failures_are_named_when_evaluated_and_quote_nothing_of_the_booking() {
    for (text, error) in [
        ("weekday / 0 == 1", ExpressionError::DivisionByZero),
        ("weekday % 0 == 1", ExpressionError::DivisionByZero),
        (
            "weekday * 9223372036854775807 == 1",
            ExpressionError::Overflow,
        ),
        (
            "int(channel) == 1",
            ExpressionError::Conversion {
                function: "int".to_owned(),
            },
        ),
        ("tagIds[7] == ''", ExpressionError::IndexOutOfBounds),
        (
            "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f']",
            ExpressionError::NotBoolean {
                found: "string".to_owned(),
            },
        ),
    ] {
        assert_eq!(evaluate(text), Err(error), "{text}");
    }
    for text in [
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'] > 5",
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'] + 5 == 1",
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'] && true",
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'].street == ''",
        "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'].exists(x, x == '')",
        "fields['x'] < 5",
        "fields['x'].street == ''",
        "-fields['x'] == 1",
        "-9223372036854775808 == -(-9223372036854775807 - 1)",
    ] {
        let error = evaluate(text).unwrap_err().to_string();
        assert!(
            !error.contains("972") && error.len() < 200,
            "{text}: {error}"
        );
    }
    let mut deep = booking();
    deep.fields = [
        (
            "x".to_owned(),
            raw(&format!("{}{}", "[".repeat(500), "]".repeat(500))),
        ),
        ("y".to_owned(), raw("1e999")),
    ]
    .into();
    assert_eq!(
        evaluate_for("fields['x'] == 1", &deep),
        Err(ExpressionError::UnreadableField)
    );
    assert_eq!(
        evaluate_for("fields['y'] == 1", &deep),
        Err(ExpressionError::UnreadableField)
    );
    assert_eq!(evaluate_for("fields['z'] == null", &deep), Ok(true));
}

/// Texts that would exhaust a recursive parser, and others that are as large as they may be.
fn hostile_texts() -> Vec<String> {
    let fill = |unit: &str| unit.repeat(MAX_BYTES / unit.len());
    let mut texts: Vec<String> = [
        "(", "[", "{", "!", "-", "!-", "a.", "a?", "a?b:", "a[", "a(", "f(", "1+", "1,", "a&&",
        "a||", "a==", "\"", "'", "\\", "'\\", "{a:", "a{b:", "[[],", "in ", "1.", "//", "a.b(",
        "has(", ".", "..", "?", ":", "`", "r'", "x.map(y,", "\u{0}", "é", "\n", "0x", "1e", "e+",
    ]
    .iter()
    .map(|unit| fill(unit))
    .collect();
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{1:", "1", "}"),
        ("a[", "1", "]"),
        ("size(", "1", ")"),
        ("(1 + ", "1", ")"),
    ] {
        for count in [10, 30, 60, 100, 500, 1900] {
            texts.push(format!(
                "{}{middle}{}",
                open.repeat(count),
                close.repeat(count)
            ));
        }
    }
    for (first, unit) in [
        ("1", " + 1"),
        ("true", " && true"),
        ("true", " || true && true"),
        ("[1]", ", 1"),
        ("channel", ".size()"),
        ("'a'", " + 'a'"),
        ("true", " ? true : true"),
        ("1", " == 1"),
    ] {
        for count in [10, 50, 60, 500] {
            texts.push(format!("{first}{}", unit.repeat(count)));
        }
    }
    texts.push(format!("1 in [{}1]", "1,".repeat(1_990)));
    texts.push(format!("channel in [{}'']", "'é',".repeat(790)));
    texts.push(format!("true{}", " || channel == 'a'".repeat(220)));
    texts.push(format!("{}'{}'", "!".repeat(40), "a".repeat(3_900)));
    texts.push("x".repeat(100_000));
    texts
}

#[test]
fn hostile_texts_are_refused_or_compiled_quickly_on_a_small_stack() {
    // Threads of the runtime have 2 MiB; half of it must do, even unoptimized.
    let worker = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        let mut slowest = (Duration::ZERO, String::new());
        for text in hostile_texts() {
            let started = Instant::now();
            if let Ok(expression) = Expression::compile(&text) {
                let _ = expression.evaluate(&Scope::new(&booking(), now()));
            }
            slowest = slowest.max((started.elapsed(), text.chars().take(40).collect()));
        }
        slowest
    });
    let (slowest, text) = worker.unwrap().join().unwrap();
    println!("slowest: {slowest:?} for {text}…");
    assert!(slowest < Duration::from_secs(5), "{text}… took {slowest:?}");
}

#[test]
fn worst_cases_cost_milliseconds() {
    let mut large = booking();
    let list = |item: &str, count: usize| raw(&format!("[{}]", vec![item; count].join(",")));
    large.fields = [
        ("text", raw(&format!("\"{}\"", "ab".repeat(100_000)))),
        ("word", raw(&format!("\"{}\"", "01".repeat(500)))),
        ("numbers", list("1", 100_000)),
        ("some", list("1", 130)),
        ("texts", list("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", 2_000)),
        ("lists", list("[1,1,1,1,1,1,1,1]", 1_500)),
        ("objects", list("{\"a\":1,\"b\":2}", 1_500)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let scope = Scope::new(&large, now());
    let mut doubling = "[fields['some']]".to_owned();
    for number in 0..60 {
        doubling += &format!(".map(x{number}, x{number} + x{number})");
    }
    let mut doubled_text = "[channel]".to_owned();
    for number in 0..60 {
        doubled_text += &format!(".map(x{number}, x{number} + x{number})");
    }
    for text in [
        "fields['text'] == null",
        "fields['numbers'] == null",
        "fields['numbers'].exists(x, x == 2)",
        "fields['some'].all(x, fields['some'].all(y, x == y))",
        "fields['some'].exists(x, fields['some'].exists(y, fields['some'].exists(z, z > 1)))",
        "fields['texts'].exists(x, x.contains('b'))",
        "fields['texts'].exists(x, x + x == '')",
        "fields['lists'].exists(x, [x, x] == [])",
        "fields['objects'].exists(x, x.a > 1 || x.b > 2)",
        "fields['objects'].map(x, x.a).size() == 1500",
        "fields['some'].exists(x, fields['text'].contains('c'))",
        "fields['some'].exists(x, fields['text'].lowerAscii() == fields['text'])",
        "fields['some'].exists(x, size(fields['text']) == x)",
        "fields['some'].exists(x, fields['text'] < x)",
        "fields['some'].exists(x, fields['text'] - x == 1)",
        "fields['some'].exists(x, x.a)",
        "fields['some'].exists(x, fields[fields['text']] == 1)",
        "fields['some'].exists(x, fields['word'].matches('[01]*1[01]{100}$'))",
        "fields['some'].exists(x, fields['word'].matches('(\\\\w*\\\\d)*\\\\w\\\\w\\\\w!'))",
        "fields['word'].matches('(\\\\w*\\\\d)*\\\\w\\\\w\\\\w!')",
        "fields['word'].matches('[01]*1[01]{100}!')",
        "fields['text'].matches('([ab]*a[ab]{20})*(a|b)*(ab|ba|aa)*!')",
        &doubling,
        &doubled_text,
        &format!("true{}", " && !fields['text'].contains('c')".repeat(110)),
        &format!("true{}", " && channel != status".repeat(170)),
        &format!("false{}", " || channel == 'Video'".repeat(170)),
    ] {
        let expression =
            Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let _ = expression.evaluate(&scope);
        let started = Instant::now();
        let outcome = expression.evaluate(&scope);
        let elapsed = started.elapsed();
        println!(
            "{elapsed:>12.1?} {} {outcome:?}",
            text.chars().take(90).collect::<String>()
        );
        assert!(
            elapsed < Duration::from_millis(500),
            "{text} took {elapsed:?}"
        );
    }
}
