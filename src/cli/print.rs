//! What commands print. `println!` and `eprintln!` panic where nobody reads what they write (`bookwarden org list | head -1`).

use std::fmt::Arguments;
use std::io::Write;

use super::CliError;

/// A line of a command's result, to standard output.
pub(super) fn line(text: Arguments<'_>) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{text}").map_err(CliError::Output)
}

/// A remark, to standard error: a command does its work also where nobody reads them.
pub(super) fn remark(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
