//! Bookings a second over 1,000 services × 10 calendars, beside two peers that do the same work in the same database.

use crate::failure::Failure;
use crate::report::Target::{AtLeast, AtMost};
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::{Bench, pgbench};

const CONNECTIONS: [u32; 4] = [1, 16, 64, 256];

/// pgbench's clients: one of these is its best on two cores.
const CLIENTS: [u32; 4] = [1, 16, 32, 64];

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench
        .report
        .section("Throughput: spread over 10,000 calendars");
    let spread = |run| Requests::new(run, Aim::Spread);

    let database = bench.cluster.database(0).await?;
    let server = Server::start(&database)?;
    let mut ours = Vec::new();
    for connections in CONNECTIONS {
        let measured = bench.load(&database, &server, spread, connections).await?;
        let name = format!("bookwarden, {connections} connections");
        bench.report.figure(&name, measured.per_second(), "/s");
        bench
            .report
            .figure(&format!("{name}, p50"), measured.p50_ms(), "ms");
        bench
            .report
            .figure(&format!("{name}, p99"), measured.p99_ms(), "ms");
        ours.push(measured);
    }
    drop(server);

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
        let measured = bench.load(&database, &peer, spread, connections).await?;
        let name = format!("a transaction a request, {connections} connections");
        bench.report.figure(&name, measured.per_second(), "/s");
        web_best = f64::max(web_best, measured.per_second());
    }
    drop(peer);

    let calls_best = calls
        .iter()
        .map(|calls| calls.per_second)
        .fold(0.0, f64::max);
    if let ([one, sixteen, _, most], [one_call, sixteen_calls, ..]) = (&ours[..], &calls[..]) {
        let report = &mut bench.report;
        let best = most.per_second();
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
        let ratio = sixteen.per_second() / sixteen_calls.per_second;
        report.target(
            "16 connections against PL/pgSQL with 16 clients",
            ratio,
            "×",
            AtLeast(1.0),
        );
        let ratio = one.p50_ms() / one_call.p50_ms;
        report.target(
            "p50 at 1 connection against one pgbench client's call",
            ratio,
            "×",
            AtMost(2.0),
        );
    }
    Ok(())
}
