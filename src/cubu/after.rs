//! The bodies of the calls that come after: `afterBookAppointment`, `afterClose`.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::request::{
    Appointment, Guid, Object, RequestError, WireAppointment, parse_wire, required,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// `afterBookAppointment`: the appointment is in the calendar.
    Booked,
    /// `afterClose`: the case ended, whatever the cause.
    Closed,
}

impl After {
    /// The call's name in the webhook's address.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Booked => "afterBookAppointment",
            Self::Closed => "afterClose",
        }
    }
}

/// What an after-call tells. Nothing is answered to it, so only the case is insisted on.
#[derive(Debug, Clone)]
pub struct AfterCall {
    /// The case.
    pub case_id: Uuid,
    /// The appointment, if the call carries one that can be read.
    pub appointment: Option<Appointment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAfterCall {
    case_id: Option<Guid>,
    appointment: Option<Box<RawValue>>,
}

/// Reads an after-call's body.
///
/// # Errors
/// When the body is not a JSON object or does not name its case.
pub fn parse(body: &str) -> Result<AfterCall, RequestError> {
    let wire: WireAfterCall = parse_wire(body)?;
    let mut missing = Vec::new();
    let Some(case_id) = required(wire.case_id, "caseId", &mut missing) else {
        return Err(RequestError::Fields(missing));
    };
    let appointment = wire.appointment.and_then(|text| read_appointment(&text));
    Ok(AfterCall {
        case_id: case_id.0,
        appointment,
    })
}

fn read_appointment(text: &RawValue) -> Option<Appointment> {
    let Object(wire) = serde_json::from_str::<Object<WireAppointment>>(text.get()).ok()?;
    Appointment::from_wire(wire, &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../tests/samples/before-book-appointment.json");
    const CASE: &str = "4e510ed0-ef6f-4441-a1d3-c29d2f752e57";

    #[test]
    fn an_after_call_with_an_appointment() {
        let call = parse(SAMPLE).unwrap();
        assert_eq!(call.case_id.to_string(), CASE);
        assert_eq!(call.appointment.unwrap().start, 650);
    }

    #[test]
    fn without_a_readable_appointment() {
        for body in [
            format!(r#"{{"caseId":"{CASE}"}}"#),
            format!(r#"{{"caseId":"{CASE}","appointment":null,"contactEmail":"x"}}"#),
            format!(r#"{{"caseId":"{CASE}","appointment":{{"date":5}}}}"#),
        ] {
            assert!(parse(&body).unwrap().appointment.is_none());
        }
    }

    #[test]
    fn the_case_is_required() {
        let error = parse("{}").unwrap_err();
        assert_eq!(error.to_string(), "caseId is required");
    }
}
