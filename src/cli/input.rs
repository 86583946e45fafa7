//! What a command is given to read: a file, or standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::CliError;

/// Reads a file whole; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let read = if is_stdin(path) {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|source| CliError::Read {
        path: named(path),
        source,
    })
}

/// The same, which is to be text.
pub(super) fn read_text(path: &Path) -> Result<String, CliError> {
    String::from_utf8(read(path)?).map_err(|error| CliError::Read {
        path: named(path),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error()),
    })
}

fn named(path: &Path) -> PathBuf {
    if is_stdin(path) {
        PathBuf::from("standard input")
    } else {
        path.to_owned()
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}
