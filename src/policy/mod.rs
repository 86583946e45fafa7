//! policy.

pub mod expression;
pub mod match_key;
pub mod message;
