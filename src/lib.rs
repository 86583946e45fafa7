//! bookwarden: a policy service for bookings that decides, records and proves.
//!
//! The way of a booking, from the door to the answer:
//!
//! [`http`] reads the request → [`cubu`] checks its signature and parses it → [`decider`] queues it, reads facts as of the
//! ledger's head, asks [`policy`] (the pure core), appends to the [`ledger`] if the head is still there (else decides again under
//! its lock), answers.
//!
//! Around it: [`org`] (an organization's name), [`access`] (webhook secrets, audit tokens), [`audit`] (looking back), [`replay`]
//! (proof from the ledger alone), [`problems`] (policies that do not work), [`counts`] (decisions counted once and for all),
//! [`postgres`] (pool, migrations, the private cluster of `bookwarden dev`), [`settings`] (every configuration key), [`telemetry`]
//! (logs and metrics), [`json`] (objects written member by member) and [`cli`] (one file a subcommand: the composition root).

#[allow(
    clippy::disallowed_methods,
    reason = "expiry is judged against this machine's clock"
)]
pub mod access;
pub mod audit;
pub mod cli;
#[allow(clippy::disallowed_methods, reason = "counts at most so often")]
pub mod counts;
pub mod cubu;
#[allow(clippy::disallowed_methods, reason = "time-outs and rate limits")]
pub mod decider;
#[allow(clippy::disallowed_methods, reason = "durations for logs and metrics")]
pub mod http;
mod json;
pub mod ledger;
pub mod org;
pub mod policy;
pub mod postgres;
#[allow(clippy::disallowed_methods, reason = "reports at most so often")]
pub mod problems;
pub mod replay;
pub mod settings;
pub mod telemetry;
