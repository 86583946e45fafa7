//! From the body's bytes to a booking.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::{FieldFault, JsonFault, RequestError};
use super::scalars::{Guid, Text};
use super::wire::{Object, REPEATED_KEY, WireAppointment, WireBooking, WireTicket};
use super::{Appointment, Booking, Ticket};

/// A path may hold a key of the body, which can be of any length.
const MAX_PATH_CHARS: usize = 200;

/// Reads a booking from a request body.
///
/// # Errors
/// When the body is not a booking: everything that is missing is named at once, else the first thing that is wrong.
pub fn parse(body: &str) -> Result<Booking, RequestError> {
    let wire: WireBooking = parse_wire(body)?;
    let mut missing = Vec::new();
    let case_id = required(wire.case_id, "caseId", &mut missing);
    let unit_id = required(wire.unit_id, "unitId", &mut missing);
    let service_id = required(wire.service_id, "serviceId", &mut missing);
    let appointment = required(wire.appointment, "appointment", &mut missing)
        .and_then(|Object(wire)| Appointment::from_wire(wire, &mut missing));
    let (Some(case_id), Some(unit_id), Some(service_id), Some(appointment)) =
        (case_id, unit_id, service_id, appointment)
    else {
        return Err(RequestError::Fields(missing));
    };
    Ok(Booking {
        case_id: case_id.0,
        parent_case_id: guid(wire.parent_case_id),
        reference_date: text(wire.reference_date),
        unit_id: unit_id.0,
        service_id: service_id.0,
        service_category_id: guid(wire.service_category_id),
        service_type_id: guid(wire.service_type_id),
        status: text(wire.status),
        channel: text(wire.channel),
        language: text(wire.language),
        ticket: wire.ticket.map(|Object(ticket)| Ticket::from_wire(ticket)),
        fields: wire.fields.map(|fields| fields.0).unwrap_or_default(),
        tag_ids: (wire.tag_ids.unwrap_or_default().into_iter())
            .map(|tag| tag.0)
            .collect(),
        customer_record_id: guid(wire.customer_record_id),
        triggered_by_user_id: guid(wire.triggered_by_user_id),
        triggered_by_user_email: text(wire.triggered_by_user_email),
        appointment,
    })
}

impl Appointment {
    /// Notes every missing field by its path.
    fn from_wire(wire: WireAppointment, missing: &mut Vec<FieldFault>) -> Option<Self> {
        let date = required(wire.date, "appointment.date", missing);
        let cu_index = required(wire.cu_index, "appointment.cuIndex", missing);
        let start = required(wire.start, "appointment.start", missing);
        let duration = required(wire.duration, "appointment.duration", missing);
        let time_local = required(wire.time_local, "appointment.timeLocal", missing);
        let time_utc = required(wire.time_utc, "appointment.timeUtc", missing);
        Some(Self {
            date: date?.0,
            cu_index: cu_index?.0,
            start: start?.0,
            time_local: time_local?.0,
            time_utc: time_utc?.0,
            time_zone_id: text(wire.time_zone_id),
            duration: duration?.0,
            prevent_self_check_in: wire.prevent_self_check_in.unwrap_or(false),
        })
    }
}

impl Ticket {
    fn from_wire(wire: WireTicket) -> Self {
        Self {
            prefix: text(wire.prefix),
            number: wire.number,
            suffix: text(wire.suffix),
        }
    }
}

fn guid(value: Option<Guid>) -> Option<uuid::Uuid> {
    value.map(|guid| guid.0)
}

fn text(value: Option<Text>) -> Option<String> {
    value.map(|text| text.0)
}

pub(in crate::cubu) fn required<T>(
    value: Option<T>,
    path: &str,
    missing: &mut Vec<FieldFault>,
) -> Option<T> {
    if value.is_none() {
        missing.push(FieldFault::required(path));
    }
    value
}

/// Parses twice if need be: once for speed, and only a bad body again with its path kept.
pub(in crate::cubu) fn parse_wire<T: DeserializeOwned>(body: &str) -> Result<T, RequestError> {
    match serde_json::from_str::<Object<T>>(body) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(explain::<T>(body, &error)),
    }
}

fn explain<T: DeserializeOwned>(body: &str, error: &serde_json::Error) -> RequestError {
    if error.classify() != Category::Data {
        return RequestError::NotJson {
            fault: json_fault(body, error),
            line: error.line(),
            column: error.column(),
        };
    }
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let path: String = match serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer) {
        Err(error) => (error.path().to_string().chars())
            .take(MAX_PATH_CHARS)
            .collect(),
        Ok(_) => String::new(),
    };
    RequestError::Fields(vec![fault(&path, &error.to_string())])
}

fn json_fault(body: &str, error: &serde_json::Error) -> JsonFault {
    if body.trim().is_empty() {
        JsonFault::Empty
    } else if body.starts_with('\u{feff}') {
        JsonFault::ByteOrderMark
    } else if error.is_eof() {
        JsonFault::EndsEarly
    } else if error.to_string().starts_with("trailing characters") {
        JsonFault::TextAfterEnd
    } else {
        JsonFault::Other
    }
}

/// In our words, without the value: serde says `invalid type: string "…", expected a GUID at line 1 column 2`.
fn fault(path: &str, message: &str) -> FieldFault {
    let path = if path == "." { "" } else { path };
    let message = message.rsplit_once(" at line ").map_or(message, |(m, _)| m);
    if let Some((_, expected)) = message.rsplit_once(", expected ") {
        return FieldFault {
            path: path.to_owned(),
            message: format!("must be {}", in_words(expected)),
        };
    }
    if let Some(position) = message.strip_prefix(REPEATED_KEY) {
        return FieldFault {
            path: path.to_owned(),
            message: format!("has a key twice: its key number {position} was there before"),
        };
    }
    let Some(rest) = message.strip_prefix("duplicate field") else {
        return FieldFault {
            path: path.to_owned(),
            message: "cannot be read".to_owned(),
        };
    };
    let name = rest.trim_matches([' ', '`']);
    let named = name.is_empty() || path.rsplit('.').next() == Some(name);
    let path = match (named, path) {
        (true, path) => path.to_owned(),
        (false, "") => name.to_owned(),
        (false, path) => format!("{path}.{name}"),
    };
    FieldFault {
        path,
        message: "is given twice".to_owned(),
    }
}

/// What serde calls its own types.
fn in_words(expected: &str) -> &str {
    match expected {
        "i64" => "an integer",
        "a sequence" => "an array",
        "a boolean" => "true or false",
        other => other,
    }
}
