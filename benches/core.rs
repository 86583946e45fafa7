//! The core alone: `cargo bench --bench core`.
fn main() {}
