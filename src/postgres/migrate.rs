//! Brings a database to this program's schema: the migrations once, the functions, triggers, roles and views every time.

use refinery_core::{Migration, Runner, error::Kind};
use sqlx::{Connection, PgConnection, PgExecutor};

use super::refinery_connection::RefineryConnection;
use super::said;
use super::schema::{self, SqlFile};
use crate::settings::DatabaseUrl;

/// The number of our advisory lock: the bytes of "bookward". Two instances that start at once migrate one after the other.
const LOCK: i64 = 0x626f_6f6b_7761_7264;

/// The oldest Postgres whose SQL we use.
const OLDEST_POSTGRES: i32 = 150_000;

/// A migrate waits this long for its turn, then for each table lock: a transaction left open in psql must not make it, and
/// everything queued behind it, wait for ever.
const SESSION: &str = "
    set application_name = 'bookwarden migrate';
    set client_min_messages = 'warning';
    set lock_timeout = '10min'";
const TABLE_LOCK_TIMEOUT: &str = "set lock_timeout = '10s'";

/// What a migrate did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were new, as `V<n>__<what>`.
    pub applied: Vec<String>,
    /// How many files were applied again.
    pub reapplied: usize,
}

/// Why a database could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database is not reachable, or refuses the login.
    #[error("the database of DATABASE_URL {}", refusal(.0))]
    Connect(#[source] sqlx::Error),
    /// The database cannot hold the schema.
    #[error("the database cannot be used: {0}")]
    Unsuitable(Unsuitable),
    /// A migration that was applied has been edited since.
    #[error(
        "migration {0} was edited after it had been applied; put its text back and write a new migration instead"
    )]
    Edited(String),
    /// The database knows a migration that this program does not.
    #[error(
        "the database was migrated to {0} by a newer bookwarden; run that version, or restore a backup from before"
    )]
    Newer(String),
    /// An SQL file failed; nothing of it was kept.
    #[error("{file} failed: {source}")]
    File {
        /// The file, or what was being done.
        file: String,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The files themselves do not fit together.
    #[error("the embedded migrations are inconsistent: {0}")]
    Embedded(String),
    /// The database failed in between.
    #[error("the database failed while migrating: {text}", text = said(.0))]
    Database(#[from] sqlx::Error),
}

fn refusal(error: &sqlx::Error) -> String {
    let said = said(error);
    if error.as_database_error().is_some() {
        format!("does not let us in: {said}")
    } else {
        format!("does not answer ({said}); does it run, and is its address right?")
    }
}

/// Why a database cannot hold the schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[rustfmt::skip] // one reason a line
pub enum Unsuitable {
    /// Too old.
    #[error("it is Postgres {0}; bookwarden needs 15 or newer")]
    TooOld(String),
    /// A standby.
    #[error("it is a read-only standby; DATABASE_URL must name the primary")]
    Standby,
    /// Texts would be lost.
    #[error("its encoding is {0}; make one with `create database … encoding 'UTF8' template template0`")]
    Encoding(String),
    /// No ICU.
    #[error("this Postgres was built without ICU (no collation \"und-x-icu\"), which comparing field values needs; use the packages of your distribution or of postgresql.org")]
    NoIcu,
    /// May not create schemas.
    #[error("the login {0} may not create schemas; as the database's owner or a superuser: `grant create on database … to {0}`")]
    MayNotCreateSchemas(String),
    /// May not create the roles that we need.
    #[error("the login {0} may not create roles; as a superuser: `alter role {0} createrole`")]
    MayNotCreateRoles(String),
}

/// Brings the database to this program's schema. Safe to run at any time, by any number of processes at once.
pub async fn migrate(url: &DatabaseUrl) -> Result<Migrated, MigrateError> {
    let options = url.connect_options().map_err(MigrateError::Connect)?;
    let mut connection = PgConnection::connect_with(&options)
        .await
        .map_err(MigrateError::Connect)?;
    check_suitable(&mut connection).await?;
    sqlx::raw_sql(SESSION).execute(&mut connection).await?;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql(TABLE_LOCK_TIMEOUT)
        .execute(&mut connection)
        .await?;
    let applied = apply_migrations(&mut connection).await?;
    reapply(&mut connection).await?;
    connection.close().await?; // and with the session, the advisory lock
    Ok(Migrated {
        applied,
        reapplied: schema::REAPPLIED.len(),
    })
}

/// Whether this program's schema has been applied to the database. A newer program may have migrated it further since:
/// migrations only add, so that the instances of the old version go on through a rolling update.
pub async fn is_current(database: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(include_str!("../../sql/queries/is_schema_applied.sql"))
        .bind(schema::digest().as_slice())
        .fetch_one(database)
        .await
}

async fn check_suitable(connection: &mut PgConnection) -> Result<(), MigrateError> {
    type Row = (i32, String, bool, String, bool, String, bool, bool);
    let row: Row = sqlx::query_as(include_str!("../../sql/queries/describe_server.sql"))
        .fetch_one(connection)
        .await?;
    let (
        version_number,
        version,
        is_standby,
        encoding,
        has_icu,
        login,
        may_create_schemas,
        may_create_roles,
    ) = row;
    let unsuitable = if version_number < OLDEST_POSTGRES {
        Unsuitable::TooOld(version)
    } else if is_standby {
        Unsuitable::Standby
    } else if encoding != "UTF8" {
        Unsuitable::Encoding(encoding)
    } else if !has_icu {
        Unsuitable::NoIcu
    } else if !may_create_schemas {
        Unsuitable::MayNotCreateSchemas(login)
    } else if !may_create_roles {
        Unsuitable::MayNotCreateRoles(login)
    } else {
        return Ok(());
    };
    Err(MigrateError::Unsuitable(unsuitable))
}

async fn apply_migrations(connection: &mut PgConnection) -> Result<Vec<String>, MigrateError> {
    let migrations: Vec<Migration> = schema::MIGRATIONS
        .iter()
        .map(|file| Migration::unapplied(migration_name(file), file.text))
        .collect::<Result<_, _>>()
        .map_err(from_refinery)?;
    let report = Runner::new(&migrations)
        .run_async(&mut RefineryConnection(connection))
        .await
        .map_err(from_refinery)?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}

/// `V1__ledger` of `migrations/V1__ledger.sql`.
fn migration_name(file: &SqlFile) -> &'static str {
    let name = file.path.rsplit('/').next().unwrap_or(file.path);
    name.strip_suffix(".sql").unwrap_or(name)
}

fn from_refinery(error: refinery_core::Error) -> MigrateError {
    match error.kind() {
        Kind::DivergentVersion(applied, _) => MigrateError::Edited(applied.to_string()),
        Kind::MissingVersion(applied) => MigrateError::Newer(applied.to_string()),
        // refinery lends its cause only by reference, so the text goes on.
        Kind::Connection(doing, cause) => MigrateError::File {
            file: doing.clone(),
            source: match cause.downcast_ref() {
                Some(error) => said(error).into(),
                None => cause.to_string().into(),
            },
        },
        other => MigrateError::Embedded(other.to_string()),
    }
}

/// Functions, triggers, roles and views are what their files say today; in one transaction, so that nobody sees half of it.
async fn reapply(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin().await?;
    for file in schema::REAPPLIED {
        sqlx::raw_sql(file.text)
            .execute(&mut *transaction)
            .await
            .map_err(|error| MigrateError::File {
                file: file.path.into(),
                source: said(&error).into(),
            })?;
    }
    sqlx::query(include_str!("../../sql/queries/record_schema.sql"))
        .bind(schema::digest().as_slice())
        .bind(env!("CARGO_PKG_VERSION"))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}
