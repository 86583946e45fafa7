//! The one place where a booking is decided and recorded: a bounded queue and one batch writer for each organization.
//!
//! `handle` takes commands in, `writer` gathers them into batches, and `batch` is the transaction: lock the ledger's head, read
//! facts (`facts`, `customer_places`, `policies`), decide each in order (`sequence`), append, commit. Answers leave after that.

mod batch;
mod cases;
mod command;
mod customer_places;
mod facts;
mod handle;
mod policies;
mod sequence;
mod throttle;
mod writer;

pub use command::{Answer, DecideError, FollowUp, Limits, Rejection, Submission};
pub use handle::Decider;
