//! `bookwarden export --events`: whole ledgers, to be replayed elsewhere.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sqlx::PgConnection;

use super::CliError;
use super::progress::Bar;
use crate::org::Org;
use crate::replay::export;

pub(super) async fn run(
    connection: &mut PgConnection,
    org: Option<&Org>,
    path: &Path,
) -> Result<(), CliError> {
    let mut out: Box<dyn Write> = if path == Path::new("-") {
        Box::new(BufWriter::new(std::io::stdout().lock()))
    } else {
        let file = File::create(path).map_err(|source| CliError::Write {
            path: path.to_owned(),
            source,
        })?;
        Box::new(BufWriter::new(file))
    };
    let mut bar = Bar::new("events");
    let written = export(connection, org, &mut out, &mut bar).await?;
    drop(bar);
    eprintln!("{written} events");
    Ok(())
}
