//! access.

pub mod admin;
