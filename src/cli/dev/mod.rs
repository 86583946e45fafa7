//! `bookwarden dev`

mod greeting;
mod prepare;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{CliError, run_service, shutdown};
use crate::postgres::private::{DataFolder, PrivateCluster};
use crate::settings::Settings;
use crate::telemetry::init_logs;
use greeting::Greeting;

#[derive(Debug, Args)]
pub(super) struct DevArgs {
    /// The port on 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the private Postgres and what belongs to it are kept between runs
    #[arg(long, default_value = ".bookwarden")]
    data_dir: PathBuf,
    /// Print one line of JSON when ready: url, database_url, webhook_secret, audit_token
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: DevArgs) -> Result<(), CliError> {
    let mut settings = Settings::from_env()?;
    settings.listen = (Ipv4Addr::LOCALHOST, args.port).into();
    let _last_lines = init_logs(&settings.log, settings.log_format)?;
    let shutdown = shutdown::on_signal()?;
    let folder = Arc::new(DataFolder::open(&args.data_dir)?);
    if settings.database_url.is_some() {
        return serve(settings, &folder, shutdown, args.json).await;
    }
    let cluster_folder = Arc::clone(&folder);
    let cluster = spawn_blocking(move || PrivateCluster::start(cluster_folder)).await??;
    settings.database_url = Some(cluster.database_url().clone());
    let failed = cluster.failed().clone();
    let stop_with_postgres = shutdown.clone();
    tokio::spawn(async move {
        failed.cancelled().await;
        stop_with_postgres.cancel();
    });
    let served = serve(settings, &folder, shutdown, args.json).await;
    let stopped = spawn_blocking(move || cluster.stop()).await?;
    served.and(stopped.map_err(CliError::from))
}

async fn serve(
    settings: Settings,
    folder: &DataFolder,
    shutdown: CancellationToken,
    json: bool,
) -> Result<(), CliError> {
    let database_url = settings.require_database_url()?.clone();
    let prepared = tokio::select! {
        prepared = prepare::prepare(&database_url, folder) => prepared?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let mut greeted = Ok(());
    let greet = |address| {
        let greeting = Greeting {
            address,
            database_url: &database_url,
            audit_token: &prepared.audit_token,
            folder,
        };
        greeted = if json {
            greeting.print_json()
        } else {
            greeting.print()
        };
    };
    run_service(settings, shutdown, greet).await?;
    greeted
}
