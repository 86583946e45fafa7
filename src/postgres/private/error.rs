//! What can go wrong with a private cluster, told to a person at a terminal.

use std::io;
use std::path::PathBuf;

/// Why there is no private cluster.
#[derive(Debug, thiserror::Error)]
pub enum PrivateClusterError {
    /// No Postgres on this machine.
    #[error(
        "no Postgres server (15 or newer) was found on this machine{too_old}. Install one:\n  \
         Debian, Ubuntu:  sudo apt-get install postgresql\n  \
         Fedora, RHEL:    sudo dnf install postgresql-server\n  \
         macOS:           brew install postgresql@17\n\
         or set DATABASE_URL to use a database elsewhere."
    )]
    NotFound {
        /// Says which versions were found instead; empty if none.
        too_old: String,
    },
    /// The data were written by another major version.
    #[error(
        "the data in {data} were written by Postgres {version}, whose server is not on this machine any more. Install Postgres \
         {version} again, or move the folder away to start with an empty database."
    )]
    VersionMissing {
        /// The cluster.
        data: PathBuf,
        /// Its major version.
        version: u32,
    },
    /// Somebody else holds the data folder.
    #[error(
        "another bookwarden{holder} is running on {folder}. Stop it first, or use another --data-dir."
    )]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// ` (process n)`, if known.
        holder: String,
    },
    /// A file or folder cannot be used.
    #[error("{doing} {path}: {source}")]
    File {
        /// E.g. "cannot write".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// We are root, and there is nobody to run Postgres as.
    #[error(
        "Postgres refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody`. Run bookwarden as \
         another user, or make one: useradd --system postgres"
    )]
    NoUnprivilegedUser,
    /// We are root, and the unprivileged user cannot reach the data.
    #[error(
        "Postgres must run as user {user} (it refuses root), who cannot reach {folder}: a folder above it is closed, or `setpriv` \
         (package util-linux) is missing. Use a --data-dir that everybody can reach, such as /var/tmp/bookwarden."
    )]
    Unreachable {
        /// The user.
        user: &'static str,
        /// The data folder.
        folder: PathBuf,
    },
    /// A program of Postgres could not be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// initdb failed.
    #[error("initdb could not make a database in {data}:\n{output}")]
    Initialize {
        /// The folder.
        data: PathBuf,
        /// What it printed.
        output: String,
    },
    /// Postgres stopped at once.
    #[error("Postgres does not start; the end of {log}:\n{tail}")]
    DoesNotStart {
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// Postgres runs, but does not become ready.
    #[error("Postgres (process {pid}) is not ready after {seconds} s; see {log}")]
    NotReady {
        /// The postmaster.
        pid: i32,
        /// How long we waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// It died too often.
    #[error("Postgres died {times} times within a minute; see {log}")]
    DiesAgain {
        /// How often.
        times: usize,
        /// Its log.
        log: PathBuf,
    },
    /// It does not stop.
    #[error("Postgres (process {pid}) does not stop; see {log}")]
    DoesNotStop {
        /// The postmaster.
        pid: i32,
        /// Its log.
        log: PathBuf,
    },
    /// No free port on 127.0.0.1.
    #[error("no free port on 127.0.0.1: {0}")]
    Port(#[source] io::Error),
    /// The system gives no randomness.
    #[error("the system gives no random numbers: {0}")]
    Randomness(#[source] getrandom::Error),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// The watching thread failed: a mistake of ours.
    #[error("the thread that watches Postgres failed")]
    Watcher,
}

impl PrivateClusterError {
    /// For `map_err` on operations with a file.
    pub(super) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
