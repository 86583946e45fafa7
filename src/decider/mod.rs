//! The one place where a booking is decided and recorded: a bounded queue and one batch writer for each organization.
//!
//! `handle` takes commands in, `writer` gathers them into batches. `batch` is what becomes of one: read what it has to know (`facts`,
//! `counts`, `policies`), decide each in order (`sequence`). `under_way` appends it if the ledger's head has not moved, `under_lock`
//! when it has. Answers leave after that.

mod batch;
mod cases;
mod command;
mod connections;
mod context;
mod counts;
mod customer_places;
mod facts;
mod failure;
mod handle;
mod memory;
mod others;
mod policies;
mod sequence;
mod slots;
mod threads;
mod throttle;
mod under_lock;
mod under_way;
mod writer;

pub use command::{Answer, DecideError, FollowUp, Limits, Rejection, Submission};
pub use handle::Decider;
