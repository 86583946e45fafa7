//! The private cluster of `bookwarden dev` and of the tests: a Postgres of the machine, run as our child on 127.0.0.1, with
//! durable settings, its data kept between runs. Why this is our own code: `docs/adr/0002-private-postgres.md`.
//!
//! Everything here blocks and needs no async runtime; the cluster is watched by a thread of its own, so that it survives the
//! runtime that started it.

#![expect(
    clippy::disallowed_methods,
    reason = "watches a process on a thread of its own; decides nothing"
)]

mod binaries;
mod error;
mod folder;
mod initialize;
mod postmaster;
mod unprivileged;
mod watch;

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

pub use binaries::{Binaries, SearchPlaces};
pub use error::PrivateClusterError;
pub use folder::{DataFolder, database_url_of};

use crate::settings::DatabaseUrl;

/// A running private cluster. Dropping it stops Postgres in the background; [`PrivateCluster::stop`] waits for that. When the
/// process dies with it, Postgres goes on, and the next start on the same folder adopts it.
#[derive(Debug)]
pub struct PrivateCluster {
    database_url: DatabaseUrl,
    failed: CancellationToken,
    stop: mpsc::Sender<()>,
    watcher: JoinHandle<Result<(), PrivateClusterError>>,
}

impl PrivateCluster {
    /// Starts the cluster of a data folder, or adopts the one that an earlier run left behind, and waits until it is ready. The
    /// first time, the cluster is made. Blocks.
    pub fn start(folder: Arc<DataFolder>) -> Result<Self, PrivateClusterError> {
        let binaries = Binaries::find(&SearchPlaces::of_this_machine(), folder.cluster_version()?)?;
        let user = unprivileged::User::choose(&folder)?;
        initialize::ensure_initialized(&folder, &binaries, &user)?;
        let postmaster = postmaster::Postmaster::adopt_or_start(&folder, &binaries, &user)?;
        let database_url = folder.write_database_url(postmaster.port())?;
        let (stop, stopped) = mpsc::channel();
        let failed = CancellationToken::new();
        let watch = watch::Watch {
            folder,
            binaries,
            user,
            postmaster,
            failed: failed.clone(),
        };
        let watcher = std::thread::Builder::new()
            .name("postgres-watch".into())
            .spawn(move || watch.run(&stopped))
            .map_err(PrivateClusterError::Thread)?;
        Ok(Self {
            database_url,
            failed,
            stop,
            watcher,
        })
    }

    /// The owner's address of the database `bookwarden` in it.
    #[must_use]
    pub fn database_url(&self) -> &DatabaseUrl {
        &self.database_url
    }

    /// Cancelled when Postgres died and could not be brought back; [`Self::stop`] then says why.
    #[must_use]
    pub fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// Stops Postgres (fast shutdown: open transactions are rolled back) and waits for it. Blocks.
    pub fn stop(self) -> Result<(), PrivateClusterError> {
        drop(self.stop);
        self.watcher
            .join()
            .unwrap_or(Err(PrivateClusterError::Watcher))
    }
}

/// Whether a path is a file that we could run.
fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
