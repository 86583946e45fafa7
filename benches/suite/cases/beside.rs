//! What bookings lose while the ledger is replayed, verified, or read in one long snapshot.

use std::process::{Child, Command, Stdio};

use sqlx::Connection as _;

use crate::cluster::{BOOKWARDEN, Database};
use crate::failure::Failure;
use crate::mixed;
use crate::open_loop::open;
use crate::report::Target::AtLeast;
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::wrk::closed;
use crate::{Bench, next_run};

const ROUNDS: usize = 3;
const CONNECTIONS: u32 = 64;
const EVENTS: i64 = 200_000;

#[derive(Debug, Clone, Copy)]
enum Beside {
    Nothing,
    Replay,
    Verify,
    Snapshot,
}

const ALL: [(Beside, &str); 4] = [
    (Beside::Nothing, "nothing"),
    (Beside::Replay, "replay"),
    (Beside::Verify, "verify"),
    (Beside::Snapshot, "an open snapshot"),
];

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench
        .report
        .section("Bookings beside a replay, in turn: 64 connections; then 1,000 a second");
    let database = bench.cluster.database(1).await?;
    let servers = [Server::start(&database)?, Server::start(&database)?];
    mixed::until(&database, &servers, EVENTS).await?;
    let [server, _] = servers;
    let mut rates = [[0.0; ALL.len()]; ROUNDS];
    for (round, rates) in rates.iter_mut().enumerate() {
        for (index, (beside, name)) in ALL.into_iter().enumerate() {
            let running = Running::start(&database, beside).await?;
            // Some of them are refused by now, and so not counted in the reservations.
            let closed = closed(
                bench.cluster.folder(),
                &server.url(),
                &Requests::new(next_run(), Aim::Spread),
                CONNECTIONS,
                bench.seconds,
            )?;
            let latencies = open(
                &server.address,
                &Requests::new(next_run(), Aim::Spread),
                1_000,
                bench.seconds,
            )?;
            running.stop().await?;
            rates[index] = closed.per_second();
            let report = &mut bench.report;
            let named = |what| format!("{name} beside, round {}: {what}", round + 1);
            report.figure(&named("bookings"), closed.per_second(), "/s");
            report.figure(
                &named("p99 at 1,000 a second"),
                latencies.quantile_ms(0.99),
                "ms",
            );
        }
    }
    let mean = |index: usize| rates.iter().map(|rates| rates[index]).sum::<f64>() / ROUNDS as f64;
    for (index, (_, name)) in ALL.into_iter().enumerate().skip(1) {
        bench.report.target(
            &format!("{name} beside, against nothing"),
            mean(index) / mean(0),
            "×",
            AtLeast(0.9),
        );
    }
    Ok(())
}

/// What goes on beside the bookings; again and again until it is stopped.
enum Running {
    Nothing,
    Program(Child),
    Snapshot(sqlx::PgConnection),
}

impl Running {
    async fn start(database: &Database, beside: Beside) -> Result<Self, Failure> {
        let subcommand = match beside {
            Beside::Nothing => return Ok(Self::Nothing),
            Beside::Replay => "replay",
            Beside::Verify => "verify",
            Beside::Snapshot => {
                let mut connection = database.connect().await?;
                sqlx::raw_sql(
                    "begin isolation level repeatable read read only; select from ledger.heads",
                )
                .execute(&mut connection)
                .await?;
                return Ok(Self::Snapshot(connection));
            }
        };
        // Its own process group, so that the shell and what it runs end together.
        let child = Command::new("timeout")
            .args(["1h", "sh", "-c"])
            .arg(format!(
                "while '{BOOKWARDEN}' {subcommand} --json; do :; done"
            ))
            .env("DATABASE_URL", &database.url)
            .stdout(Stdio::null())
            .spawn()
            .map_err(Failure::run("sh"))?;
        Ok(Self::Program(child))
    }

    async fn stop(self) -> Result<(), Failure> {
        match self {
            Self::Nothing => Ok(()),
            Self::Snapshot(connection) => Ok(connection.close().await?),
            Self::Program(mut child) => {
                // `timeout` hands the signal on to its whole group.
                if let Some(pid) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
                }
                child.wait()?;
                Ok(())
            }
        }
    }
}
