//! Every configuration key of the service, with its default, unit and meaning. Nothing else reads the environment for
//! configuration; `docs/configuration.md` and `bookwarden serve --help` show the same table.

mod error;
mod values;
mod vars;

use crate::telemetry::LogFormat;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

pub use error::SettingsError;
pub use values::DatabaseUrl;
use vars::Vars;

/// One configuration key: an environment variable.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when it is not set, as it would be written; empty: no default.
    pub default: &'static str,
    /// What the value is measured in, or its form.
    pub unit: &'static str,
    /// A value that works.
    pub example: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

/// Every key, in the order of the documentation.
#[rustfmt::skip] // one row a key, to be read as the table that it is
pub const KEYS: &[Key] = &[
    DATABASE_URL, LISTEN, POOL_SIZE, QUEUE_LIMIT, BATCH_LIMIT, DECISION_TIMEOUT, MAX_BODY, MAX_HEADER, REQUEST_TIMEOUT,
    SHUTDOWN_TIMEOUT, REJECTIONS, REJECTIONS_BURST, LOG, LOG_FORMAT, HTTP_WORKERS, SECRET,
];

/// The variable that names the database.
pub const DATABASE_URL: Key = Key {
    name: "DATABASE_URL",
    default: "",
    unit: "URL",
    example: "postgres://bookwarden:password@db.example.org/bookwarden?sslmode=verify-full",
    doc: "The Postgres database (15 or newer). Holds a password: never logged.",
};
const LISTEN: Key = Key {
    name: "BOOKWARDEN_LISTEN",
    default: "127.0.0.1:8080",
    unit: "IP:port",
    example: "0.0.0.0:8080",
    doc: "Where the service listens; `bookwarden dev` has `--port` instead.",
};
const POOL_SIZE: Key = Key {
    name: "BOOKWARDEN_POOL_SIZE",
    default: "10",
    unit: "connections",
    example: "10",
    doc: "The most database connections of each of two pools, at least 3. The writers': each organization's uses at most two at a time, one that looks up and one that records. Everybody else's: one listens for changed secrets, audit queries share the rest.",
};
const QUEUE_LIMIT: Key = Key {
    name: "BOOKWARDEN_QUEUE_LIMIT",
    default: "2048",
    unit: "bookings",
    example: "2048",
    doc: "The most bookings of one organization that wait for their decision; more are answered 503.",
};
const BATCH_LIMIT: Key = Key {
    name: "BOOKWARDEN_BATCH_LIMIT",
    default: "256",
    unit: "bookings",
    example: "256",
    doc: "The most bookings decided in one transaction.",
};
const DECISION_TIMEOUT: Key = Key {
    name: "BOOKWARDEN_DECISION_TIMEOUT_MS",
    default: "5000",
    unit: "ms",
    example: "5000",
    doc: "A booking that is not decided by then is answered 503; it may be recorded all the same, and a retry finds its answer.",
};
const MAX_BODY: Key = Key {
    name: "BOOKWARDEN_MAX_BODY_BYTES",
    default: "262144",
    unit: "bytes",
    example: "262144",
    doc: "The longest request body; longer ones are answered 413.",
};
const MAX_HEADER: Key = Key {
    name: "BOOKWARDEN_MAX_HEADER_BYTES",
    default: "16384",
    unit: "bytes",
    example: "16384",
    doc: "The most bytes of a request's header names and values together; more are answered 431.",
};
const REQUEST_TIMEOUT: Key = Key {
    name: "BOOKWARDEN_REQUEST_TIMEOUT_MS",
    default: "5000",
    unit: "ms",
    example: "5000",
    doc: "How long a request's head may take to arrive, and then its body; later ones are answered 408.",
};
const SHUTDOWN_TIMEOUT: Key = Key {
    name: "BOOKWARDEN_SHUTDOWN_TIMEOUT_MS",
    default: "10000",
    unit: "ms",
    example: "10000",
    doc: "How long a shutdown waits for the answers to accepted requests.",
};
const REJECTIONS: Key = Key {
    name: "BOOKWARDEN_REJECTIONS_PER_SECOND",
    default: "10",
    unit: "events/s",
    example: "10",
    doc: "Rejected requests recorded in the ledger of one organization; more are counted only, so that a stranger cannot fill the disk.",
};
const REJECTIONS_BURST: Key = Key {
    name: "BOOKWARDEN_REJECTIONS_BURST",
    default: "100",
    unit: "events",
    example: "100",
    doc: "Rejected requests recorded at once after a quiet time.",
};
const LOG: Key = Key {
    name: "BOOKWARDEN_LOG",
    default: "info",
    unit: "filter",
    example: "info,bookwarden::decider=debug",
    doc: "What is logged (to standard error): levels by module, as of tracing's `EnvFilter`.",
};
const LOG_FORMAT: Key = Key {
    name: "BOOKWARDEN_LOG_FORMAT",
    default: "human",
    unit: "`human` or `json`",
    example: "json",
    doc: "Log lines for people, or one JSON object a line.",
};
const HTTP_WORKERS: Key = Key {
    name: "BOOKWARDEN_HTTP_WORKERS",
    default: "",
    unit: "threads",
    example: "4",
    doc: "Threads that read requests and check signatures; not set: one a core.",
};
/// The variable with which `bookwarden send` signs.
pub const SECRET: Key = Key {
    name: "BOOKWARDEN_SECRET",
    default: "dev-secret",
    unit: "text",
    example: "dev-secret",
    doc: "The secret with which `bookwarden send` signs; the service does not read it (its secrets are in the database: `bookwarden secret add`).",
};

