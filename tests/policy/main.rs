//! The pure core without a database: cases as files, and properties of any sequence of bookings.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod cases;
mod costs;
mod properties;
mod rows;
mod world;
