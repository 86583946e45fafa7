//! The examples of `docs/expressions.md`.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::{Expression, Scope, names};
use super::{PHONE, booking, evaluate, now, raw};
use crate::cubu::request::Booking;

type Change = fn(&mut Booking, &mut DateTime<Utc>);

/// Each example of the manual with a booking and a time for which it holds; for `booking()` and `now()` none does.
fn examples() -> Vec<(&'static str, Change)> {
    const TAGS: &str = "0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f";
    fn set(booking: &mut Booking, field: &str, json: &str) {
        booking.fields.insert(field.to_owned(), raw(json));
    }
    vec![
        (
            "channel == 'Video' && minutesUntilStart < 60",
            |booking, now| {
                booking.channel = Some("Video".to_owned());
                *now = "2027-03-09T07:50:01Z".parse().unwrap();
            },
        ),
        ("selfService && daysUntilDate == 0", |_, now| {
            *now = "2027-03-09T06:00:00Z".parse().unwrap()
        }),
        (
            "weekday in [2, 5] && minuteOfDay >= 13 * 60",
            |booking, _| booking.appointment.start = 780,
        ),
        (
            "nowMinuteOfDay < 8 * 60 || nowMinuteOfDay >= 18 * 60 && nowWeekday > 5",
            |_, now| {
                *now = "2027-03-09T05:59:00Z".parse().unwrap();
            },
        ),
        ("customerRecordId == null", |booking, _| {
            booking.customer_record_id = None
        }),
        (
            "!('0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f' in tagIds)",
            |booking, _| booking.tag_ids.clear(),
        ),
        (
            "tagIds.exists(tag, tag.startsWith('7d')) && size(tagIds) > 1",
            |booking, _| {
                booking
                    .tag_ids
                    .push(TAGS.replace("0b6f", "7d6f").parse().unwrap());
            },
        ),
        (
            "fields['cd439a62-c78a-413f-bb42-cc4dd720375c'].trim().lowerAscii().endsWith('@spam.example')",
            |booking, _| {
                set(
                    booking,
                    "cd439a62-c78a-413f-bb42-cc4dd720375c",
                    "\"X@Spam.Example \"",
                );
            },
        ),
        (
            r"!fields['4848ba2d-a80a-4f3c-b170-578d19899e2f'].matches(r'^\+972\d{9}$')",
            |booking, _| {
                booking.fields.remove(PHONE);
            },
        ),
        (
            "size(fields['cd439a62-c78a-413f-bb42-cc4dd720375c'].trim()) == 0",
            |booking, _| {
                set(booking, "cd439a62-c78a-413f-bb42-cc4dd720375c", "null");
            },
        ),
        (
            "'wheelchair' in fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10']",
            |booking, _| {
                set(
                    booking,
                    "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10",
                    r#"["wheelchair","parking"]"#,
                );
            },
        ),
        (
            "has(fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'].city)",
            |booking, _| {
                set(
                    booking,
                    "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10",
                    r#"{"city":"Haifa"}"#,
                );
            },
        ),
        (
            "appointment.duration > 30 && appointment.cuIndex in [0, 1]",
            |booking, _| booking.appointment.duration = 31,
        ),
        (
            "language in ['he', 'ar'] || language.startsWith('he-')",
            |booking, _| booking.language = Some("he-IL".to_owned()),
        ),
        (
            "triggeredByUserEmail.endsWith('@partner.example')",
            |booking, _| {
                booking.triggered_by_user_email = Some("a@partner.example".to_owned());
            },
        ),
        (
            "appointment.date >= '2027-12-24' && appointment.date <= '2027-12-31'",
            |booking, _| {
                booking.appointment.date = NaiveDate::from_ymd_opt(2027, 12, 31).unwrap();
            },
        ),
        ("minutesUntilStart < (selfService ? 120 : 15)", |_, now| {
            *now = "2027-03-09T07:00:00Z".parse().unwrap()
        }),
    ]
}

#[test]
fn the_manual_lists_every_name_and_its_examples_do_what_it_says() {
    let manual = include_str!("../../../../docs/expressions.md");
    let written: Vec<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    let examples = examples();
    assert_eq!(
        written,
        examples.iter().map(|(text, _)| *text).collect::<Vec<_>>()
    );
    for (text, change) in examples {
        assert_eq!(evaluate(text), Ok(false), "{text}");
        let (mut booking, mut now) = (booking(), now());
        change(&mut booking, &mut now);
        assert_eq!(
            Expression::compile(text)
                .unwrap()
                .evaluate(&Scope::new(&booking, now)),
            Ok(true),
            "{text}"
        );
    }
    for (name, _) in names::NAMES {
        assert!(
            manual.contains(&format!("`{name}`")),
            "the manual does not say what {name} is"
        );
    }
    for (function, ..) in names::FUNCTIONS {
        assert!(
            manual.contains(&format!("{function}(")),
            "the manual does not say what {function} does"
        );
    }
}

#[test]
fn what_the_manual_says_shows_at_a_booking_does() {
    for text in ["channel == 'Video' ? true : 1", "size(1) == 1"] {
        let manual = include_str!("../../../../docs/expressions.md");
        assert!(manual.contains(&format!("`{text}`")), "{text}");
        let expression = Expression::compile(text).expect(text);
        let evaluated = expression.evaluate(&Scope::new(&booking(), now()));
        assert!(evaluated.is_err(), "{text}: {evaluated:?}");
    }
    assert!(Expression::compile("1").is_err(), "never true or false");
}
