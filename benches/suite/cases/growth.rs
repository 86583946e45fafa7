//! The same load when things have grown, in turns with a database in which nothing has: machines drift within a run, and one turn of
//! eight seconds differs from the next by a fifth.

use std::thread;
use std::time::Duration;

use bookwarden::ledger::counts::NUMBERS;
use tokio::time::sleep;

use crate::cluster::Database;
use crate::failure::Failure;
use crate::quiet::{Turn, against};
use crate::report::Target::{AtLeast, AtMost};
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::wrk::{Closed, closed};
use crate::{Bench, next_run};

/// As many callers as the headline has.
const MOST_CONNECTIONS: u32 = 256;

/// As many, and few: of 64 each of ten organizations has six.
const CONNECTIONS: [u32; 2] = [MOST_CONNECTIONS, 64];

/// How often each is measured, each time with another that begins.
const TURNS: usize = 5;

/// So long each is loaded before it is measured beside 10,000,000 events, whose bookings have by then met nearly all pages of the two
/// indexes with random keys (some 250 MB each, two pages a booking).
const SECONDS_AFTER_A_CHECKPOINT: u64 = 20;

/// So long new servers are loaded before they are measured: each counts a calendar's day once, at the first booking there, and is to be measured
/// as one that has run for a while. Two of them have twice as much to count, with half of the bookings each.
const SECONDS_AFTER_A_START: u64 = 8;

const GROWN: [(&str, &str); 2] = [
    (
        "1,000,000 blocked customers",
        include_str!("../policies/grow_customer_blocklist.sql"),
    ),
    (
        "100,000 caps over 10,000 services",
        include_str!("../policies/grow_capacity_caps.sql"),
    ),
];

const LARGE: (&str, &str) = (
    "10,000,000 events",
    include_str!("../policies/grow_events.sql"),
);

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    let section = format!("Growth: means of {TURNS} turns");
    bench.report.section(&section);
    let mut cases = vec![Case::base("base", bench).await?];
    for (name, rows) in GROWN {
        cases.push(Case::grown(name, rows, bench).await?);
    }
    let database = bench.cluster.another_database(10).await?;
    cases.push(Case::start("ten organizations", database, 10).await?);
    compare(bench, cases).await?;
    if bench.large {
        beside_millions_of_events(bench).await?;
    }
    two_processes(bench).await
}

/// The others' databases are dropped before: all of them, and the log of their turns, would leave too little memory for one of 20 GB, whose
/// pages would be read from the disk then.
async fn beside_millions_of_events(bench: &mut Bench) -> Result<(), Failure> {
    let base = Case::base("base of 10,000,000 events", bench).await?;
    let (name, rows) = LARGE;
    let cases = vec![base, Case::grown(name, rows, bench).await?];
    for case in &cases {
        case.leave_checkpoint_behind(bench)?;
    }
    compare(bench, cases).await
}

/// Measures all in turns, and compares each with the first.
async fn compare(bench: &mut Bench, mut cases: Vec<Case>) -> Result<(), Failure> {
    for turn in 0..TURNS {
        // Each turn begins with another: what one has written is flushed to disk while a later one runs.
        let begins = turn % cases.len();
        let (last, first) = cases.split_at_mut(begins);
        for case in first.iter_mut().chain(last) {
            case.measure(bench).await?;
        }
    }
    let base = cases.remove(0).report(bench);
    for case in cases {
        let name = case.name;
        let rates = case.report(bench);
        for ((connections, rates), base) in CONNECTIONS.iter().zip(&rates).zip(&base) {
            let against_base = format!("{name} against base, {connections} connections");
            let ratio = against(rates, base);
            (bench.report).ratio(&against_base, ratio, AtLeast(0.9));
        }
    }
    Ok(())
}

/// What has grown, or not, and a server for it.
struct Case {
    name: &'static str,
    database: Database,
    server: Server,
    orgs: u64,
    rates: Rates,
}

/// Of all turns, with each number of connections.
type Rates = [Vec<Turn<f64>>; CONNECTIONS.len()];

impl Case {
    /// In which nothing has grown, in place of all databases that there are.
    async fn base(name: &'static str, bench: &mut Bench) -> Result<Self, Failure> {
        let database = bench.cluster.database(0).await?;
        Self::start(name, database, 0).await
    }

    /// Beside them, one in which these rows have been added.
    async fn grown(
        name: &'static str,
        rows: &'static str,
        bench: &mut Bench,
    ) -> Result<Self, Failure> {
        let database = bench.cluster.another_database(0).await?;
        database.execute(rows).await?;
        Self::start(name, database, 0).await
    }

