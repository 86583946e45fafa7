//! A `bookwarden dev` of a test's own: service and Postgres, for tests that kill either.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::cluster::BOOKWARDEN;

/// A running `bookwarden dev`; stopped when dropped.
pub struct Dev {
    child: Child,
    /// `http://127.0.0.1:port`
    pub url: String,
    /// The owner's address of its database.
    pub database_url: String,
    folder: tempfile::TempDir,
}

impl Dev {
    /// Starts one on a data folder of its own and waits until it is ready.
    pub fn start() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let mut child = Command::new(BOOKWARDEN)
            .args(["dev", "--json", "--port", "0", "--data-dir"])
            .arg(folder.path())
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bookwarden starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut ready = String::new();
        BufReader::new(stdout)
            .read_line(&mut ready)
            .expect("bookwarden dev prints a line");
        let ready: serde_json::Value = serde_json::from_str(&ready).expect("a line of JSON");
        let text = |key: &str| ready[key].as_str().expect("a text").to_owned();
        Self {
            url: text("url"),
            database_url: text("database_url"),
            child,
            folder,
        }
    }

    /// The postmaster's process.
    pub fn postmaster(&self) -> String {
        let file = self.folder.path().join("postgres/postmaster.pid");
        let text = std::fs::read_to_string(file).expect("Postgres runs");
        text.lines().next().expect("a first line").to_owned()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        signal("-TERM", &self.child.id().to_string());
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub fn signal(signal: &str, process: &str) {
    let sent = Command::new("kill")
        .arg(signal)
        .arg(process)
        .status()
        .expect("kill runs");
    assert!(sent.success(), "{signal} was not sent");
}

/// Whether there is such a process.
pub fn is_alive(process: &str) -> bool {
    let mut kill = Command::new("kill");
    let asked = kill.args(["-0", process]).stderr(Stdio::null()).status();
    asked.expect("kill runs").success()
}
