//! The one place where a booking is decided and recorded: a bounded queue and one batch writer for each organization.
//!
//! `handle` takes commands in, `writer` gathers them into batches, and `batch` records one: read what it has to know
//! (`facts`, `counts`, `policies`), decide each in order (`sequence`), append if the ledger's head has not moved. Answers leave after that.

mod batch;
mod cases;
mod command;
mod counts;
mod facts;
mod handle;
mod policies;
mod sequence;
mod throttle;
mod writer;

pub use command::{Answer, DecideError, FollowUp, Limits, Rejection, Submission};
pub use handle::Decider;