    async fn start(name: &'static str, database: Database, orgs: u64) -> Result<Self, Failure> {
        database.settle().await?;
        let server = Server::start(&database)?;
        wait_until_counted(&database).await?;
        Ok(Self {
            name,
            database,
            server,
            orgs,
            rates: Rates::default(),
        })
    }

    /// A page is read into Postgres' buffers once, and logged whole when it is first changed after a checkpoint. With checkpoints half an hour
    /// apart that is a part of the first minute, and not what is to be measured.
    fn leave_checkpoint_behind(&self, bench: &Bench) -> Result<(), Failure> {
        load_before(bench, &self.server, self.orgs, SECONDS_AFTER_A_CHECKPOINT)
    }

    /// One turn.
    async fn measure(&mut self, bench: &Bench) -> Result<(), Failure> {
        let spread = |run| Requests::new(run, Aim::Spread).over_orgs(self.orgs);
        let (database, server) = (&self.database, &self.server);
        let seconds = bench.seconds_of_a_turn();
        for (connections, rates) in CONNECTIONS.into_iter().zip(&mut self.rates) {
            let load = bench.load_for(database, server, spread, connections, seconds);
            rates.push(load.await?.figure(Closed::per_second));
        }
        Ok(())
    }

    /// Answers the rates of all turns.
    fn report(self, bench: &mut Bench) -> Rates {
        let Self {
            name,
            server,
            rates,
            ..
        } = self;
        let memory = server.peak_memory_mb();
        let report = &mut bench.report;
        for (connections, rates) in CONNECTIONS.iter().zip(&rates) {
            let rates_of = format!("growth: {name}, {connections} connections");
            report.turns(&rates_of, rates, "/s");
        }
        let memory_of = format!("memory of the service, {name}");
        report.target(&memory_of, memory, "MB", AtMost(150.0));
        rates
    }
}

/// A load of which nothing is measured.
fn load_before(bench: &Bench, server: &Server, orgs: u64, seconds: u64) -> Result<(), Failure> {
    let requests = Requests::new(next_run(), Aim::Spread).over_orgs(orgs);
    let (folder, url) = (bench.cluster.folder(), server.url());
    closed(folder, &url, &requests, MOST_CONNECTIONS, seconds)?;
    Ok(())
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

/// Two servers with half of the connections each, in turns with one with all of them, on the same database.
async fn two_processes(bench: &mut Bench) -> Result<(), Failure> {
    let database = bench.cluster.database(0).await?;
    let (mut one, mut two) = (Rates::default(), Rates::default());
    let seconds = bench.seconds_of_a_turn();
    for turn in 0..TURNS {
        for is_alone in [turn % 2 == 0, turn % 2 == 1] {
            if is_alone {
                let server = Server::start(&database)?;
                let spread = |run| Requests::new(run, Aim::Spread);
                load_before(bench, &server, 0, SECONDS_AFTER_A_START)?;
                for (connections, rates) in CONNECTIONS.into_iter().zip(&mut one) {
                    let load = bench.load_for(&database, &server, spread, connections, seconds);
                    rates.push(load.await?.figure(Closed::per_second));
                }
            } else {
                // A server alone for long would not know that it is not, so both are new.
                let servers = [Server::start(&database)?, Server::start(&database)?];
                load_both(bench, &servers, MOST_CONNECTIONS, SECONDS_AFTER_A_START)?;
                for (connections, rates) in CONNECTIONS.into_iter().zip(&mut two) {
                    let measure = async || load_both(bench, &servers, connections, seconds);
                    rates.push(bench.quiet.measure(measure).await?);
                }
            }
        }
    }
    let report = &mut bench.report;
    for ((connections, one), two) in CONNECTIONS.iter().zip(&one).zip(&two) {
        let of = |what| format!("{what}, {connections} connections");
        report.turns(&of("growth: one process"), one, "/s");
        report.turns(&of("growth: two processes together"), two, "/s");
        let ratio = against(two, one);
        let against_one = of("two processes together against one");
        report.ratio(&against_one, ratio, AtLeast(0.8));
    }
    Ok(())
}

/// Each with half of the connections.
fn load_both(
    bench: &Bench,
    servers: &[Server; 2],
    connections: u32,
    seconds: u64,
) -> Result<f64, Failure> {
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
                    closed(&folder, &server.url(), &requests, connections / 2, seconds)
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
