//! `bookwarden serve`, and the one place where the service is put together.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{CliError, ready, shutdown};
use crate::access::Access;
use crate::counts;
use crate::decider::{self, Decider};
use crate::http::{HttpLimits, Parts, Server};
use crate::postgres::{connect_pool, connect_writers};
use crate::settings::{KEYS, Settings};
use crate::telemetry::{Metrics, init_logs};

pub(super) async fn run() -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    let _last_lines = init_logs(&settings.log, settings.log_format)?;
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
    ready::check(&settings).await?;
    let pool = connect_pool(&settings)?;
    let plain = settings.require_database_url()?.connect_options()?;
    let metrics = Arc::new(Metrics::new());
    let limits = decider::Limits {
        queue: settings.queue_limit,
        batch: settings.batch_limit,
        timeout: settings.decision_timeout,
        rejections_per_second: settings.rejections_per_second,
        rejections_burst: settings.rejections_burst,
    };
    let writers = connect_writers(&settings)?;
    let decider = Decider::start(pool.clone(), writers.clone(), limits, Arc::clone(&metrics))
        .map_err(CliError::Runtime)?;
    counts::start(pool.clone(), Arc::clone(&metrics));
    let server = Server::bind(Parts {
        limits: HttpLimits {
            listen: settings.listen,
            max_body_bytes: settings.max_body_bytes,
            max_header_bytes: settings.max_header_bytes,
            request_timeout: settings.request_timeout,
            shutdown_timeout: settings.shutdown_timeout,
            workers: settings.http_workers,
        },
        access: Access::start(pool.clone()),
        readiness: ready::readiness(pool.clone(), plain),
        pool: pool.clone(),
        decider: decider.clone(),
        metrics,
    })?;
    on_ready(server.local_addr());
    let served = server.run(shutdown).await;
    decider.shutdown().await;
    writers.close().await;
    pool.close().await;
    served.map_err(CliError::Runtime)
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
