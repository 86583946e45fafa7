//! `bookwarden export`: decisions for people, or whole ledgers for `bookwarden replay --file`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::connection::DataDir;
use super::{CliError, export_decisions, export_events};
use crate::org::Org;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["decisions", "events"])))]
pub(super) struct ExportArgs {
    /// Write decisions to this file, or to standard output (-); a name that ends in .csv makes CSV, any other NDJSON
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Only decisions that fit, such as outcome=cancelled: the parameters of `GET /v1/decisions`; may be given more than once
    #[arg(long = "where", value_name = "NAME=VALUE", requires = "decisions")]
    filters: Vec<String>,
    /// Go on after this decision: the last one of a file that broke off
    #[arg(long, value_name = "DECISION", requires = "decisions")]
    after: Option<i64>,
    /// Write whole ledgers, one JSON object a line, to this file, or to standard output (-): what `bookwarden replay --file` reads
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// The organization; without it, decisions of `default`, or every ledger
    #[arg(long)]
    org: Option<Org>,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: ExportArgs) -> Result<(), CliError> {
    if let Some(file) = &args.events {
        let mut connection = args.database.connect().await?;
        export_events::run(&mut connection, args.org.as_ref(), file).await?;
    }
    if let Some(file) = &args.decisions {
        let filter = export_decisions::filter(&args.filters)?;
        let pool = args.database.pool().await?;
        let org = args.org.unwrap_or_else(Org::default_org);
        export_decisions::run(pool, org, filter, args.after, file).await?;
    }
    Ok(())
}
