//! `bookwarden send`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use uuid::Uuid;

use super::{CliError, input, print};
use crate::cubu::signature::sign;
use crate::org::Org;

/// A whole request, to try things out with.
pub(super) const SAMPLE: &str = include_str!("../../tests/samples/before-book-appointment.json");

const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// The request's body; - for standard input; a built-in sample unless given
    file: Option<PathBuf>,
    /// The secret to sign with
    #[arg(
        long,
        env = "BOOKWARDEN_SECRET",
        default_value = "dev-secret",
        hide_env_values = true
    )]
    secret: String,
    /// Send without a signature
    #[arg(long)]
    unsigned: bool,
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The organization
    #[arg(long, default_value = "default")]
    org: Org,
    /// Book for a case of its own: puts a fresh caseId into the body
    #[arg(long)]
    new_case: bool,
    /// Put this calendar index into the body
    #[arg(long, value_name = "N")]
    cuindex: Option<u32>,
}

pub(super) fn run(args: SendArgs) -> Result<ExitCode, CliError> {
    let mut body = match &args.file {
        Some(path) => input::read(path)?,
        None => SAMPLE.into(),
    };
    if args.new_case || args.cuindex.is_some() {
        body = change(&body, args.new_case, args.cuindex)?;
    }
    let url = address(&args.url, &args.org);
    let mut request = ureq::post(&url)
        .config()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .build()
        .header("content-type", "application/json");
    if !args.unsigned {
        request = request.header("authorization", sign(&args.secret, &body));
    }
    let no_answer = |source| CliError::NoAnswer {
        url: url.clone(),
        source: Box::new(source),
    };
    let mut answer = request.send(&body[..]).map_err(no_answer)?;
    let status = answer.status();
    let decision = answer
        .headers()
        .get("bookwarden-decision")
        .and_then(|value| value.to_str().ok());
    match decision {
        Some(decision) => print::remark(format_args!("HTTP {status}, decision {decision}")),
        None => print::remark(format_args!("HTTP {status}")),
    }
    let text = answer.body_mut().read_to_string().map_err(no_answer)?;
    print::line(format_args!("{}", pretty(&text)))?;
    Ok(if status == 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where an organization's bookings are posted to.
pub(super) fn address(base: &str, org: &Org) -> String {
    let base = base.trim_end_matches('/');
    let org = if *org == Org::default_org() {
        String::new()
    } else {
        format!("/{org}")
    };
    format!("{base}{org}/service/actions/beforeBookAppointment")
}

#[expect(clippy::disallowed_methods, reason = "a client's new case")]
fn change(body: &[u8], new_case: bool, cu_index: Option<u32>) -> Result<Vec<u8>, CliError> {
    let mut booking: Value =
        serde_json::from_slice(body).map_err(|error| CliError::Body(error.to_string()))?;
    let object = booking
        .as_object_mut()
        .ok_or_else(|| CliError::Body("it is something else".into()))?;
    if new_case {
        object.insert("caseId".into(), Uuid::new_v4().to_string().into());
    }
    if let Some(cu_index) = cu_index {
        let appointment = object.get_mut("appointment").and_then(Value::as_object_mut);
        appointment
            .ok_or_else(|| CliError::Body("it has no appointment".into()))?
            .insert("cuIndex".into(), cu_index.into());
    }
    Ok(booking.to_string().into_bytes())
}

/// JSON on several lines; anything else as it is.
fn pretty(text: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(text);
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_organization_has_the_short_address() {
        assert_eq!(
            address("http://h/", &Org::default_org()),
            "http://h/service/actions/beforeBookAppointment"
        );
        let org = "clinic".parse().expect("a name");
        assert_eq!(
            address("http://h", &org),
            "http://h/clinic/service/actions/beforeBookAppointment"
        );
    }

    #[test]
    fn a_body_changes_only_where_asked() {
        let changed = change(SAMPLE.as_bytes(), true, Some(9)).expect("JSON");
        let mut changed: Value = serde_json::from_slice(&changed).expect("JSON");
        let mut sample: Value = serde_json::from_str(SAMPLE).expect("JSON");
        assert_ne!(changed["caseId"], sample["caseId"]);
        assert_eq!(changed["appointment"]["cuIndex"], 9);
        for body in [&mut changed, &mut sample] {
            body["caseId"] = Value::Null;
            body["appointment"]["cuIndex"] = Value::Null;
        }
        assert_eq!(changed, sample);
    }
}
