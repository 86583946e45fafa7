//! The wire: what Cubu sends, how it signs, and what it expects back. No IO. The source of every rule is Cubu's contract,
//! repeated in `docs/cubu.md`.

pub mod after;
pub mod request;
pub mod response;
pub mod signature;
