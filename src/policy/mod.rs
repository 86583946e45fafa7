//! The pure core: booking, policies, facts and time in; decision and explanation out. No IO, no clock, no randomness, and nothing
//! depends on the order of a hash map. That is what makes replay a proof.
//!
//! Read [`decide`] first: the rules change the booking ([`rules`], [`subject`]), then every guard judges what came of it. Each kind
//! has a file of its own, and [`kind`] gives the precedence of their reasons.

pub mod blackouts;
pub mod booking_windows;
pub mod bucket;
pub mod capacity_caps;
pub mod change;
pub mod customer_blocklist;
pub mod customer_limits;
pub mod decide;
pub mod explanation;
pub mod expression;
pub mod facts;
pub mod hash;
mod hearing;
pub mod kind;
pub mod local_time;
pub mod match_key;
pub mod message;
pub mod place;
pub mod row;
pub mod rules;
pub mod scope;
pub mod set;
pub mod subject;
pub mod tallies;
pub mod weekdays;
