//! One private Postgres for the whole run: that of a `bookwarden dev`, which stops when the test process ends.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// The program under test.
pub const BOOKWARDEN: &str = env!("CARGO_BIN_EXE_bookwarden");

/// A running cluster with a migrated template database.
pub struct Cluster {
    admin_url: String,
    next_database: AtomicU32,
    // Open for as long as this process lives; the shell behind it stops the cluster when it closes.
    _stdin: ChildStdin,
    _keeper: Child,
}

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

/// The run's cluster, started by whoever asks first.
pub async fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(Cluster::start).await
}

impl Cluster {
    async fn start() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("cluster-{}", std::process::id()));
        let keep = r#"
            "$0" dev --json --port 0 --data-dir "$1" &
            server=$!
            cat > /dev/null
            kill -TERM "$server"
            wait "$server"
            rm -rf "$1"
        "#;
        let mut keeper = Command::new("sh")
            .args(["-c", keep, BOOKWARDEN])
            .arg(&folder)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        let stdin = keeper.stdin.take().expect("stdin is piped");
        let stdout = keeper.stdout.take().expect("stdout is piped");
        let mut ready = String::new();
        BufReader::new(stdout)
            .read_line(&mut ready)
            .expect("bookwarden dev prints a line");
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap_or_else(|error| {
            panic!("not the line of bookwarden dev --json: {ready:?}: {error}")
        });
        let cluster = Self {
            admin_url: ready["database_url"]
                .as_str()
                .expect("a database_url")
                .to_owned(),
            next_database: AtomicU32::new(1),
            _stdin: stdin,
            _keeper: keeper,
        };
        cluster.make_template().await;
        cluster
    }

    async fn make_template(&self) {
        self.execute("create database template_of_tests").await;
        let migrated = Command::new(BOOKWARDEN)
            .arg("migrate")
            .env("DATABASE_URL", self.database_url("template_of_tests"))
            .output()
            .expect("bookwarden starts");
        assert!(
            migrated.status.success(),
            "{}",
            String::from_utf8_lossy(&migrated.stderr)
        );
    }

    /// A new database; its URL.
    pub async fn new_database(&self) -> String {
        let name = format!(
            "test_{}",
            self.next_database.fetch_add(1, Ordering::Relaxed)
        );
        self.execute(&format!(
            "create database {name} template template_of_tests"
        ))
        .await;
        self.database_url(&name)
    }

    fn database_url(&self, database: &str) -> String {
        let (server, _) = self
            .admin_url
            .rsplit_once('/')
            .expect("a URL with a database");
        format!("{server}/{database}")
    }

    async fn execute(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.admin_url)
            .await
            .expect("the cluster answers");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .expect("the statement runs");
    }
}
