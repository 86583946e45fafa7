//! `bookwarden export`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use super::connection::DataDir;
use super::progress::Bar;
use crate::org::Org;
use crate::replay::export;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Write whole ledgers, one JSON object a line, to this file, or to standard output (-): what `bookwarden replay --file` reads
    #[arg(long, value_name = "FILE", required = true)]
    events: PathBuf,
    /// Only this organization's ledger
    #[arg(long)]
    org: Option<Org>,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: ExportArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    let mut out: Box<dyn Write> = if args.events == Path::new("-") {
        Box::new(BufWriter::new(std::io::stdout().lock()))
    } else {
        let file = File::create(&args.events).map_err(|source| CliError::Write {
            path: args.events.clone(),
            source,
        })?;
        Box::new(BufWriter::new(file))
    };
    let mut bar = Bar::new("events");
    let written = export(&mut connection, args.org.as_ref(), &mut out, &mut bar).await?;
    drop(bar);
    eprintln!("{written} events");
    Ok(())
}
