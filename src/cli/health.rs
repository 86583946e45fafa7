//! `bookwarden health`

use std::time::Duration;

use clap::Args;

use super::CliError;
use crate::settings::Settings;

const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The server; the port of BOOKWARDEN_LISTEN on this machine unless set
    #[arg(long)]
    url: Option<String>,
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
        Ok(answer) => Err(CliError::NotReady {
            url,
            status: answer.status().as_u16(),
        }),
        Err(source) => Err(CliError::NoAnswer {
            url,
            source: Box::new(source),
        }),
    }
}
