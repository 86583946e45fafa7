//! The one place where a booking is decided and recorded: a bounded queue and one batch writer for each organization.

mod handle;

pub use handle::{Answer, DecideError, Decider, Rejection, Submission};
