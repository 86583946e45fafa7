//! `bookwarden migrate`

use super::{CliError, print};
use crate::postgres::{Migrated, migrate};
use crate::settings::Settings;

pub(super) async fn run() -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    let Migrated { applied, reapplied } = migrate(settings.require_database_url()?).await?;
    for migration in &applied {
        print::line(format_args!("applied {migration}"))?;
    }
    let new = applied.len();
    print::line(format_args!(
        "the schema is current: {new} new migrations, {reapplied} files of functions, triggers, roles and views applied again"
    ))
}
