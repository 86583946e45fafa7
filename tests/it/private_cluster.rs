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
async fn data_outlive_the_death_of_postgres_and_a_new_start() {
    let parent = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = parent.path().join("data");

    let cluster = start(&folder);
    let url = cluster.database_url().clone();
    assert_eq!(ask(&url, "select current_setting('fsync')").await, "on");
    let mut connection = PgConnection::connect(url.expose())
        .await
        .expect("it answers");
    let made = sqlx::query("create table kept as select 'data' as value")
        .execute(&mut connection)
        .await;
    made.expect("a table");

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
    cluster.stop().expect("it stops");
}
