//! The ledger: numbered, append-only events of each organization, the lock that orders them, and the reservations that follow
//! from them.

pub mod append;
pub mod booking;
pub mod counts;
pub mod digest;
pub mod event;
pub mod head;
pub mod record;
pub(crate) mod row;
mod rows;
