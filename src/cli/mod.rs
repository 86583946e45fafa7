//! The composition root: one file a subcommand.

mod connection;
mod dev;
mod error;
mod export;
mod export_decisions;
mod export_events;
mod health;
mod input;
mod migrate;
mod org;
mod print;
mod progress;
mod ready;
mod replay;
mod secret;
mod send;
mod serve;
mod shutdown;
mod simulate;
mod table;
mod token;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use error::CliError;
pub use serve::run_service;

/// A policy service for bookings: decides, records, proves.
#[derive(Debug, Parser)]
#[command(name = "bookwarden", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it out: a private Postgres, migrations, sample policies and the server, in one
    Dev(dev::DevArgs),
    /// Serve webhooks and the audit API; configured by environment variables
    #[command(after_help = serve::settings_table())]
    Serve,
    /// Bring the database of DATABASE_URL to this version's schema
    Migrate,
    /// Sign a booking, post it, print the answer
    Send(send::SendArgs),
    /// Add, list and expire the secrets that sign webhook calls
    Secret(secret::SecretArgs),
    /// Create, list and revoke tokens of the audit API
    Token(token::TokenArgs),
    /// Write decisions (NDJSON, CSV) or whole ledgers to a file
    Export(export::ExportArgs),
    /// Add and list organizations; accept unsigned webhook calls, or not
    Org(org::OrgArgs),
    /// Derive every decision again from the ledger alone, and compare
    Replay(replay::ReplayArgs),
    /// Compare the live tables with what the ledger says they are
    Verify(verify::VerifyArgs),
    /// Decide what was asked again, as if policies had been otherwise; nothing is changed
    Simulate(simulate::SimulateArgs),
    /// Ask a running server whether it is ready (for container health checks)
    Health(health::HealthArgs),
}

/// The exit code of a command whose reader has gone, such as `head`: what a shell says of one that ended by SIGPIPE.
const CLOSED_OUTPUT: u8 = 141;

/// Runs the program: what went wrong goes to standard error, and the exit code says so.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    match run(cli) {
        Ok(code) => code,
        Err(error) if error.is_closed_output() => ExitCode::from(CLOSED_OUTPUT),
        Err(error) => {
            print::remark(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// For what reads and computes by turns: a second thread to wait for the socket would only cost it switches.
fn one_thread() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
}

fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::Runtime)?;
    match cli.command {
        Command::Dev(args) => runtime.block_on(dev::run(args))?,
        Command::Serve => runtime.block_on(serve::run())?,
        Command::Migrate => runtime.block_on(migrate::run())?,
        Command::Send(args) => return send::run(args),
        Command::Secret(args) => runtime.block_on(secret::run(args))?,
        Command::Token(args) => runtime.block_on(token::run(args))?,
        Command::Export(args) => runtime.block_on(export::run(args))?,
        Command::Org(args) => runtime.block_on(org::run(args))?,
        Command::Replay(args) => return one_thread()?.block_on(replay::run(args)),
        Command::Verify(args) => return one_thread()?.block_on(verify::run(args)),
        Command::Simulate(args) => one_thread()?.block_on(simulate::run(args))?,
        Command::Health(args) => health::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}
