//! The same load when things have grown, each beside a base of its own: machines drift within a run.

use std::thread;

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
    let base = base(bench, 0).await?;
    bench.report.figure("growth: base", base, "/s");
    grown(
        bench,
        "1,000,000 blocked customers",
        include_str!("../policies/grow_customer_blocklist.sql"),
        base,
    )
    .await?;
    grown(
        bench,
        "100,000 caps over 10,000 services",
        include_str!("../policies/grow_capacity_caps.sql"),
        base,
    )
    .await?;
    if bench.large {
        grown(
            bench,
            "10,000,000 events",
            include_str!("../policies/grow_events.sql"),
            base,
        )
        .await?;
    }
    ten_orgs(bench, base).await?;
    two_processes(bench).await
}

async fn base(bench: &mut Bench, orgs: u64) -> Result<f64, Failure> {
    let database = bench.cluster.database(orgs).await?;
    let server = Server::start(&database)?;
    let spread = |run| Requests::new(run, Aim::Spread);
    Ok(bench
        .load(&database, &server, spread, CONNECTIONS)
        .await?
        .per_second())
}

async fn grown(bench: &mut Bench, name: &str, grow: &str, base: f64) -> Result<(), Failure> {
    let database = bench.cluster.database(0).await?;
    database.execute(grow).await?;
    database.settle().await?;
    let server = Server::start(&database)?;
    let spread = |run| Requests::new(run, Aim::Spread);
    let rate = bench
        .load(&database, &server, spread, CONNECTIONS)
        .await?
        .per_second();
    let report = &mut bench.report;
    report.figure(&format!("growth: {name}"), rate, "/s");
    report.target(
        &format!("{name} against base"),
        rate / base,
        "×",
        AtLeast(0.9),
    );
    let memory = server.peak_memory_mb();
    report.target(
        &format!("memory of the service, {name}"),
        memory,
        "MB",
        AtMost(150.0),
    );
    Ok(())
}

async fn ten_orgs(bench: &mut Bench, base: f64) -> Result<(), Failure> {
    let database = bench.cluster.database(10).await?;
    let server = Server::start(&database)?;
    let spread = |run| Requests::new(run, Aim::Spread).over_orgs(10);
    let rate = bench
        .load(&database, &server, spread, CONNECTIONS)
        .await?
        .per_second();
    let report = &mut bench.report;
    report.figure("growth: ten organizations", rate, "/s");
    report.target(
        "ten organizations against base",
        rate / base,
        "×",
        AtLeast(0.9),
    );
    report.target(
        "memory of the service, ten organizations",
        server.peak_memory_mb(),
        "MB",
        AtMost(150.0),
    );
    Ok(())
}

/// Two servers with half of the connections each, against one with all of them.
async fn two_processes(bench: &mut Bench) -> Result<(), Failure> {
    let database = bench.cluster.database(0).await?;
    let servers = [Server::start(&database)?, Server::start(&database)?];
    load_both(bench, &servers, 2)?;
    let both = load_both(bench, &servers, bench.seconds)?;
    drop(servers);
    let one = one_process(bench, &database).await?;
    let report = &mut bench.report;
    report.figure("growth: two processes together", both, "/s");
    report.figure("growth: one process on the same database", one, "/s");
    report.target(
        "two processes together against one",
        both / one,
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
