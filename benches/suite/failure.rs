//! Why a measurement could not be made.

use std::io;
use std::path::PathBuf;

/// Any of the ways in which a program, the database or a server lets us down.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A program could not be started or waited for.
    #[error("cannot run {program}")]
    Run {
        program: String,
        #[source]
        source: io::Error,
    },
    /// A program said no.
    #[error("{program} failed: {output}")]
    Program { program: String, output: String },
    /// A program printed something else than we know how to read.
    #[error("{program} printed what cannot be read: {output}")]
    Unreadable { program: String, output: String },
    /// A server did not come up.
    #[error("{0} did not say in time where it listens")]
    NotListening(&'static str),
    /// A file.
    #[error("cannot use {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A connection of the load generator.
    #[error("the server broke a connection off, or refused it")]
    Connection(#[from] io::Error),
    /// Anything but the wanted answers makes the figures worthless.
    #[error("{what}: {wanted} wanted, {got} found")]
    Wrong {
        what: &'static str,
        wanted: u64,
        got: u64,
    },
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Failure {
    /// For `map_err` on what a path was used for.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// For `map_err` on starting or waiting for a program.
    pub fn run(program: &str) -> impl FnOnce(io::Error) -> Self {
        let program = program.to_owned();
        move |source| Self::Run { program, source }
    }
}
