//! Bookings a second over 1,000 services × 10 calendars, beside two peers that do the same work in the same database.

use crate::failure::Failure;
use crate::report::Target::{AtLeast, AtMost};
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::wrk::Closed;
use crate::{Bench, pgbench};

const CONNECTIONS: [u32; 4] = [1, 16, 64, 256];

/// pgbench's clients: one of these is its best on two cores.
const CLIENTS: [u32; 4] = [1, 16, 32, 64];

/// The service before its peers and after them, and what counts is the mean: machines drift within a run.
pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench
        .report
        .section("Throughput: spread over 10,000 calendars");
    let before = ours(bench, "").await?;
    let (calls, web_best) = peers(bench).await?;
    let after = ours(bench, ", again").await?;

    let calls_best = calls
        .iter()
        .map(|calls| calls.per_second)
        .fold(0.0, f64::max);
    let mean = |which: usize, figure: fn(&Closed) -> f64| {
        f64::midpoint(figure(&before[which]), figure(&after[which]))
    };
    // Connections and pgbench's clients both begin with 1 and 16.
    let (one, sixteen, most) = (0, 1, CONNECTIONS.len() - 1);
    let best = mean(most, Closed::per_second);
    let report = &mut bench.report;
    report.target(
        "256 connections against PL/pgSQL's best",
        best / calls_best,
        "×",
        AtLeast(2.0),
    );
    report.target(
        "256 connections against a transaction a request",
        best / web_best,
        "×",
        AtLeast(4.0),
    );
    report.target(
        "16 connections against PL/pgSQL with 16 clients",
        mean(sixteen, Closed::per_second) / calls[sixteen].per_second,
        "×",
        AtLeast(1.0),
    );
    report.target(
        "p50 at 1 connection against one pgbench client's call",
        mean(one, Closed::p50_ms) / calls[one].p50_ms,
        "×",
        AtMost(2.0),
    );
    Ok(())
}

/// The service, with each number of connections.
async fn ours(bench: &mut Bench, turn: &str) -> Result<Vec<Closed>, Failure> {
    let database = bench.cluster.database(0).await?;
    let server = Server::start(&database)?;
    let mut ours = Vec::new();
    for connections in CONNECTIONS {
        let spread = |run| Requests::new(run, Aim::Spread);
        let measured = bench.load(&database, &server, spread, connections).await?;
        let name = format!("bookwarden, {connections} connections{turn}");
        let report = &mut bench.report;
        report.figure(&name, measured.per_second(), "/s");
        report.figure(&format!("{name}, p50"), measured.p50_ms(), "ms");
        report.figure(&format!("{name}, p99"), measured.p99_ms(), "ms");
        ours.push(measured);
    }
    Ok(ours)
}

/// The peers: what each number of pgbench's clients does, and the best of the web handler.
async fn peers(bench: &mut Bench) -> Result<(Vec<pgbench::Calls>, f64), Failure> {
    let database = bench.cluster.database(0).await?;
    pgbench::install(&database).await?;
    let mut calls = Vec::new();
    for clients in CLIENTS {
        pgbench::call(bench.cluster.folder(), &database, clients.min(16), 2)?;
        let measured = pgbench::call(bench.cluster.folder(), &database, clients, bench.seconds)?;
        let name = format!("PL/pgSQL called by pgbench, {clients} clients");
        bench.report.figure(&name, measured.per_second, "/s");
        if clients == 1 {
            bench
                .report
                .figure(&format!("{name}, p50"), measured.p50_ms, "ms");
        }
        calls.push(measured);
    }

    let database = bench.cluster.database(0).await?;
    pgbench::install(&database).await?;
    let peer = Server::start_peer(&database)?;
    let mut web_best = 0.0;
    for connections in [16, 256] {
        let spread = |run| Requests::new(run, Aim::Spread);
        let measured = bench.load(&database, &peer, spread, connections).await?;
        let name = format!("a transaction a request, {connections} connections");
        bench.report.figure(&name, measured.per_second(), "/s");
        web_best = f64::max(web_best, measured.per_second());
    }
    Ok((calls, web_best))
}
