//! Latency at fixed arrival rates.

use crate::failure::Failure;
use crate::open_loop::open;
use crate::report::Target::AtMost;
use crate::requests::{Aim, Requests};
use crate::server::Server;
use crate::{Bench, next_run};

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench
        .report
        .section("Latency: open loop, from the moment at which the request was to leave");
    let database = bench.cluster.database(0).await?;
    let server = Server::start(&database)?;
    open(
        &server.address,
        &Requests::new(next_run(), Aim::Spread),
        500,
        2,
    )?;
    for rate in [500, 1000, 2000] {
        let measure = async || {
            let requests = Requests::new(next_run(), Aim::Spread);
            open(&server.address, &requests, rate, bench.seconds)
        };
        let latencies = bench.quiet.measure(measure).await?.measured;
        let name = |quantile| format!("{rate} a second, {quantile}");
        bench
            .report
            .figure(&name("p50"), latencies.quantile_ms(0.5), "ms");
        let p99 = latencies.quantile_ms(0.99);
        if rate == 1000 {
            bench.report.target(&name("p99"), p99, "ms", AtMost(15.0));
        } else {
            bench.report.figure(&name("p99"), p99, "ms");
        }
        bench
            .report
            .figure(&name("p99.9"), latencies.quantile_ms(0.999), "ms");
        bench
            .report
            .figure(&name("max"), latencies.quantile_ms(1.0), "ms");
    }
    Ok(())
}
