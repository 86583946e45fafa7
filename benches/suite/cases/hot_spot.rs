//! All bookings on one calendar, beside the spread.

use crate::Bench;
use crate::failure::Failure;
use crate::report::Target::AtLeast;
use crate::requests::{Aim, Requests};
use crate::server::Server;

pub async fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench.report.section("Hot spot: 256 connections");
    let mut rates = Vec::new();
    for (name, aim) in [("spread", Aim::Spread), ("one calendar", Aim::OneCalendar)] {
        let database = bench.cluster.database(0).await?;
        let server = Server::start(&database)?;
        let requests = |run| Requests::new(run, aim);
        let measured = (bench.load(&database, &server, requests, 256))
            .await?
            .measured;
        bench
            .report
            .figure(&format!("hot spot: {name}"), measured.per_second(), "/s");
        rates.push(measured.per_second());
    }
    if let [spread, one] = rates[..] {
        bench.report.target(
            "one calendar against spread",
            one / spread,
            "×",
            AtLeast(0.8),
        );
    }
    Ok(())
}
