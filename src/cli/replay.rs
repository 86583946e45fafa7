//! `bookwarden replay`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, value_parser};

use super::connection::DataDir;
use super::progress::Bar;
use super::{CliError, print};
use crate::org::Org;
use crate::replay::{Noted, Options, Scope, Source, Summary, check_snapshot, replay};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Only this organization's ledger
    #[arg(long)]
    org: Option<Org>,
    /// Check from this ledger number on; what comes before is folded in as recorded
    #[arg(long, value_name = "NUMBER", requires = "org", value_parser = value_parser!(i64).range(1..))]
    from: Option<i64>,
    /// Up to this ledger number
    #[arg(long, value_name = "NUMBER", requires = "org", value_parser = value_parser!(i64).range(1..))]
    to: Option<i64>,
    /// An event that was noted elsewhere, as a replay prints it: it must be there, with this chain value
    #[arg(long, value_name = "NUMBER:CHAIN", requires = "org")]
    noted: Option<Noted>,
    /// Take events whose content was erased as they are; else each of them is a mismatch
    #[arg(long)]
    allow_erased: bool,
    /// Read an exported file instead of a database (`bookwarden export --events`)
    #[arg(long)]
    file: Option<PathBuf>,
    /// Go on from the state in this file instead of from number 1
    #[arg(long, value_name = "FILE")]
    from_snapshot: Option<PathBuf>,
    /// Keep the state that is reached in this file
    #[arg(long, value_name = "FILE")]
    save_snapshot: Option<PathBuf>,
    /// Check the state in this file: fold from number 1 up to it, and compare
    #[arg(long, value_name = "FILE", conflicts_with_all = ["org", "from", "to", "noted", "allow_erased", "from_snapshot", "save_snapshot"])]
    check_snapshot: Option<PathBuf>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: ReplayArgs) -> Result<ExitCode, CliError> {
    let mut connection;
    let mut source = match &args.file {
        Some(path) => Source::File(path),
        None => {
            connection = args.database.connect().await?;
            Source::Database(&mut connection)
        }
    };
    let mut bar = Bar::new(if args.file.is_some() {
        "bytes"
    } else {
        "events"
    });
    let is_saving = args.save_snapshot.is_some();
    let summary = match &args.check_snapshot {
        Some(path) => check_snapshot(&mut source, path, &mut bar).await?,
        None => {
            let options = Options {
                scope: Scope {
                    org: args.org,
                    from: args.from,
                    to: args.to,
                    noted: args.noted,
                    allow_erased: args.allow_erased,
                },
                from_snapshot: args.from_snapshot,
                save_snapshot: args.save_snapshot,
            };
            replay(&mut source, &options, &mut bar).await?
        }
    };
    drop(bar);
    if is_saving && !summary.holds() {
        print::remark(format_args!(
            "no snapshot is kept: what does not match is nothing to go on from"
        ));
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        let line =
            serde_json::to_string(&summary).map_err(|error| CliError::Output(error.into()))?;
        writeln!(out, "{line}").map_err(CliError::Output)?;
    } else {
        print(&mut out, &summary).map_err(CliError::Output)?;
    }
    Ok(if summary.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// For people: what was read, and what does not match.
pub(super) fn print(out: &mut impl Write, summary: &Summary) -> std::io::Result<()> {
    for ledger in &summary.orgs {
        let end = if ledger.complete {
            "its end"
        } else {
            "as asked"
        };
        let (first, last) = (ledger.after + 1, ledger.last);
        let read = if first > last {
            format!("no event after {}", ledger.after)
        } else if ledger.checked_from > first {
            let before = ledger.checked_from - 1;
            format!(
                "events {} to {last} checked, {first} to {before} taken as recorded",
                ledger.checked_from
            )
        } else {
            format!("events {first} to {last}")
        };
        writeln!(
            out,
            "ledger {}: {read} ({end}); noted as {last}:{}",
            ledger.org, ledger.chain
        )?;
    }
    writeln!(
        out,
        "{} events: {} decisions derived again, {} repeats, {} rejected requests, {} policy changes",
        summary.events,
        summary.decisions,
        summary.repeats,
        summary.rejected,
        summary.policy_changes
    )?;
    if summary.erased > 0 {
        writeln!(
            out,
            "{} events were erased: their chain was checked, their content cannot be",
            summary.erased
        )?;
    }
    if summary.holds() {
        return writeln!(out, "all match");
    }
    writeln!(out, "{} mismatches; the first:", summary.mismatches)?;
    for mismatch in &summary.told {
        writeln!(out, "{mismatch}")?;
    }
    let untold = summary.mismatches - u64::try_from(summary.told.len()).unwrap_or_default();
    if untold > 0 {
        writeln!(out, "and {untold} more")?;
    }
    Ok(())
}
