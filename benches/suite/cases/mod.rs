//! The cases: one file each.

pub mod beside;
pub mod core;
pub mod cost;
pub mod growth;
pub mod hot_spot;
pub mod latency;
pub mod replay;
pub mod throughput;

use crate::cluster::Database;
use crate::failure::Failure;
use crate::quiet::Turn;
use crate::requests::Requests;
use crate::server::Server;
use crate::wrk::{Closed, closed};
use crate::{Bench, next_run};

impl Bench {
    /// Of what is measured several times, in turns with something else.
    pub fn seconds_of_a_turn(&self) -> u64 {
        self.seconds.div_ceil(2)
    }

    /// Loads a server as far as it goes, after a short warm-up; every answer must be a decision on the ledger.
    pub async fn load(
        &self,
        database: &Database,
        server: &Server,
        requests: impl Fn(u64) -> Requests,
        connections: u32,
    ) -> Result<Turn<Closed>, Failure> {
        self.load_for(database, server, requests, connections, self.seconds)
            .await
    }

    /// The same for as many seconds.
    pub async fn load_for(
        &self,
        database: &Database,
        server: &Server,
        requests: impl Fn(u64) -> Requests,
        connections: u32,
        seconds: u64,
    ) -> Result<Turn<Closed>, Failure> {
        let folder = self.cluster.folder();
        closed(
            folder,
            &server.url(),
            &requests(next_run()),
            connections.min(16),
            2,
        )?;
        let measure = async || {
            self.load_once(database, server, requests(next_run()), connections, seconds)
                .await
        };
        self.quiet.measure(measure).await
    }

    async fn load_once(
        &self,
        database: &Database,
        server: &Server,
        requests: Requests,
        connections: u32,
        seconds: u64,
    ) -> Result<Closed, Failure> {
        let before = decisions(database).await?;
        let folder = self.cluster.folder();
        let measured = closed(folder, &server.url(), &requests, connections, seconds)?;
        let recorded = decisions(database).await? - before;
        // wrk leaves without waiting for the last answer of each connection, after the warm-up as well.
        let least = measured.requests;
        let most = measured.requests + 2 * u64::from(connections.max(16));
        if (least..=most).contains(&recorded) {
            Ok(measured)
        } else {
            Err(Failure::Wrong {
                what: "decisions on the ledger",
                wanted: least,
                got: recorded,
            })
        }
    }
}

/// Decisions so far, of the service and of the peers.
async fn decisions(database: &Database) -> Result<u64, Failure> {
    let count = database
        .number(
            "select (select count(*) from ledger.reservations)
                  + case when to_regclass('peer.reservations') is null then 0
                    else (xpath('//c/text()', query_to_xml('select count(*) as c from peer.reservations', false, true, '')))[1]::text::bigint
                    end",
        )
        .await?;
    Ok(count.unsigned_abs())
}
