//! `script/bench`: the service beside its peers, on one private Postgres with durable settings. `docs/performance.md` reads the
//! figures.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark measures time and reads its environment"
)]
#![allow(unreachable_pub, missing_docs, reason = "a program, not a library")]

mod cases;
mod cluster;
mod failure;
mod memory;
mod mixed;
mod open_loop;
mod peers {
    pub mod web;
}
mod pgbench;
mod quiet;
mod report;
mod requests;
mod server;
mod usage;
mod wrk;

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Parser, ValueEnum};

use cluster::Cluster;
use failure::Failure;
use quiet::Quiet;
use report::Report;

#[derive(Parser)]
#[command(name = "script/bench", about = "Measures the service beside its peers")]
struct Arguments {
    /// Only these cases; unless named all but `replay` and `beside`
    cases: Vec<Case>,
    /// Write the figures to this file, too
    #[arg(long)]
    json: Option<PathBuf>,
    /// Seconds of each measurement; of those in turns, half of it
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// With the cases of 10,000,000 events (some twenty minutes, 40 GB of disk) and of 1,000,000 mixed events to replay
    #[arg(long)]
    large: bool,
    /// Where the cluster and the requests are put (a folder of its own in there, removed after); unless set, where temporary
    /// files go
    #[arg(long)]
    folder: Option<PathBuf>,
    #[arg(long, hide = true)]
    serve_peer: bool,
    #[arg(long, hide = true)]
    measure_core: bool,
    /// cargo says this to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    Throughput,
    HotSpot,
    Latency,
    Growth,
    Cost,
    Core,
    Replay,
    Beside,
}

impl Case {
    /// Whether it belongs to a run of which nothing was said. The others take as long as all of these.
    fn is_for_everybody(self) -> bool {
        !matches!(self, Self::Beside | Self::Replay)
    }
}

/// What the cases work with.
struct Bench {
    cluster: Cluster,
    report: Report,
    quiet: Quiet,
    seconds: u64,
    large: bool,
}

/// Every run's bookings are cases of their own.
fn next_run() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    RUNS.fetch_add(1, Ordering::Relaxed)
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.serve_peer {
        peers::web::serve().await
    } else if arguments.measure_core {
        cases::core::measure();
        Ok(())
    } else {
        measure(arguments).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            if let Some(source) = failure.source() {
                eprintln!("bench: {source}");
            }
            ExitCode::FAILURE
        }
    }
}

/// A run that fills the disk breaks off after minutes, and its figures with it.
fn warn_of_a_small_disk(folder: &Path, large: bool) -> Result<(), Failure> {
    let needed = if large { 40 } else { 20 };
    let disk = rustix::fs::statvfs(folder).map_err(|error| Failure::file(folder)(error.into()))?;
    let free = disk.f_bavail * disk.f_frsize / 1_000_000_000;
    if free < needed {
        eprintln!(
            "bench: {} has {free} GB free, and this may take {needed}: --folder names another place",
            folder.display()
        );
    }
    Ok(())
}

async fn measure(arguments: Arguments) -> Result<(), Failure> {
    let parent = arguments.folder.unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new()
        .prefix("bookwarden-bench-")
        .tempdir_in(&parent)
        .map_err(Failure::file(&parent))?;
    let machine = usage::machine();
    println!("{machine}");
    warn_of_a_small_disk(&parent, arguments.large)?;
    let mut bench = Bench {
        cluster: Cluster::start(folder.path()).await?,
        report: Report::default(),
        quiet: Quiet::default(),
        seconds: arguments.seconds,
        large: arguments.large,
    };
    bench.cluster.warm_up().await?;
    let cases = if arguments.cases.is_empty() {
        Case::value_variants()
            .iter()
            .filter(|case| case.is_for_everybody())
            .copied()
            .collect()
    } else {
        arguments.cases
    };
    for case in &cases {
        match case {
            Case::Throughput => cases::throughput::run(&mut bench).await?,
            Case::HotSpot => cases::hot_spot::run(&mut bench).await?,
            Case::Latency => cases::latency::run(&mut bench).await?,
            Case::Growth => cases::growth::run(&mut bench).await?,
            Case::Cost => cases::cost::run(&mut bench).await?,
            Case::Core => cases::core::run(&mut bench)?,
            Case::Beside => cases::beside::run(&mut bench).await?,
            Case::Replay => cases::replay::run(&mut bench).await?,
        }
    }
    (bench.report).finish(&machine, &bench.quiet, arguments.json.as_deref())
}
