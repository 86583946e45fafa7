//! Decisions into a file, with a progress bar.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgPool;

use super::{CliError, print};
use crate::audit::{self, CSV_HEADER, Filter, Format};
use crate::org::Org;

/// The filters of the command line, `name=value` each.
pub(super) fn filter(filters: &[String]) -> Result<Filter, CliError> {
    let mut filter = Filter::default();
    for text in filters {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match filter.add(name, value) {
            Ok(true) => {}
            Ok(false) => return Err(CliError::Filter(name.to_owned(), "is not a filter")),
            Err(fault) => return Err(CliError::Filter(fault.name, fault.message)),
        }
    }
    match filter.check() {
        Ok(()) => Ok(filter),
        Err(faults) => {
            let fault = faults.into_iter().next();
            let (name, message) = fault.map_or_else(Default::default, |f| (f.name, f.message));
            Err(CliError::Filter(name, message))
        }
    }
}

/// Writes the decisions; the export is on the ledger before the first line.
pub(super) async fn run(
    pool: PgPool,
    org: Org,
    filter: Filter,
    after: Option<i64>,
    path: &Path,
) -> Result<(), CliError> {
    let is_csv = path.extension().is_some_and(|extension| extension == "csv");
    let format = if is_csv { Format::Csv } else { Format::Ndjson };
    let failed = |source| CliError::Write {
        path: path.to_owned(),
        source,
    };
    let mut out: Box<dyn Write> = if path == Path::new("-") {
        Box::new(std::io::stdout().lock())
    } else {
        Box::new(BufWriter::new(File::create(path).map_err(failed)?))
    };
    let mut connection = pool.acquire().await?;
    audit::record::exported_by_login(&mut connection, &org, "decisions", format, &filter, after)
        .await?;
    drop(connection);
    if is_csv && after.is_none() {
        out.write_all(CSV_HEADER.as_bytes()).map_err(failed)?;
    }
    let newest = audit::newest(&pool, &org).await?;
    let bar = bar(u64::try_from(newest).unwrap_or(0));
    let mut pieces = pin!(audit::export_decisions(pool, org, filter, after, format));
    let mut lines = 0;
    let mut last_before = after;
    while let Some(piece) = pieces.try_next().await? {
        out.write_all(piece.text.as_bytes()).map_err(failed)?;
        // Progress is the part of the ledger that was gone through.
        bar.inc(last_before.map_or(0, |before| before.abs_diff(piece.last)));
        last_before = Some(piece.last);
        lines += piece.lines;
    }
    out.flush().map_err(failed)?;
    bar.finish_and_clear();
    print::remark(format_args!("{lines} decisions"));
    Ok(())
}

/// Draws on standard error, if that is a terminal.
fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template =
        "{bar:30} {percent:>3}%  event {human_pos} of {human_len}  {per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
