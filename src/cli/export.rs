//! `bookwarden export`

use std::path::PathBuf;

use clap::Args;

use super::connection::DataDir;
use super::{CliError, export_decisions};
use crate::org::Org;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Write decisions to this file, or to standard output (-); a name that ends in .csv makes CSV, any other NDJSON
    #[arg(long, value_name = "FILE")]
    decisions: PathBuf,
    /// Only decisions that fit, such as outcome=cancelled: the parameters of `GET /v1/decisions`; may be given more than once
    #[arg(long = "where", value_name = "NAME=VALUE")]
    filters: Vec<String>,
    /// Go on after this decision: the last one of a file that broke off
    #[arg(long, value_name = "DECISION")]
    after: Option<i64>,
    /// The organization
    #[arg(long, default_value = "default")]
    org: Org,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: ExportArgs) -> Result<(), CliError> {
    let filter = export_decisions::filter(&args.filters)?;
    let pool = args.database.pool().await?;
    export_decisions::run(pool, args.org, filter, args.after, &args.decisions).await
}
