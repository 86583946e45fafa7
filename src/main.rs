//! The program `bookwarden`: everything is in the library.

use std::process::ExitCode;

use bookwarden::cli::{self, Cli};
use clap::Parser;

/// Bookings and replayed events are many small values of short life: measured in `docs/performance.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(Cli::parse())
}
