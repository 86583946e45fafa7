//! What every integration test stands on.

mod app;
mod cli;
mod cluster;
pub mod dev;
pub mod load;
mod server;

pub use app::{Answered, SECRET, TestApp, booking, case_id, prove};
pub use cli::{bookwarden, bookwarden_prints};
pub use cluster::BOOKWARDEN;
pub use server::Server;
