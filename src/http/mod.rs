//! The door: routes, limits, problems. What is said here is HTTP; what is decided is decided elsewhere.

mod actions;
mod app;
mod audit;
mod body;
mod health;
mod limits;
mod observe;
mod openapi;
pub mod problems;
mod request_id;
mod routes;
mod server;
mod webhook;

pub use app::{NotReady, Parts, Readiness};
pub use limits::HttpLimits;
pub use server::{BindError, Server};

#[cfg(test)]
mod tests;
