//! What one decision costs: CPU, log, disk; and the service's memory.

use crate::failure::Failure;
use crate::report::Target::AtMost;
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::wrk::closed;
use crate::{Bench, next_run};

const CONNECTIONS: u32 = 64;

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench
        .report
        .section("Cost of a decision: 1.25 kB requests, 64 connections");
    let database = bench.cluster.database(0).await?;
    let server = Server::start(&database)?;
    let spread = || Requests::new(next_run(), Aim::Spread);
    let folder = bench.cluster.folder().to_owned();
    closed(&folder, &server.url(), &spread(), CONNECTIONS, 2)?;

    let disk = "select sum(pg_total_relation_size(c.oid))::bigint from pg_class c
                where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'r'";
    let heap = "select sum(pg_table_size(c.oid))::bigint from pg_class c
                where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'r'";
    let log = "select (pg_current_wal_insert_lsn() - '0/0')::bigint";
    let decided = "select count(*) from ledger.reservations";
    // Full-page images after a checkpoint belong to the checkpoint's rhythm, not to a decision: start in the middle of one.
    let before = (
        database.number(disk).await?,
        database.number(heap).await?,
        database.number(log).await?,
        database.number(decided).await?,
        server.cpu_seconds(),
        bench.cluster.cpu_seconds(),
    );
    let load = closed(
        &folder,
        &server.url(),
        &spread(),
        CONNECTIONS,
        bench.seconds,
    )?;
    let decisions = (database.number(decided).await? - before.3) as f64;
    let each = |used: f64| used / decisions;
    let service = each(server.cpu_seconds() - before.4) * 1e6;
    let postgres = each(bench.cluster.cpu_seconds() - before.5) * 1e6;
    let log_bytes = each((database.number(log).await? - before.2) as f64);
    let heap_bytes = each((database.number(heap).await? - before.1) as f64);
    let disk_bytes = each((database.number(disk).await? - before.0) as f64);
    // A batch has one time.
    let batch = "select count(*) / count(distinct recorded_at) from ledger.events where type = 'booking.decided'";
    let batch = database.number(batch).await? as f64;
    let report = &mut bench.report;
    report.figure("decisions a batch", batch, "");
    report.figure("decisions meanwhile", load.per_second(), "/s");
    report.figure("CPU of the service, each decision", service, "µs");
    report.figure("CPU of Postgres, each decision", postgres, "µs");
    report.figure("write-ahead log, each decision", log_bytes, "B");
    report.figure("heap, each decision", heap_bytes, "B");
    report.target(
        "heap and indexes, each decision",
        disk_bytes,
        "B",
        AtMost(4096.0),
    );
    report.target(
        "memory of the service, base",
        server.peak_memory_mb(),
        "MB",
        AtMost(150.0),
    );
    Ok(())
}
