//! `bookwarden serve`, and the one place where the service is put together.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use sqlx::{Connection, PgConnection};
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
    check_schema(&settings).await?;
    let pool = connect_pool(&settings)?;
    let address = settings.listen;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|source| CliError::Listen { address, source })?;
    on_ready(listener.local_addr().map_err(CliError::Runtime)?);
    shutdown.cancelled().await;
    pool.close().await;
    Ok(())
}

/// As the plain login, before the pool: its role exists only once the schema does.
async fn check_schema(settings: &Settings) -> Result<(), CliError> {
    let options = settings.require_database_url()?.connect_options()?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let is_current = is_current(&mut connection).await?;
    connection.close().await?;
    if is_current {
        Ok(())
    } else {
        Err(CliError::NotMigrated)
    }
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
