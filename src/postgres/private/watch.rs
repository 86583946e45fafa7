//! Keeping the cluster alive until it is to stop.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::binaries::Binaries;
use super::error::PrivateClusterError;
use super::folder::DataFolder;
use super::postmaster::Postmaster;
use super::unprivileged::User;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Dying more often than this within a minute is no accident.
const DEATHS_A_MINUTE: usize = 5;

/// What the watching thread holds.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) folder: Arc<DataFolder>,
    pub(super) binaries: Binaries,
    pub(super) user: User,
    pub(super) postmaster: Postmaster,
    pub(super) failed: CancellationToken,
}

impl Watch {
    /// Starts Postgres again whenever it dies; stops it when the other end says so or is gone.
    pub(super) fn run(mut self, stopped: &Receiver<()>) -> Result<(), PrivateClusterError> {
        let mut deaths = Vec::new();
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if self.postmaster.is_alive() {
                continue;
            }
            deaths.retain(|death: &Instant| death.elapsed() < Duration::from_secs(60));
            deaths.push(Instant::now());
            if let Err(error) = self.start_again(deaths.len()) {
                tracing::error!("{error}");
                self.failed.cancel();
                return Err(error);
            }
        }
        self.postmaster.stop(&self.folder)
    }

    fn start_again(&mut self, deaths: usize) -> Result<(), PrivateClusterError> {
        if deaths > DEATHS_A_MINUTE {
            return Err(PrivateClusterError::DiesAgain {
                times: deaths,
                log: self.folder.log(),
            });
        }
        tracing::warn!("Postgres died and is started again");
        let port = self.postmaster.port();
        self.postmaster = Postmaster::start(&self.folder, &self.binaries, &self.user, port)?;
        tracing::info!(port, "Postgres is back");
        Ok(())
    }
}
