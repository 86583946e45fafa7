//! The administrative commands, as an operator runs them.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::cluster::BOOKWARDEN;

/// Runs `bookwarden …` on a database.
pub fn bookwarden(database_url: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(BOOKWARDEN)
        .args(arguments)
        .env("DATABASE_URL", database_url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bookwarden starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A command that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("bookwarden ends")
}

/// The same; what it printed, without the line's end. Panics unless it succeeds.
pub fn bookwarden_prints(database_url: &str, arguments: &[&str], input: &str) -> String {
    let output = bookwarden(database_url, arguments, input);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.trim_end().to_owned()
}
