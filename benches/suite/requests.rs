//! Signed bookings, each a case of its own. All have the same length, so that a file of them needs no index.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use bookwarden::cubu::signature::sign;
use chrono::NaiveDate;
use uuid::Uuid;

use crate::failure::Failure;

/// The secret of every organization here.
pub const SECRET: &str = "bench-secret";

/// Services in the policies and in the requests.
pub const SERVICES: u64 = 1000;
const CALENDARS: u64 = 10;

/// Where the bookings of a run go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// 1,000 services of 10 calendars each.
    Spread,
    /// All on one calendar.
    OneCalendar,
}

/// The bookings of one run.
#[derive(Debug, Clone)]
pub struct Requests {
    run: u64,
    aim: Aim,
    date: NaiveDate,
    orgs: u64,
}

/// The n-th service's id; `policies/*.sql` make the same.
pub fn service_id(n: u64) -> Uuid {
    Uuid::from_u128(0x5e41_0000_0000_4000_8000_0000_0000_0000 | u128::from(n))
}

/// A service's unit: ten services each.
pub fn unit_id(service: u64) -> Uuid {
    Uuid::from_u128(0x0417_0000_0000_4000_8000_0000_0000_0000 | u128::from(service / 10))
}

/// An id that is a function of what it is for; looks random to an index, as real ids do.
fn id(run: u64, n: u64, what: u64) -> Uuid {
    let high = mix(mix(run ^ what << 56) ^ n);
    uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(mix(high))).to_be_bytes())
        .into_uuid()
}

/// SplitMix64.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Requests {
    /// `run` makes the cases of one run differ from those of every other.
    pub fn new(run: u64, aim: Aim) -> Self {
        Self {
            run,
            aim,
            date: chrono::Utc::now().date_naive() + chrono::Days::new(30),
            orgs: 0,
        }
    }

    /// Spread over so many organizations, `org-0` and the next; if none, all are of `default`.
    pub fn over_orgs(self, orgs: u64) -> Self {
        Self { orgs, ..self }
    }

    /// The n-th request's body: 1.25 kB, as Cubu writes it.
    pub fn body(&self, n: u64) -> String {
        let random = mix(self.run ^ mix(n));
        let (service, calendar) = match self.aim {
            Aim::Spread => (random % SERVICES, random / SERVICES % CALENDARS),
            Aim::OneCalendar => (0, 0),
        };
        let start = 480 + random / 10_000 % 96 * 5;
        let date = self.date;
        let (hour, minute) = (start / 60, start % 60);
        format!(
            r#"{{
  "caseId": "{case}",
  "parentCaseId": null,
  "referenceDate": "{date}T{hour:02}:{minute:02}:00Z",
  "unitId": "{unit}",
  "serviceId": "{service_id}",
  "serviceCategoryId": "ef023335-f091-4e97-9fa3-3076bac3309b",
  "serviceTypeId": "108165ca-8277-4284-a073-432b6d20219c",
  "status": "Pending",
  "channel": "FaceToFace",
  "language": "en",
  "ticket": {{ "prefix": "A", "number": {ticket}, "suffix": null }},
  "fields": {{
    "4848ba2d-a80a-4f3c-b170-578d19899e2f": "+9725{phone:08}",
    "cd439a62-c78a-413f-bb42-cc4dd720375c": "customer.{phone:08}@example.com",
    "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10": "Passport renewal",
    "2f1d8f57-6a55-4a0e-9a9e-5d5a7c9f4e21": "Main hall, second floor, ring twice"
  }},
  "tagIds": ["0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f"],
  "customerRecordId": "{customer}",
  "triggeredByUserId": null,
  "triggeredByUserEmail": null,
  "appointment": {{
    "date": "{date}T00:00:00",
    "cuIndex": {calendar},
    "start": {start:03},
    "timeLocal": "{date}T{hour:02}:{minute:02}:00",
    "timeUtc": "{date}T{hour:02}:{minute:02}:00Z",
    "timeZoneId": "UTC",
    "duration": 15,
    "preventSelfCheckIn": false
  }}
}}
"#,
            case = id(self.run, n, 1),
            customer = id(self.run, n, 2),
            unit = unit_id(service),
            service_id = service_id(service),
            ticket = 100 + random % 900,
            phone = random % 100_000_000,
        )
    }

    /// The n-th request as it goes over the wire.
    pub fn wire(&self, n: u64) -> Vec<u8> {
        let body = self.body(n);
        let org = match self.orgs {
            0 => String::new(),
            orgs => format!("/org-{}", n % orgs),
        };
        format!(
            "POST {org}/service/actions/beforeBookAppointment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}",
            authorization = sign(SECRET, body.as_bytes()),
            length = body.len(),
        )
        .into_bytes()
    }

    /// Writes the first `count` requests one after another; returns the length of each.
    pub fn write(&self, path: &Path, count: u64) -> Result<usize, Failure> {
        let write = || {
            let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
            for n in 0..count {
                file.write_all(&self.wire(n))?;
            }
            file.flush()
        };
        write().map_err(Failure::file(path))?;
        Ok(self.wire(0).len())
    }
}
