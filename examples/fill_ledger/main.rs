//! Fills a ledger with realistic decisions, for measuring: real bookings through the real decider, so that every event, digest,
//! place and policy verdict is what the service would have written, and `bookwarden replay` agrees. Only the clock is quickened:
//! `ledger.clock` is replaced meanwhile, so that a few minutes of filling look like a year of bookings.
//!
//! `DATABASE_URL=… cargo run --release --example fill_ledger -- 1000000`, on a database of its own that `bookwarden migrate` made.

#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod bookings;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bookwarden::cubu::{request, signature};
use bookwarden::decider::{Decider, Limits, Submission};
use bookwarden::org::Org;
use bookwarden::postgres::{connect_pool, connect_writers};
use bookwarden::settings::Settings;
use bookwarden::telemetry::Metrics;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use bookings::Bookings;

/// Bookings that wait for their answer at a time.
const AT_ONCE: usize = 512;

const CLOCK: &str = include_str!("quick_clock.sql");
const TRUE_CLOCK: &str = include_str!("../../sql/functions/00_clock.sql");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let wanted: u64 = std::env::args().nth(1).unwrap_or("100000".into()).parse()?;
    let settings = Settings::from_env()?;
    let url = settings.require_database_url()?;
    let mut owner = PgConnection::connect_with(&url.connect_options()?).await?;
    sqlx::raw_sql(include_str!("policies.sql"))
        .execute(&mut owner)
        .await?;
    // A year in the time that the filling takes, at about 8,000 decisions a second.
    let seconds_a_second = 365 * 86_400 / (wanted / 8_000).max(1);
    let clock = CLOCK.replace("{speed}", &seconds_a_second.to_string());
    sqlx::raw_sql(AssertSqlSafe(clock))
        .execute(&mut owner)
        .await?;

    let limits = Limits {
        queue: 4096,
        batch: settings.batch_limit,
        timeout: Duration::from_secs(60),
        rejections_per_second: 0,
        rejections_burst: 1,
    };
    let decider = Decider::start(
        connect_pool(&settings)?,
        connect_writers(&settings)?,
        limits,
        Arc::new(Metrics::new()),
    )?;
    let started = Instant::now();
    let filled = fill(&decider, wanted, started).await;
    decider.shutdown().await;
    sqlx::raw_sql(TRUE_CLOCK).execute(&mut owner).await?;
    filled?;
    sqlx::raw_sql("vacuum analyze").execute(&mut owner).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{wanted} bookings in {seconds:.0} s, {:.0}/s",
        wanted as f64 / seconds
    );
    Ok(())
}

async fn fill(decider: &Decider, wanted: u64, started: Instant) -> Result<(), Box<dyn Error>> {
    let org = Org::default_org();
    let (first_day, quickened) = (chrono::Utc::now(), 365.0 / wanted as f64);
    let tasks = (0..AT_ONCE as u64).map(|task| {
        let (decider, org) = (decider.clone(), org.clone());
        tokio::spawn(async move {
            let mut bookings = Bookings::new(task);
            for number in (task..wanted).step_by(AT_ONCE) {
                let days = (number as f64 * quickened) as i64;
                let body = bookings.next(first_day + chrono::TimeDelta::days(days));
                let submission = Submission {
                    booking: request::parse(&body)?,
                    authorization: Some(signature::sign("dev-secret", body.as_bytes())),
                    secret_id: None,
                    body,
                };
                decider.decide(&org, submission).await?;
                if number > 0 && number % 100_000 == 0 {
                    println!("{number} after {:.0} s", started.elapsed().as_secs_f64());
                }
            }
            Ok::<(), Box<dyn Error + Send + Sync>>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await?.map_err(|error| error.to_string())?;
    }
    Ok(())
}
