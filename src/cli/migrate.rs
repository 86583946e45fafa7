//! `bookwarden migrate`

use super::CliError;
use crate::postgres::{Migrated, migrate};
use crate::settings::Settings;

pub(super) async fn run() -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    let Migrated { applied, reapplied } = migrate(settings.require_database_url()?).await?;
    for migration in &applied {
        println!("applied {migration}");
    }
    let new = applied.len();
    println!(
        "the schema is current: {new} new migrations, {reapplied} files of functions, triggers, roles and views applied again"
    );
    Ok(())
}
