//! The private Postgres of `bookwarden dev`, through the library: kept, watched, adopted, stopped.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bookwarden::postgres::private::{DataFolder, PrivateCluster, PrivateClusterError};
use bookwarden::settings::DatabaseUrl;
use sqlx::{Connection, PgConnection};

fn start(folder: &Path) -> PrivateCluster {
    let folder = Arc::new(DataFolder::open(folder).expect("a data folder"));
    PrivateCluster::start(folder).expect("a cluster")
}

/// The answer to a query, as soon as the database gives one.
async fn ask(url: &DatabaseUrl, query: &'static str) -> String {
    let began = Instant::now();
    loop {
        let answer = async {
            let mut connection = PgConnection::connect(url.expose()).await?;
            sqlx::query_scalar(query).fetch_one(&mut connection).await
        };
        match answer.await {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn postmaster(folder: &Path) -> String {
    let file = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).expect("it runs");
    file.lines().next().expect("a first line").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_and_settings_outlive_the_death_of_postgres_and_a_new_start() {
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = parent.path().join("data");

    let cluster = start(&folder);
    let url = cluster.database_url().clone();
    let fsync = "select current_setting('fsync')";
    let log_size = "select current_setting('max_wal_size')";
    assert_eq!(ask(&url, fsync).await, "on");
    assert_eq!(ask(&url, log_size).await, "2GB");
    let mut connection = PgConnection::connect(url.expose())
        .await
        .expect("it answers");
    for statement in [
        "create table kept as select 'data' as value",
        "alter system set max_wal_size = '4GB'",
        "alter system set fsync = off",
    ] {
        let done = sqlx::query(statement).execute(&mut connection).await;
        done.expect("it is done");
    }

    let killed = postmaster(&folder);
    let status = Command::new("kill")
        .args(["-9", &killed])
        .status()
        .expect("kill runs");
    assert!(status.success());
    assert_eq!(ask(&url, "select value from kept").await, "data");
    assert_ne!(postmaster(&folder), killed);
    assert!(!cluster.failed().is_cancelled());

    let second = DataFolder::open(&folder).expect_err("the folder is in use");
    assert!(
        matches!(second, PrivateClusterError::Locked { .. }),
        "{second}"
    );

    cluster.stop().expect("it stops");
    assert!(!folder.join("postgres/postmaster.pid").exists());

    let cluster = start(&folder);
    assert_eq!(cluster.database_url(), &url);
    assert_eq!(ask(&url, "select value from kept").await, "data");
    assert_eq!(ask(&url, log_size).await, "4GB");
    // Durability is not for the owner to give away.
    assert_eq!(ask(&url, fsync).await, "on");
    cluster.stop().expect("it stops");
}
