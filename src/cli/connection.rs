//! The database of the administrative commands.

use std::path::PathBuf;

use clap::Args;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};

use super::CliError;
use crate::postgres::private::database_url_of;
use crate::settings::Settings;

/// Where a `bookwarden dev` keeps its data.
#[derive(Debug, Clone, Args)]
pub(super) struct DataDir {
    /// The data folder of `bookwarden dev`; when DATABASE_URL is not set, its database is used
    #[arg(long, default_value = ".bookwarden")]
    pub(super) data_dir: PathBuf,
}

impl DataDir {
    /// The same database, for commands that read page after page.
    pub(super) async fn pool(&self) -> Result<PgPool, CliError> {
        let url = match Settings::from_env()?.database_url {
            Some(url) => url,
            None => database_url_of(&self.data_dir)
                .ok_or_else(|| CliError::NoDatabase(self.data_dir.clone()))?,
        };
        let options = url.connect_options()?.application_name("bookwarden cli");
        Ok(PgPoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await?)
    }

    /// Connects with the login of `DATABASE_URL`, else as the owner of the database of `bookwarden dev`.
    pub(super) async fn connect(&self) -> Result<PgConnection, CliError> {
        if let Some(url) = Settings::from_env()?.database_url {
            let options = url.connect_options()?.application_name("bookwarden cli");
            return Ok(PgConnection::connect_with(&options).await?);
        }
        let url = database_url_of(&self.data_dir)
            .ok_or_else(|| CliError::NoDatabase(self.data_dir.clone()))?;
        let options = url.connect_options()?.application_name("bookwarden cli");
        let away = |source| CliError::DevAway {
            folder: self.data_dir.clone(),
            source,
        };
        PgConnection::connect_with(&options).await.map_err(away)
    }
}
