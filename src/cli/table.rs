//! Rows for a terminal.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};

use super::CliError;

/// Prints rows under headings, in columns.
pub(super) fn print<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
) -> Result<(), CliError> {
    write(&mut std::io::stdout().lock(), headings, rows).map_err(CliError::Output)
}

/// The same, among what else is printed.
pub(super) fn write<const N: usize>(
    out: &mut impl Write,
    headings: [&str; N],
    rows: &[[String; N]],
) -> std::io::Result<()> {
    let headings = headings.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain([&headings])
            .map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in [&headings].into_iter().chain(rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// A time to the second, in UTC.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time that may be missing.
pub(super) fn optional_time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "never".into(), time)
}
