//! The integration tests: the real server over HTTP, on a real Postgres. One binary, so that all share one private cluster.
//!
//! `support` starts it; each test gets a database of its own, cloned from a migrated template.

mod support;

mod booking;
mod capacity;
mod catalogue;
mod policy_changes;
