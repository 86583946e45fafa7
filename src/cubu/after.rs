//! The bodies of the calls that come after: `afterBookAppointment`, `afterClose`.

use serde::Deserialize;
use uuid::Uuid;

use super::request::{Guid, RequestError, parse_wire, required};

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAfterCall {
    case_id: Option<Guid>,
}

/// Reads an after-call's body: its case. Nothing is answered to it, so nothing else is insisted on.
///
/// # Errors
/// When the body is not a JSON object or does not name its case.
pub fn parse(body: &str) -> Result<Uuid, RequestError> {
    let wire: WireAfterCall = parse_wire(body)?;
    let mut missing = Vec::new();
    let case_id = required(wire.case_id, "caseId", &mut missing);
    case_id
        .map(|Guid(case_id)| case_id)
        .ok_or(RequestError::Fields(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../tests/samples/before-book-appointment.json");
    const CASE: &str = "4e510ed0-ef6f-4441-a1d3-c29d2f752e57";

    #[test]
    fn only_the_case_is_insisted_on() {
        for body in [
            SAMPLE,
            &format!(r#"{{"caseId":"{CASE}"}}"#),
            &format!(r#"{{"caseId":"{CASE}","appointment":null,"contactEmail":"x"}}"#),
            &format!(r#"{{"caseId":"{CASE}","appointment":{{"date":5}}}}"#),
        ] {
            assert_eq!(parse(body).unwrap().to_string(), CASE);
        }
        let error = parse("{}").unwrap_err();
        assert_eq!(error.to_string(), "caseId is required");
    }
}
