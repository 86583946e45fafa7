//! The integration tests: the real server over HTTP, on a real Postgres. One binary, so that all share one private cluster.
//!
//! `support` starts it; each test gets a database of its own, cloned from a migrated template.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "tests measure, draw cases at random, and fail by panicking"
)]

mod support;

mod audit_explain;
mod audit_files;
mod audit_search;
mod audit_stats;
mod booking;
mod capacity;
mod policy_changes;
mod private_cluster;
