//! What a person at a terminal is told: what, where, what to do.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use crate::access::admin::AdminError;
use crate::audit::AuditError;
use crate::http::BindError;
use crate::postgres::private::PrivateClusterError;
use crate::postgres::{MigrateError, is_refusal, pool::PoolError, said};
use crate::replay::{ReplayError, SimulationError};
use crate::settings::SettingsError;
use crate::telemetry::LogError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The pool cannot be made.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The schema cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// No private Postgres.
    #[error(transparent)]
    PrivateCluster(#[from] PrivateClusterError),
    /// An administrative change was not made.
    #[error(transparent)]
    Admin(AdminError),
    /// There is no database to work on.
    #[error(
        "which database? Set DATABASE_URL, or use the --data-dir of a `bookwarden dev` ({0} is none)"
    )]
    NoDatabase(PathBuf),
    /// The database does not answer.
    #[error("the database does not answer ({text}). Does it run, and is DATABASE_URL right?", text = said(.0))]
    DatabaseAway(sqlx::Error),
    /// The database answers, and does not let us in.
    #[error("the database does not let us in: {text}. Is DATABASE_URL right?", text = said(.0))]
    Refused(sqlx::Error),
    /// The service's login lacks the service's role.
    #[error(
        "the login {0} may not act as bookwarden_app; as the schema's owner: `grant bookwarden_app to {0}`"
    )]
    NotAMember(String),
    /// The database of a `bookwarden dev` that does not run does not answer.
    #[error("`bookwarden dev` does not run on {folder}: its database does not answer ({text})", text = said(source))]
    DevAway {
        /// The data folder.
        folder: PathBuf,
        /// What the connection said.
        #[source]
        source: sqlx::Error,
    },
    /// The schema is missing or old.
    #[error("the database lacks this version's schema: run `bookwarden migrate` first")]
    NotMigrated,
    /// The login may not do this.
    #[error("the login of DATABASE_URL may not do this ({text}); use the owner's", text = said(.0))]
    NotAllowed(sqlx::Error),
    /// The database failed.
    #[error("the database failed: {text}", text = said(.0))]
    Database(sqlx::Error),
    /// The address cannot be had.
    #[error("{0}: {advice}", advice = advice(.0))]
    Listen(#[from] BindError),
    /// A ledger could not be read, or not be compared.
    #[error(transparent)]
    Replay(ReplayError),
    /// Nothing was simulated.
    #[error(transparent)]
    Simulation(SimulationError),
    /// Logging cannot start.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing was given where a secret was to be read.
    #[error("standard input holds no secret: its first line is empty")]
    NoSecret,
    /// A body that was to be changed is not JSON.
    #[error("the body is not a JSON object, so --new-case and --cuindex cannot change it: {0}")]
    Body(String),
    /// The server does not answer.
    #[error(
        "no answer from {url}: {source}. Does the server run (`bookwarden dev`), and is --url right?"
    )]
    NoAnswer {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The server is not ready.
    #[error("{url} answers {status}{detail}")]
    NotReady {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it says itself, after a colon.
        detail: String,
    },
    /// A filter of `bookwarden export`.
    #[error("--where {0}: {1}")]
    Filter(String, &'static str),
    /// The ledger cannot be read.
    #[error(transparent)]
    Audit(AuditError),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    /// The system gives no threads.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// A background task failed: a mistake of ours.
    #[error("a task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

fn advice(error: &BindError) -> String {
    let source = error.source().and_then(|source| source.downcast_ref());
    let Some(source): Option<&io::Error> = source else {
        return "it cannot be had".to_owned();
    };
    let advice = match source.kind() {
        io::ErrorKind::AddrInUse => "Is something else running there? Choose another port.",
        io::ErrorKind::AddrNotAvailable => {
            "This machine does not have the address; 0.0.0.0 stands for all that it has."
        }
        io::ErrorKind::PermissionDenied => {
            "The system does not give the port to this user; above 1023 it does."
        }
        _ => "Choose another address.",
    };
    format!("{source}. {advice}")
}

impl CliError {
    /// Whether nobody reads standard output any more: who closed it has seen enough, and needs no message.
    pub(super) fn is_closed_output(&self) -> bool {
        let error = match self {
            Self::Output(error) | Self::Replay(ReplayError::File(error)) => error,
            Self::Write { source, .. } => source,
            _ => return false,
        };
        error.kind() == io::ErrorKind::BrokenPipe
    }
}

impl From<sqlx::Error> for CliError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            // undefined_table, undefined_column, invalid_schema_name; the role that the pool takes on
            Some("42P01" | "42703" | "3F000" | "22023") => Self::NotMigrated,
            Some("42501") => Self::NotAllowed(error),
            Some(_) if is_refusal(&error) => Self::Refused(error),
            Some(_) => Self::Database(error),
            None => Self::DatabaseAway(error),
        }
    }
}

impl From<ReplayError> for CliError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Database(error) => error.into(),
            other => Self::Replay(other),
        }
    }
}

impl From<SimulationError> for CliError {
    fn from(error: SimulationError) -> Self {
        match error {
            SimulationError::Database(error) => error.into(),
            other => Self::Simulation(other),
        }
    }
}

impl From<AuditError> for CliError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Database(error) => error.into(),
            other => Self::Audit(other),
        }
    }
}

impl From<AdminError> for CliError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Database(error) => error.into(),
            other => Self::Admin(other),
        }
    }
}
