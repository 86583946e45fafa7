//! Logs, to standard error.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::lines::{LastLines, Lines};

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Not the name of a log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is neither human nor json")]
pub struct LogFormatError;

impl FromStr for LogFormat {
    type Err = LogFormatError;

    fn from_str(name: &str) -> Result<Self, LogFormatError> {
        match name {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(LogFormatError),
        }
    }
}

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Not a filter such as `info,bookwarden=debug`.
    #[error("the log filter is not understood: {0}")]
    Filter(#[from] ParseError),
    /// It was started before.
    #[error("logging cannot start: {0}")]
    Started(#[from] TryInitError),
    /// The system gives no thread.
    #[error("logging cannot start: {0}")]
    Thread(#[from] std::io::Error),
}

/// Starts logging for the whole process. Answered bookings are logged at `debug`, since the ledger has them all;
/// refused requests at `info`, failures at `error`.
///
/// A line that cannot be written is lost and counted, and nothing else: by itself `tracing-subscriber` would complain with `eprintln!`, which
/// panics where standard error is what is broken, and the panic would end whatever was being done.
///
/// # Errors
/// When the filter is not understood, or logging has started before.
pub fn init_logs(filter: &str, format: LogFormat) -> Result<LastLines, LogError> {
    let (lines, last) = Lines::to_stderr()?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(move || lines.clone())
        .log_internal_errors(false);
    match format {
        LogFormat::Human => {
            let colours = std::io::stderr().is_terminal();
            builder.with_ansi(colours).finish().try_init()?;
        }
        LogFormat::Json => (builder.json().flatten_event(true))
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .try_init()?,
    }
    Ok(last)
}
