//! `bookwarden export --events`: whole ledgers, to be replayed elsewhere.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sqlx::PgConnection;

use super::progress::Bar;
use super::{CliError, print};
use crate::audit::record::exported_by_login;
use crate::audit::{EventFilter, Format};
use crate::org::Org;
use crate::replay::{export, with_ledger};

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
    let orgs = with_ledger(connection, org).await?;
    // On each ledger before its first line, which the file has, too.
    for org in &orgs {
        let whole = EventFilter::default();
        exported_by_login(connection, org, "ledger", Format::Ndjson, &whole, None).await?;
    }
    let mut bar = Bar::new("events");
    let written = export(connection, &orgs, &mut out, &mut bar).await?;
    drop(bar);
    print::remark(format_args!("{written} events"));
    Ok(())
}
