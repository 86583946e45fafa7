//! `bookwarden serve`, and the one place where the service is put together.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{CliError, shutdown};
use crate::postgres::{connect_pool, is_current};
use crate::settings::{KEYS, Settings};

pub(super) async fn run() -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    settings.require_database_url()?;
    let shutdown = shutdown::on_signal()?;
    run_service(settings, shutdown, |address| {
        tracing::info!(%address, "listening");
    })
    .await
}

/// Puts the service together and runs it until it is told to stop. Then: no new requests, answers to the accepted ones, the
/// decider's last batch, the connections.
pub async fn run_service(
    settings: Settings,
    shutdown: CancellationToken,
    on_ready: impl FnOnce(SocketAddr),
) -> Result<(), CliError> {
    let settings = Arc::new(settings);
    let pool = connect_pool(&settings)?;
    if !is_current(&pool).await? {
        return Err(CliError::NotMigrated);
    }
    let address = settings.listen;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|source| CliError::Listen { address, source })?;
    on_ready(listener.local_addr().map_err(CliError::Runtime)?);
    shutdown.cancelled().await;
    pool.close().await;
    Ok(())
}

/// The configuration keys, for `--help`.
pub(super) fn settings_table() -> String {
    let mut text = String::from("Environment variables:\n");
    for key in KEYS {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!(", default {}", key.default)
        };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "  {} ({}{default})\n      {}\n",
            key.name,
            key.unit.replace('`', ""),
            key.doc
        );
    }
    text
}
