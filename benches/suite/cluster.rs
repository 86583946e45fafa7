//! The one private Postgres of a run, as `bookwarden dev` starts it, and a database in it for each case.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::failure::Failure;
use crate::memory::UsedMemory;
use crate::requests::SECRET;
use crate::usage;

/// The program under test.
pub const BOOKWARDEN: &str = env!("CARGO_BIN_EXE_bookwarden");

/// Every kind of policy that the schema has, filled.
const POLICIES: &[(&str, &str)] = &[
    ("capacity_caps", include_str!("policies/capacity_caps.sql")),
    (
        "customer_blocklist",
        include_str!("policies/customer_blocklist.sql"),
    ),
    (
        "customer_limits",
        include_str!("policies/customer_limits.sql"),
    ),
    ("blackouts", include_str!("policies/blackouts.sql")),
    (
        "booking_windows",
        include_str!("policies/booking_windows.sql"),
    ),
    ("rules", include_str!("policies/rules.sql")),
];

/// Of 16 MB each: 8 GB, more than is written between two checkpoints of a run.
const SEGMENTS: u32 = 512;

/// A running cluster; stopped when dropped.
pub struct Cluster {
    dev: Child,
    folder: PathBuf,
    admin_url: String,
    databases: u32,
    used_memory: UsedMemory,
}

/// A database in it.
#[derive(Debug, Clone)]
pub struct Database {
    pub url: String,
}

#[derive(Deserialize)]
struct Ready {
    database_url: String,
}

impl Cluster {
    /// Starts it in a folder, set as `docs/operations.md` advises: a quarter of the memory for pages, since many databases share it here, and
    /// checkpoints far apart, for after each of them a page is logged whole when it is first changed again.
    pub async fn start(folder: &Path) -> Result<Self, Failure> {
        let cluster = Self::start_once(folder)?;
        let mut admin = PgConnection::connect(&cluster.admin_url).await?;
        let memory = usage::memory_mb() / 4;
        for setting in [
            format!("shared_buffers = '{memory}MB'"),
            "max_wal_size = '16GB'".to_owned(),
            "min_wal_size = '8GB'".to_owned(),
            "checkpoint_timeout = '30min'".to_owned(),
        ] {
            let statement = AssertSqlSafe(format!("alter system set {setting}"));
            sqlx::raw_sql(statement).execute(&mut admin).await?;
        }
        drop((admin, cluster));
        Self::start_once(folder)
    }

    fn start_once(folder: &Path) -> Result<Self, Failure> {
        let mut dev = Command::new(BOOKWARDEN)
            .args(["dev", "--json", "--port", "0", "--data-dir"])
            .arg(folder.join("cluster"))
            .env_remove("DATABASE_URL")
            .env("BOOKWARDEN_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::run(BOOKWARDEN))?;
        let mut line = String::new();
        if let Some(stdout) = dev.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let ready: Ready =
            serde_json::from_str(&line).map_err(|_| Failure::NotListening("bookwarden dev"))?;
        Ok(Self {
            dev,
            folder: folder.to_owned(),
            admin_url: ready.database_url,
            databases: 0,
            used_memory: UsedMemory::in_folder(folder),
        })
    }

    /// As it would be after a day of work: with segments of the write-ahead log that can be used again. A new cluster has none and
    /// fills 16 MB with zeros for every 3,000 decisions, while all who want to write wait: a stall that is not seen again later.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let mut admin = PgConnection::connect(&self.admin_url).await?;
        for _ in 0..SEGMENTS {
            // A segment in which nothing was written is not switched.
            let switch =
                "select pg_logical_emit_message(false, 'bench', 'x'); select pg_switch_wal()";
            sqlx::raw_sql(switch).execute(&mut admin).await?;
        }
        sqlx::raw_sql("checkpoint").execute(&mut admin).await?;
        Ok(())
    }

    /// Where files may be put.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// CPU time so far of all of this Postgres, background processes too.
    pub fn cpu_seconds(&self) -> f64 {
        usage::cpu_seconds_of_children(self.dev.id())
    }

    /// A fresh one, as `another_database` makes it, in place of all that there are. What memory that frees is filled again.
    pub async fn database(&mut self, orgs: u64) -> Result<Database, Failure> {
        let mut admin = PgConnection::connect(&self.admin_url).await?;
        for number in 1..=std::mem::take(&mut self.databases) {
            let drop = format!("drop database bench_{number} with (force)");
            sqlx::raw_sql(AssertSqlSafe(drop))
                .execute(&mut admin)
                .await?;
        }
        self.used_memory.fill()?;
        self.another_database(orgs).await
    }

    /// A fresh database with schema, secret, `orgs` further organizations, and policies of every kind. Checkpointed, so that no
    /// case pays for the one before.
    pub async fn another_database(&mut self, orgs: u64) -> Result<Database, Failure> {
        let mut admin = PgConnection::connect(&self.admin_url).await?;
        self.databases += 1;
        let name = format!("bench_{}", self.databases);
        let create = format!("create database {name}");
        sqlx::raw_sql(AssertSqlSafe(create))
            .execute(&mut admin)
            .await?;
        let (server, _) = self.admin_url.rsplit_once('/').unwrap_or_default();
        let database = Database {
            url: format!("{server}/{name}"),
        };
        database.bookwarden(&["migrate"])?;
        let mut connection = database.connect().await?;
        for org in 0..orgs {
            sqlx::query("insert into policy.organizations (org) values ($1)")
                .bind(format!("org-{org}"))
                .execute(&mut connection)
                .await?;
        }
        sqlx::query(
            "insert into access.webhook_secrets (org, secret) select org, $1 from ledger.heads",
        )
        .bind(SECRET)
        .execute(&mut connection)
        .await?;
        for (kind, fill) in POLICIES {
            let exists: bool =
                sqlx::query_scalar("select to_regclass('policy.' || $1) is not null")
                    .bind(kind)
                    .fetch_one(&mut connection)
                    .await?;
            if exists {
                sqlx::raw_sql(*fill).execute(&mut connection).await?;
            }
        }
        database.settle().await?;
        Ok(database)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // An interrupt, not a kill: it has a Postgres to stop.
        if let Some(pid) = rustix::process::Pid::from_raw(self.dev.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        let _ = self.dev.wait();
    }
}

impl Database {
    /// A connection as its owner.
    pub async fn connect(&self) -> Result<PgConnection, Failure> {
        Ok(PgConnection::connect(&self.url).await?)
    }

    /// Runs statements.
    pub async fn execute(&self, statements: impl Into<String>) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(statements.into()))
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// One number.
    pub async fn number(&self, query: &'static str) -> Result<i64, Failure> {
        let mut connection = self.connect().await?;
        Ok(sqlx::query_scalar(query).fetch_one(&mut connection).await?)
    }

    /// Vacuumed, analyzed and checkpointed: what was done before a measurement must not disturb it.
    pub async fn settle(&self) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        for statement in ["vacuum analyze", "checkpoint"] {
            sqlx::raw_sql(statement).execute(&mut connection).await?;
        }
        Ok(())
    }

    /// Runs a subcommand on it.
    pub fn bookwarden(&self, arguments: &[&str]) -> Result<(), Failure> {
        let output = Command::new(BOOKWARDEN)
            .args(arguments)
            .env("DATABASE_URL", &self.url)
            .output()
            .map_err(Failure::run(BOOKWARDEN))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(Failure::Program {
                program: format!("bookwarden {}", arguments.join(" ")),
                output: String::from_utf8_lossy(&output.stderr).into_owned(),
            })
        }
    }
}
