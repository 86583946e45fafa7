//! A state at a ledger number, kept in a file, so that a replay need not begin at 1. One JSON object a line, always in the same order;
//! its last line is the SHA-256 of the lines before. It is worth what a fold says of it: `--check-snapshot`.

mod compare;
mod line;
mod read;
mod write;

pub(super) use compare::Comparison;
pub(super) use read::read;
pub(super) use write::Writer;
