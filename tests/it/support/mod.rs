//! What every integration test stands on.

mod app;
mod cli;
mod cluster;
pub mod dev;
pub mod load;
mod server;

use std::time::{Duration, Instant};

pub use app::{Answered, SECRET, TestApp, booking, case_id, prove};
pub use cli::{bookwarden, bookwarden_prints};
pub use cluster::BOOKWARDEN;
pub use server::Server;

/// Longer than anything takes, on however slow a machine: a bound for what must come to an end at all.
pub const HANGS: Duration = Duration::from_secs(30);

/// Waits until something is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < HANGS, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
