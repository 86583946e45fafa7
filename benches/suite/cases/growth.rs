//! The same load when things have grown, each between two bases and compared with their mean: machines drift within a run.

use std::thread;
use std::time::Duration;

use bookwarden::ledger::counts::NUMBERS;
use tokio::time::sleep;

use crate::cluster::Database;
use crate::failure::Failure;
use crate::report::Target::{AtLeast, AtMost};
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::wrk::closed;
use crate::{Bench, next_run};

const CONNECTIONS: u32 = 64;

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench.report.section("Growth: 64 connections");
    let mut before = base(bench).await?;
    let rows = include_str!("../policies/grow_customer_blocklist.sql");
    grown(bench, "1,000,000 blocked customers", rows, &mut before).await?;
    let rows = include_str!("../policies/grow_capacity_caps.sql");
    grown(
        bench,
        "100,000 caps over 10,000 services",
        rows,
        &mut before,
    )
    .await?;
    if bench.large {
        let rows = include_str!("../policies/grow_events.sql");
        grown(bench, "10,000,000 events", rows, &mut before).await?;
    }
    ten_orgs(bench, &mut before).await?;
    two_processes(bench).await
}

async fn base(bench: &mut Bench) -> Result<f64, Failure> {
    let database = bench.cluster.database(0).await?;
    let rate = one_process(bench, &database).await?;
    bench.report.figure("growth: base", rate, "/s");
    Ok(rate)
}

async fn grown(bench: &mut Bench, name: &str, grow: &str, before: &mut f64) -> Result<(), Failure> {
    let database = bench.cluster.database(0).await?;
    database.execute(grow).await?;
    database.settle().await?;
    let server = Server::start(&database)?;
    wait_until_counted(&database).await?;
    let spread = |run| Requests::new(run, Aim::Spread);
    let measured = bench.load(&database, &server, spread, CONNECTIONS).await?;
    let memory = server.peak_memory_mb();
    drop(server);
    against_base(bench, name, measured.per_second(), memory, before).await
}

async fn ten_orgs(bench: &mut Bench, before: &mut f64) -> Result<(), Failure> {
    let database = bench.cluster.database(10).await?;
    let server = Server::start(&database)?;
    let spread = |run| Requests::new(run, Aim::Spread).over_orgs(10);
    let measured = bench.load(&database, &server, spread, CONNECTIONS).await?;
    let memory = server.peak_memory_mb();
    drop(server);
    let rate = measured.per_second();
    against_base(bench, "ten organizations", rate, memory, before).await
}

/// A ledger that has grown long ago is counted (ADR 5). One that has just been filled would be while the load runs, for a quarter of the time.
async fn wait_until_counted(database: &Database) -> Result<(), Failure> {
    let sql = include_str!("../../../sql/queries/list_uncounted.sql");
    let mut connection = database.connect().await?;
    loop {
        let heads: Vec<(String, i64, i64)> = sqlx::query_as(sql).fetch_all(&mut connection).await?;
        if (heads.iter()).all(|(_, last_seq, counted)| last_seq - counted < NUMBERS) {
            return Ok(());
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Reports a case that was measured after one base, and measures the next.
async fn against_base(
    bench: &mut Bench,
    name: &str,
    rate: f64,
    memory: f64,
    before: &mut f64,
) -> Result<(), Failure> {
    let figure = format!("growth: {name}");
    bench.report.figure(&figure, rate, "/s");
    let after = base(bench).await?;
    let ratio = rate / f64::midpoint(*before, after);
    *before = after;
    let report = &mut bench.report;
    report.target(&format!("{name} against base"), ratio, "×", AtLeast(0.9));
    report.target(
        &format!("memory of the service, {name}"),
        memory,
        "MB",
        AtMost(150.0),
    );
    Ok(())
}

/// Two servers with half of the connections each, between two turns of one with all of them on the same database.
async fn two_processes(bench: &mut Bench) -> Result<(), Failure> {
    let database = bench.cluster.database(0).await?;
    let before = one_process(bench, &database).await?;
    let servers = [Server::start(&database)?, Server::start(&database)?];
    load_both(bench, &servers, 2)?;
    let both = load_both(bench, &servers, bench.seconds)?;
    drop(servers);
    let after = one_process(bench, &database).await?;
    let report = &mut bench.report;
    report.figure("growth: one process", before, "/s");
    report.figure("growth: two processes together", both, "/s");
    report.figure("growth: one process, again", after, "/s");
    report.target(
        "two processes together against one",
        both / f64::midpoint(before, after),
        "×",
        AtLeast(0.8),
    );
    Ok(())
}

async fn one_process(bench: &Bench, database: &Database) -> Result<f64, Failure> {
    let server = Server::start(database)?;
    let spread = |run| Requests::new(run, Aim::Spread);
    Ok(bench
        .load(database, &server, spread, CONNECTIONS)
        .await?
        .per_second())
}

fn load_both(bench: &Bench, servers: &[Server; 2], seconds: u64) -> Result<f64, Failure> {
    let rates = thread::scope(|scope| {
        let loads: Vec<_> = servers
            .iter()
            .map(|server| {
                let folder = bench
                    .cluster
                    .folder()
                    .join(server.address.replace(':', "-"));
                scope.spawn(move || {
                    std::fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
                    let requests = Requests::new(next_run(), Aim::Spread);
                    closed(&folder, &server.url(), &requests, CONNECTIONS / 2, seconds)
                })
            })
            .collect();
        loads
            .into_iter()
            .map(|load| load.join().expect("a load does not panic"))
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(rates.iter().map(|closed| closed.per_second()).sum())
}
