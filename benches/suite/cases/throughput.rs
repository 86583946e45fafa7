//! Bookings a second over 1,000 services × 10 calendars, in turns with two peers that do the same work in the same cluster.

use crate::Bench;
use crate::cluster::Database;
use crate::failure::Failure;
use crate::pgbench::{self, Calls};
use crate::quiet::{Ratio, Turn, against};
use crate::report::Target::{AtLeast, AtMost};
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::wrk::Closed;

const CONNECTIONS: [u32; 4] = [1, 16, 64, 256];

/// pgbench's clients: one of these is its best on two cores.
const CLIENTS: [u32; 4] = [1, 16, 32, 64];

/// The web handler's connections: one of these is its best.
const WEB_CONNECTIONS: [u32; 2] = [16, 256];

/// How often each is measured: machines drift within a run.
const TURNS: usize = 3;

/// What each turn measured, by the number of connections or clients.
#[derive(Default)]
struct Measured {
    ours: [Vec<Turn<Closed>>; CONNECTIONS.len()],
    calls: [Vec<Turn<Calls>>; CLIENTS.len()],
    web: [Vec<Turn<Closed>>; WEB_CONNECTIONS.len()],
}

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    let section = format!("Throughput: spread over 10,000 calendars, means of {TURNS} turns");
    bench.report.section(&section);
    let measured = measure(bench).await?;

    let report = &mut bench.report;
    let rates = (measured.ours.each_ref()).map(|turns| each(turns, Closed::per_second));
    let p50s = (measured.ours.each_ref()).map(|turns| each(turns, Closed::p50_ms));
    for (n, connections) in CONNECTIONS.iter().enumerate() {
        let name = format!("bookwarden, {connections} connections");
        let p99s = each(&measured.ours[n], Closed::p99_ms);
        report.turns(&name, &rates[n], "/s");
        report.turns(&format!("{name}, p50"), &p50s[n], "ms");
        report.turns(&format!("{name}, p99"), &p99s, "ms");
    }
    let calls = (measured.calls.each_ref()).map(|turns| each(turns, |calls| calls.per_second));
    for (clients, calls) in CLIENTS.iter().zip(&calls) {
        let name = format!("PL/pgSQL called by pgbench, {clients} clients");
        report.turns(&name, calls, "/s");
    }
    let call_p50s = each(&measured.calls[0], |calls| calls.p50_ms);
    let name = "PL/pgSQL called by pgbench, 1 clients, p50";
    report.turns(name, &call_p50s, "ms");
    let web = (measured.web.each_ref()).map(|turns| each(turns, Closed::per_second));
    for (connections, web) in WEB_CONNECTIONS.iter().zip(&web) {
        let name = format!("a transaction a request, {connections} connections");
        report.turns(&name, web, "/s");
    }

    // Connections and pgbench's clients both begin with 1 and 16; the handler's connections, too, end with 256.
    let (one, sixteen, most) = (0, 1, CONNECTIONS.len() - 1);
    report.ratio(
        "256 connections against PL/pgSQL's best",
        against_best(&rates[most], &calls),
        AtLeast(2.0),
    );
    report.ratio(
        "256 connections against a transaction a request with 256",
        against(&rates[most], &web[WEB_CONNECTIONS.len() - 1]),
        AtLeast(4.0),
    );
    report.ratio(
        "256 connections against a transaction a request at its best",
        against_best(&rates[most], &web),
        AtLeast(4.0),
    );
    report.ratio(
        "16 connections against PL/pgSQL with 16 clients",
        against(&rates[sixteen], &calls[sixteen]),
        AtLeast(1.0),
    );
    report.ratio(
        "p50 at 1 connection against one pgbench client's call",
        against(&p50s[one], &call_p50s),
        AtMost(2.0),
    );
    Ok(())
}

async fn measure(bench: &mut Bench) -> Result<Measured, Failure> {
    let database = bench.cluster.database(0).await?;
    let server = Server::start(&database)?;
    let of_calls = bench.cluster.another_database(0).await?;
    pgbench::install(&of_calls).await?;
    let of_peer = bench.cluster.another_database(0).await?;
    pgbench::install(&of_peer).await?;
    let peer = Server::start_peer(&of_peer)?;

    let mut measured = Measured::default();
    for turn in 0..TURNS {
        // Each turn begins with another: what one has written is flushed to disk while a later one runs.
        for place in 0..3 {
            match (turn + place) % 3 {
                0 => load(bench, &database, &server, CONNECTIONS, &mut measured.ours).await?,
                1 => call(bench, &of_calls, &mut measured.calls).await?,
                _ => load(bench, &of_peer, &peer, WEB_CONNECTIONS, &mut measured.web).await?,
            }
        }
    }
    Ok(measured)
}

/// One turn of a server.
async fn load<const N: usize>(
    bench: &Bench,
    database: &Database,
    server: &Server,
    connections: [u32; N],
    measured: &mut [Vec<Turn<Closed>>; N],
) -> Result<(), Failure> {
    let spread = |run| Requests::new(run, Aim::Spread);
    let seconds = bench.seconds_of_a_turn();
    for (connections, measured) in connections.into_iter().zip(measured) {
        let turn = bench.load_for(database, server, spread, connections, seconds);
        measured.push(turn.await?);
    }
    Ok(())
}

/// One turn of the function in the database.
async fn call(
    bench: &Bench,
    database: &Database,
    measured: &mut [Vec<Turn<Calls>>; CLIENTS.len()],
) -> Result<(), Failure> {
    let folder = bench.cluster.folder();
    let seconds = bench.seconds_of_a_turn();
    for (clients, measured) in CLIENTS.into_iter().zip(measured) {
        pgbench::call(folder, database, clients.min(16), 2)?;
        let measure = async || pgbench::call(folder, database, clients, seconds);
        measured.push(bench.quiet.measure(measure).await?);
    }
    Ok(())
}

/// Against whichever of a peer's rates it compares worst with.
fn against_best(rates: &[Turn<f64>], peers: &[Vec<Turn<f64>>]) -> Ratio {
    let ratios = peers.iter().map(|peer| against(rates, peer));
    let worst = ratios.min_by(|one, other| one.value.total_cmp(&other.value));
    worst.expect("a peer has rates")
}

/// One figure of each turn.
fn each<T>(turns: &[Turn<T>], figure: impl Fn(&T) -> f64) -> Vec<Turn<f64>> {
    turns.iter().map(|turn| turn.figure(&figure)).collect()
}
