//! What every integration test stands on.

mod app;
mod cluster;
mod server;

pub use app::{Answered, SECRET, TestApp, booking, case_id};
pub use cluster::BOOKWARDEN;
pub use server::Server;