/// The configuration of one process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `DATABASE_URL`; `bookwarden dev` fills it in from its private cluster.
    pub database_url: Option<DatabaseUrl>,
    /// `BOOKWARDEN_LISTEN`
    pub listen: SocketAddr,
    /// `BOOKWARDEN_POOL_SIZE`
    pub pool_size: u32,
    /// `BOOKWARDEN_QUEUE_LIMIT`
    pub queue_limit: usize,
    /// `BOOKWARDEN_BATCH_LIMIT`
    pub batch_limit: usize,
    /// `BOOKWARDEN_DECISION_TIMEOUT_MS`
    pub decision_timeout: Duration,
    /// `BOOKWARDEN_MAX_BODY_BYTES`
    pub max_body_bytes: usize,
    /// `BOOKWARDEN_MAX_HEADER_BYTES`
    pub max_header_bytes: usize,
    /// `BOOKWARDEN_REQUEST_TIMEOUT_MS`
    pub request_timeout: Duration,
    /// `BOOKWARDEN_SHUTDOWN_TIMEOUT_MS`
    pub shutdown_timeout: Duration,
    /// `BOOKWARDEN_REJECTIONS_PER_SECOND`
    pub rejections_per_second: u32,
    /// `BOOKWARDEN_REJECTIONS_BURST`
    pub rejections_burst: u32,
    /// `BOOKWARDEN_LOG`: a filter that parses.
    pub log: String,
    /// `BOOKWARDEN_LOG_FORMAT`
    pub log_format: LogFormat,
    /// `BOOKWARDEN_HTTP_WORKERS`
    pub http_workers: usize,
}

impl Settings {
    /// Reads the environment of this process.
    pub fn from_env() -> Result<Self, SettingsError> {
        // Lossy, so that a value that is not UTF-8 is answered as a bad value rather than with a panic.
        Self::from_vars(std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into(),
                value.to_string_lossy().into(),
            )
        }))
    }

    /// Reads variables as if they were the environment. An empty value counts as not set.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let vars = Vars::read(vars)?;
        Ok(Self {
            database_url: vars.optional(&DATABASE_URL)?,
            listen: vars.value(&LISTEN)?,
            pool_size: vars.number(&POOL_SIZE, 3..=1000)?,
            queue_limit: vars.number(&QUEUE_LIMIT, 1..=1_000_000)?,
            batch_limit: vars.number(&BATCH_LIMIT, 1..=10_000)?,
            decision_timeout: vars.milliseconds(&DECISION_TIMEOUT)?,
            max_body_bytes: vars.number(&MAX_BODY, 1024..=64 * 1024 * 1024)?,
            max_header_bytes: vars.number(&MAX_HEADER, 1024..=1024 * 1024)?,
            request_timeout: vars.milliseconds(&REQUEST_TIMEOUT)?,
            shutdown_timeout: vars.milliseconds(&SHUTDOWN_TIMEOUT)?,
            rejections_per_second: vars.number(&REJECTIONS, 0..=100_000)?,
            rejections_burst: vars.number(&REJECTIONS_BURST, 1..=1_000_000)?,
            log: vars.filter(&LOG)?,
            log_format: vars.value(&LOG_FORMAT)?,
            http_workers: vars
                .optional_number(&HTTP_WORKERS, 1..=1024)?
                .unwrap_or_else(cores),
        })
    }

    /// The database, or an error that says how to name one.
    pub fn require_database_url(&self) -> Result<&DatabaseUrl, SettingsError> {
        self.database_url.as_ref().ok_or(SettingsError::Missing {
            key: DATABASE_URL.name,
            example: DATABASE_URL.example,
        })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests;
