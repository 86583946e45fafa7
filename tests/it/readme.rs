//! The README's first hour, walked along: what it types is run, and what it shows is what comes.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::bookwarden;
use crate::support::dev::Dev;

const README: &str = include_str!("../../README.md");

/// The rest of a line that was typed into psql.
fn typed_into_psql(line: &str) -> Option<&str> {
    let (prompt, typed) = line.split_once("# ")?;
    let prompts = ["bookwarden=", "bookwarden-", "bookwarden=*", "bookwarden-*"];
    prompts.contains(&prompt).then_some(typed)
}

/// A row of the ledger as the README shows it.
fn event(line: &str) -> Option<(i64, String)> {
    let mut columns = line.split('|').map(str::trim);
    let seq = columns.next()?.parse().ok()?;
    Some((seq, columns.next()?.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_shows_what_is_answered() {
    let dev = Dev::start();
    let mut psql = PgConnection::connect(&dev.database_url)
        .await
        .expect("a connection");
    let mut sent = String::new();
    let mut statement = String::new();
    let mut shown = Vec::new();
    let (mut answers, mut refusals) = (0, 0);
    for line in README.lines() {
        if let Some(typed) = line.strip_prefix("$ target/release/bookwarden ") {
            let arguments: Vec<&str> = typed.split(' ').chain(["--url", &dev.url]).collect();
            let output = bookwarden(&dev.database_url, &arguments, "");
            sent = String::from_utf8_lossy(&output.stderr).into_owned();
        } else if line.starts_with("HTTP 200 OK") {
            assert!(sent.contains(line), "{line} is shown, and comes: {sent}");
            answers += 1;
        } else if line.contains("--data-binary @.bookwarden/sample.json") {
            // The same request again, by other means.
            bookwarden(&dev.database_url, &["send", "--url", &dev.url], "");
        } else if let Some(typed) = typed_into_psql(line) {
            statement.push_str(typed);
            statement.push('\n');
            if typed.ends_with(';') {
                let typed = AssertSqlSafe(std::mem::take(&mut statement));
                if let Err(error) = sqlx::raw_sql(typed).execute(&mut psql).await {
                    sent = error.to_string();
                }
            }
        } else if let Some(refused) = line.strip_prefix("ERROR:  ") {
            assert!(sent.contains(refused), "{line} is shown, and comes: {sent}");
            refusals += 1;
        } else {
            shown.extend(event(line));
        }
    }
    let events: Vec<(i64, String)> =
        sqlx::query_as("select seq, type from ledger.events order by seq")
            .fetch_all(&mut psql)
            .await
            .expect("events");
    assert_eq!(shown, events);
    assert_eq!((answers, refusals), (3, 1), "the README was understood");
}
