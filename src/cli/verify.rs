//! `bookwarden verify`

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::connection::DataDir;
use super::progress::Bar;
use super::{CliError, replay};
use crate::org::Org;
use crate::replay::{Noted, Scope, Verified, verify};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Only this organization
    #[arg(long)]
    org: Option<Org>,
    /// An event that was noted elsewhere, as a replay prints it: it must be there, with this chain value
    #[arg(long, value_name = "NUMBER:CHAIN", requires = "org")]
    noted: Option<Noted>,
    /// Take events whose content was erased as they are; else each of them is a mismatch
    #[arg(long)]
    allow_erased: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: VerifyArgs) -> Result<ExitCode, CliError> {
    let mut connection = args.database.connect().await?;
    let scope = Scope {
        org: args.org,
        noted: args.noted,
        allow_erased: args.allow_erased,
        ..Scope::default()
    };
    let mut bar = Bar::new("events");
    let verified = verify(&mut connection, scope, &mut bar).await?;
    drop(bar);
    let mut out = std::io::stdout().lock();
    if args.json {
        let line =
            serde_json::to_string(&verified).map_err(|error| CliError::Output(error.into()))?;
        writeln!(out, "{line}").map_err(CliError::Output)?;
    } else {
        print(&mut out, &verified).map_err(CliError::Output)?;
    }
    Ok(if verified.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(out: &mut impl Write, verified: &Verified) -> std::io::Result<()> {
    replay::print(out, &verified.ledger)?;
    let differences = &verified.differences;
    if differences.count == 0 {
        return writeln!(
            out,
            "{} rows of the live tables: all as the ledger has them",
            differences.rows
        );
    }
    writeln!(
        out,
        "{} rows of the live tables differ from the ledger:",
        differences.count
    )?;
    for difference in &differences.told {
        writeln!(out, "{difference}")?;
    }
    let untold = differences.count - u64::try_from(differences.told.len()).unwrap_or_default();
    if untold > 0 {
        writeln!(out, "and {untold} more")?;
    }
    Ok(())
}
