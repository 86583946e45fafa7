//! Replay, verify and export of a ledger of everything that there is, written through two servers under load.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Bench;
use crate::cluster::{BOOKWARDEN, Database};
use crate::failure::Failure;
use crate::mixed;
use crate::report::Target::{AtLeast, AtMost};
use crate::server::Server;
use crate::usage;

const EVENTS: i64 = 100_000;
const EVENTS_IF_LARGE: i64 = 1_000_000;

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    let wanted = if bench.large { EVENTS_IF_LARGE } else { EVENTS };
    bench
        .report
        .section("Replay: two organizations, two servers, all kinds of policy, changes in between");
    let database = bench.cluster.database(1).await?;
    database
        .execute(include_str!("../policies/mixed.sql"))
        .await?;
    let servers = [Server::start(&database)?, Server::start(&database)?];
    mixed::until(&database, &servers, wanted / 2).await?;
    replay(bench, &database, "replay of half", &["replay"]).await?;
    let answers = mixed::until(&database, &servers, wanted).await?;
    drop(servers);
    println!("  {answers:?}");
    print_events(&database).await?;
    database.settle().await?;
    let met = database
        .number("select 100 * (select sum(cardinality(seqs)) from ledger.policy_hits)::bigint / (select count(*) from ledger.events where type = 'booking.decided')")
        .await?;
    bench.report.figure(
        "policies in an explanation, on average",
        met as f64 / 100.0,
        "",
    );

    let folder = bench.cluster.folder().to_owned();
    let whole = replay(bench, &database, "replay", &["replay"]).await?;
    bench.report.target(
        "decisions a second, on one core",
        whole.decisions / whole.seconds,
        "/s",
        AtLeast(50_000.0),
    );
    (bench.report).target("mismatches", whole.mismatches, "", AtMost(0.0));
    replay(bench, &database, "verify", &["verify"]).await?;

    let file = folder.join("ledger.ndjson");
    replay_file(bench, &database, &file).await?;
    std::fs::remove_file(&file).map_err(Failure::file(&file))?;
    let snapshot = folder.join("snapshot.ndjson");
    from_the_middle(bench, &database, &snapshot, whole.last_of_default / 2).await
}

async fn print_events(database: &Database) -> Result<(), Failure> {
    let mut connection = database.connect().await?;
    let counts: Vec<(String, String, i64)> = sqlx::query_as(
        "select org, type || coalesce(' ' || outcome, '') || case when attachment_id is null then '' else ' (piece)' end, count(*)
         from ledger.events group by 1, 2 order by 1, 2",
    )
    .fetch_all(&mut connection)
    .await?;
    for (org, what, count) in counts {
        println!("  {:<58} {count:>10}", format!("{org} {what}"));
    }
    Ok(())
}

struct Outcome {
    events: f64,
    decisions: f64,
    mismatches: f64,
    seconds: f64,
    cpu_seconds: f64,
    memory_mb: f64,
    last_of_default: i64,
}

/// Runs a subcommand on one core, whose answer must hold, and reports what it took.
async fn replay(
    bench: &mut Bench,
    database: &Database,
    name: &str,
    arguments: &[&str],
) -> Result<Outcome, Failure> {
    let measure = async || on_one_core(database, arguments);
    let outcome = bench.quiet.measure(measure).await?.measured;
    let report = &mut bench.report;
    report.figure(&format!("{name}: events"), outcome.events, "");
    report.figure(&format!("{name}: decisions"), outcome.decisions, "");
    report.figure(&format!("{name}: time"), outcome.seconds, "s");
    let cpu = format!("{name}: CPU of the process");
    report.figure(&cpu, outcome.cpu_seconds, "s");
    report.figure(&format!("{name}: most memory"), outcome.memory_mb, "MB");
    Ok(outcome)
}

fn on_one_core(database: &Database, arguments: &[&str]) -> Result<Outcome, Failure> {
    let cores = format!("0x{:x}", 1_u64 << usage::last_core());
    let begun = Instant::now();
    let mut child = Command::new("taskset")
        .arg(cores)
        .arg(BOOKWARDEN)
        .args(arguments)
        .arg("--json")
        .env("DATABASE_URL", &database.url)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Failure::run("taskset"))?;
    let (mut cpu, mut memory) = (0.0_f64, 0.0_f64);
    while child.try_wait()?.is_none() {
        cpu = cpu.max(usage::cpu_seconds(child.id()));
        memory = memory.max(usage::peak_memory_mb(child.id()));
        thread::sleep(Duration::from_millis(10));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer: Option<Value> = serde_json::from_str(&text).ok();
    let program = format!("bookwarden {}", arguments.join(" "));
    let Some(answer) = answer.filter(|_| output.status.success()) else {
        return Err(Failure::Program {
            program,
            output: text,
        });
    };
    let summary = answer.get("ledger").unwrap_or(&answer);
    let number = |key: &str| summary[key].as_f64().unwrap_or(f64::NAN);
    Ok(Outcome {
        events: number("events"),
        decisions: number("decisions"),
        mismatches: number("mismatches"),
        seconds,
        cpu_seconds: cpu,
        memory_mb: memory,
        last_of_default: summary["orgs"][0]["last"].as_i64().unwrap_or(0),
    })
}

async fn replay_file(bench: &mut Bench, database: &Database, file: &Path) -> Result<(), Failure> {
    let path = file.to_string_lossy();
    let begun = Instant::now();
    database.bookwarden(&["export", "--events", &path])?;
    (bench.report).figure("export: time", begun.elapsed().as_secs_f64(), "s");
    let arguments = ["replay", "--file", &path];
    let replayed = replay(bench, database, "replay of the file", &arguments);
    replayed.await.map(drop)
}

async fn from_the_middle(
    bench: &mut Bench,
    database: &Database,
    file: &Path,
    middle: i64,
) -> Result<(), Failure> {
    let path = file.to_string_lossy();
    let save = |to: i64| {
        let to = to.to_string();
        database.bookwarden(&[
            "replay",
            "--org",
            "default",
            "--to",
            &to,
            "--save-snapshot",
            &path,
        ])
    };
    // Between a request and its decision there is no snapshot: then the next number is one.
    save(middle).or_else(|_| save(middle + 1))?;
    let arguments = ["replay", "--check-snapshot", &path];
    replay(bench, database, "check of the snapshot", &arguments).await?;
    let arguments = ["replay", "--org", "default", "--from-snapshot", &path];
    let replayed = replay(bench, database, "replay from the middle", &arguments);
    replayed.await.map(drop)
}
