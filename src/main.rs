//! The program `bookwarden`: everything is in the library.

use std::process::ExitCode;

use bookwarden::cli::{self, Cli};
use clap::Parser;

fn main() -> ExitCode {
    cli::main(Cli::parse())
}
