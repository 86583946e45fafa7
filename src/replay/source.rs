//! Where events are read from, and what can be done with them.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use sqlx::PgConnection;

use super::database::{self, Extras};
use super::file;
use super::report::{Summary, What};
use super::run::{ReplayError, Scope, Watch};
use super::snapshot::{self, Writer};
use crate::org::Org;

/// Where events are read from.
#[derive(Debug)]
pub enum Source<'a> {
    /// A database.
    Database(&'a mut PgConnection),
    /// An exported file.
    File(&'a Path),
}

/// What is to be replayed, and where from.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which events.
    pub scope: Scope,
    /// Go on from the states in this file.
    pub from_snapshot: Option<PathBuf>,
    /// Keep the states that are reached in this file, if all matches.
    pub save_snapshot: Option<PathBuf>,
}

/// Derives every decision again. What does not match is in the summary.
///
/// # Errors
/// When the source, or a snapshot's file, fails.
pub async fn replay(
    source: &mut Source<'_>,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Summary, ReplayError> {
    let from_snapshot = options.from_snapshot.as_deref();
    let scope = options.scope.clone();
    let Some(path) = &options.save_snapshot else {
        return replay_into(source, scope, from_snapshot, None, watch).await;
    };
    // Beside the file, which may hold an earlier state that is still good.
    let part = path.with_added_extension(format!("{}.part", std::process::id()));
    let mut save = Writer::new(BufWriter::new(opened(&part, File::create(&part))?));
    let replayed = replay_into(source, scope, from_snapshot, Some(&mut save), watch).await;
    match &replayed {
        Ok(summary) if summary.holds() => fs::rename(&part, path)?,
        _ => fs::remove_file(&part)?,
    }
    replayed
}

/// Folds the ledgers from 1 on up to where the snapshots in a file stand, and compares the states. What does not match is in the summary.
///
/// # Errors
/// When the source or the file fails, or the file holds no snapshot.
pub async fn check_snapshot(
    source: &mut Source<'_>,
    path: &Path,
    watch: &mut dyn Watch,
) -> Result<Summary, ReplayError> {
    let stored = snapshot::read(BufReader::new(opened(path, File::open(path))?))?;
    let ledgers: Vec<(String, i64)> = stored
        .into_iter()
        .map(|(org, start)| (org, start.position.seq))
        .collect();
    let mut total = Summary::default();
    for (name, seq) in ledgers {
        let org: Org = name.parse().map_err(|_| ReplayError::Snapshot {
            line: 1,
            reason: format!("{name:?} is no organization"),
        })?;
        let comparison = snapshot::Comparison::open(path, &name)?;
        let mut writer = Writer::new(comparison.clone());
        let scope = Scope {
            org: Some(org),
            to: Some(seq),
            ..Scope::default()
        };
        let mut summary = replay_into(source, scope, None, Some(&mut writer), watch).await?;
        if let Some((expected, found)) = comparison.first_difference() {
            summary.add_mismatch(&name, seq, What::Snapshot, &expected, &found);
        }
        total.merge(summary);
    }
    Ok(total)
}

fn opened(path: &Path, file: std::io::Result<File>) -> Result<File, ReplayError> {
    file.map_err(|source| ReplayError::Open {
        path: path.to_owned(),
        source,
    })
}

async fn replay_into(
    source: &mut Source<'_>,
    scope: Scope,
    from_snapshot: Option<&Path>,
    save: Option<&mut Writer>,
    watch: &mut dyn Watch,
) -> Result<Summary, ReplayError> {
    let starts = match from_snapshot {
        Some(path) => snapshot::read(BufReader::new(opened(path, File::open(path))?))?,
        None => Default::default(),
    };
    match source {
        Source::Database(connection) => {
            let extras = Extras {
                save,
                differences: None,
            };
            database::replay(connection, scope, starts, extras, watch).await
        }
        Source::File(path) => {
            let input = opened(path, File::open(path))?;
            watch.total(input.metadata()?.len());
            file::replay(
                BufReader::with_capacity(1 << 20, input),
                scope,
                starts,
                save,
                watch,
            )
        }
    }
}
