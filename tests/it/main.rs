//! The integration tests: the real server over HTTP, on a real Postgres. One binary, so that all share one private cluster.
//!
//! `support` starts it; each test gets a database of its own, cloned from a migrated template.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    reason = "tests measure, draw cases at random, and fail by panicking"
)]

mod support;
mod tampering;
mod verify_beside;

mod after_booking;
mod audit_counts;
mod audit_described;
mod audit_explain;
mod audit_files;
mod audit_plans;
mod audit_policies;
mod audit_search;
mod audit_stats;
mod bad_policies;
mod booking;
mod broken_output;
mod capacity;
mod catalogue;
mod commands;
mod connections;
mod cookbook;
mod crash;
mod docs_page;
mod known_head;
mod match_key;
mod migrations;
mod mistakes;
mod operations;
mod other_actions;
mod plans;
mod policy_changes;
mod policy_load;
mod private_cluster;
mod problems;
mod readme;
mod replay;
mod roles;
mod simulate;
mod startup;
mod two_processes;
mod under_way;
mod webhook_wire;
