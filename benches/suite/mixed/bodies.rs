//! Bookings that differ in everything that a policy looks at.

use bookwarden::cubu::signature::sign;
use chrono::{Days, NaiveDate, Timelike as _};
use uuid::Uuid;

use crate::requests::{SECRET, SERVICES, mix, service_id, unit_id};

/// So few customers that their limits bite.
const CUSTOMERS: u64 = 20_000;
const DATES: u64 = 60;

/// A case, and the slot for which it asks.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Which case; whatever else there is to it follows from that.
    pub number: u64,
    /// Another one is a move.
    pub slot: u64,
}

impl Case {
    /// Its id.
    pub fn id(self) -> Uuid {
        let high = mix(self.number ^ 0xca5e);
        let bits = u128::from(high) << 64 | u128::from(mix(high));
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// The body, as `beforeBookAppointment` and `afterBookAppointment` bring it.
    pub fn body(self) -> String {
        let of_case = mix(self.number);
        let of_slot = mix(of_case ^ self.slot << 48);
        let pick = |from: &[&'static str], shift: u32| -> &'static str {
            let index = (of_case >> shift) as usize % from.len();
            from.get(index).copied().unwrap_or("null")
        };
        let service = of_case % SERVICES;
        let today: NaiveDate = chrono::Utc::now().date_naive();
        let date = today + Days::new(2 + of_slot % DATES);
        let start = 480 + of_slot / DATES % 96 * 5;
        let local = date.and_hms_opt(0, 0, 0).unwrap_or_default()
            + chrono::TimeDelta::minutes(start.cast_signed());
        let utc = local - chrono::TimeDelta::hours(2);
        let customer = match of_case >> 20 & 15 {
            0 => "null".to_owned(),
            _ => format!(
                "\"c0570000-0000-4000-8000-{:012x}\"",
                (of_case >> 24) % CUSTOMERS
            ),
        };
        let phone = (of_case >> 30) % 1_000_000_000;
        format!(
            r#"{{
  "caseId": "{case}",
  "parentCaseId": null,
  "referenceDate": "{date}T{hour:02}:{minute:02}:00Z",
  "unitId": "{unit}",
  "serviceId": "{service_id}",
  "serviceCategoryId": "ef023335-f091-4e97-9fa3-3076bac3309b",
  "serviceTypeId": {service_type},
  "status": "Pending",
  "channel": {channel},
  "language": {language},
  "ticket": {{ "prefix": "A", "number": {ticket}, "suffix": null }},
  "fields": {{
    "4848ba2d-a80a-4f3c-b170-578d19899e2f": "{country}{phone:09}",
    "cd439a62-c78a-413f-bb42-cc4dd720375c": " Customer.{phone:09}@Example.com",
    "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10": {field},
    "2f1d8f57-6a55-4a0e-9a9e-5d5a7c9f4e21": "Main hall, second floor, ring twice"
  }},
  "tagIds": {tags},
  "customerRecordId": {customer},
  "triggeredByUserId": null,
  "triggeredByUserEmail": {agent},
  "appointment": {{
    "date": "{date}T00:00:00",
    "cuIndex": {calendar},
    "start": {start},
    "timeLocal": "{local}",
    "timeUtc": "{utc}Z",
    "timeZoneId": "Israel Standard Time",
    "duration": {duration},
    "preventSelfCheckIn": {prevented}
  }}
}}
"#,
            case = self.id(),
            hour = utc.hour(),
            minute = utc.minute(),
            unit = unit_id(service),
            service_id = service_id(service),
            service_type = pick(&["null", "\"108165ca-8277-4284-a073-432b6d20219c\""], 3),
            channel = pick(
                &["\"FaceToFace\"", "\"FaceToFace\"", "\"Video\"", "\"Phone\""],
                5
            ),
            language = pick(&["\"en-GB\"", "\"he\"", "\"fr\"", "null"], 7),
            ticket = 100 + of_case % 900,
            country = pick(&["+972", "+972", "+972", "+44"], 9),
            field = pick(
                &[
                    "\"Passport renewal\"",
                    "[\"A\", 2, \"\\u05d0\"]",
                    "1.50e+02",
                    "null",
                    "{\"deep\": [true]}",
                ],
                11
            ),
            tags = pick(
                &[
                    "[\"0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f\"]",
                    "[]",
                    "[\"7d000000-0000-4000-8000-000000000009\"]"
                ],
                13
            ),
            agent = pick(&["null", "null", "\"agent@example.com\""], 15),
            calendar = of_slot / 6_000 % 5,
            local = local.format("%Y-%m-%dT%H:%M:%S"),
            utc = utc.format("%Y-%m-%dT%H:%M:%S"),
            duration = [5, 15, 30, 60][(of_case >> 17) as usize % 4],
            prevented = of_case >> 40 & 1 == 1,
        )
    }
}

/// A call as it goes over the wire, signed with a secret.
pub fn wire(org: &str, action: &str, body: &str, secret: &str) -> Vec<u8> {
    let path = match org {
        "default" => String::new(),
        other => format!("/{other}"),
    };
    format!(
        "POST {path}/service/actions/{action} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}",
        authorization = sign(secret, body.as_bytes()),
        length = body.len(),
    )
    .into_bytes()
}

/// The same, signed as it should be.
pub fn signed(org: &str, action: &str, body: &str) -> Vec<u8> {
    wire(org, action, body, SECRET)
}
