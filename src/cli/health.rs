//! `bookwarden health`

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use ureq::Body;
use ureq::http::Response;

use super::CliError;
use crate::settings::Settings;

const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The server; the port of BOOKWARDEN_LISTEN on this machine unless set
    #[arg(long)]
    url: Option<String>,
}

/// What a problem says; none if something else answers there.
fn detail(answer: &mut Response<Body>) -> Option<String> {
    let body = answer.body_mut().read_to_string().ok()?;
    let problem: Value = serde_json::from_str(&body).ok()?;
    Some(problem.get("detail")?.as_str()?.to_owned())
}

pub(super) fn run(args: HealthArgs) -> Result<(), CliError> {
    let base = match args.url {
        Some(url) => url,
        None => format!("http://127.0.0.1:{}", Settings::from_env()?.listen.port()),
    };
    let url = format!("{}/readyz", base.trim_end_matches('/'));
    let request = ureq::get(&url)
        .config()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .build();
    match request.call() {
        Ok(answer) if answer.status() == 200 => Ok(()),
        Ok(mut answer) => Err(CliError::NotReady {
            url,
            status: answer.status().as_u16(),
            detail: detail(&mut answer).map_or_else(String::new, |text| format!(": {text}")),
        }),
        Err(source) => Err(CliError::NoAnswer {
            url,
            source: Box::new(source),
        }),
    }
}
