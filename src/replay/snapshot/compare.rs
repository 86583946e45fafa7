//! Comparing a state with the one that is stored.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::line::Line;
use crate::replay::run::ReplayError;

/// A writer that only compares, line by line, with the snapshot of one ledger in a file. Clones look at the same comparison.
#[derive(Debug, Clone)]
pub(in crate::replay) struct Comparison(Arc<Mutex<Compared>>);

#[derive(Debug)]
struct Compared {
    stored: BufReader<File>,
    difference: Option<(String, String)>,
}

impl Comparison {
    /// Opens the file where the ledger's snapshot begins.
    pub(in crate::replay) fn open(path: &Path, org: &str) -> Result<Self, ReplayError> {
        let mut stored = BufReader::new(File::open(path)?);
        let mut text = String::new();
        loop {
            let begins = stored.stream_position()?;
            text.clear();
            if stored.read_line(&mut text)? == 0 {
                break;
            }
            if matches!(serde_json::from_str(&text), Ok(Line::Ledger(ledger)) if ledger.org == org)
            {
                stored.seek(SeekFrom::Start(begins))?;
                break;
            }
        }
        Ok(Self(Arc::new(Mutex::new(Compared {
            stored,
            difference: None,
        }))))
    }

    /// The first line that differs: as the fold has it, and as it is stored.
    pub(in crate::replay) fn first_difference(&self) -> Option<(String, String)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .difference
            .clone()
    }
}

impl Write for Comparison {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if compared.difference.is_none() {
            let mut stored = String::new();
            compared.stored.read_line(&mut stored)?;
            if stored.as_bytes() != line {
                compared.difference = Some((
                    String::from_utf8_lossy(line).trim().to_owned(),
                    stored.trim().to_owned(),
                ));
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
