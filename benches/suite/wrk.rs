//! Closed-loop load by wrk: as many requests as the server answers.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::failure::Failure;
use crate::requests::Requests;

/// What wrk saw.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Closed {
    pub requests: u64,
    microseconds: u64,
    failed: u64,
    p50: u64,
    p99: u64,
}

impl Closed {
    /// Answers a second.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 * 1e6 / self.microseconds as f64
    }

    pub fn p50_ms(&self) -> f64 {
        self.p50 as f64 / 1000.0
    }

    pub fn p99_ms(&self) -> f64 {
        self.p99 as f64 / 1000.0
    }
}

/// Faster than any server here on such machines; what is left over costs disk and nothing else.
const MOST_PER_SECOND: u64 = 30_000;
const MOST_PER_SECOND_ALONE: u64 = 6_000;

/// Runs wrk with one thread, which is enough for tens of thousands a second and leaves the cores to the others.
pub fn closed(
    folder: &Path,
    url: &str,
    requests: &Requests,
    connections: u32,
    seconds: u64,
) -> Result<Closed, Failure> {
    let file = folder.join("requests.bin");
    let script = folder.join("wrk.lua");
    std::fs::write(&script, include_str!("wrk.lua")).map_err(Failure::file(&script))?;
    let most = if connections == 1 {
        MOST_PER_SECOND_ALONE
    } else {
        MOST_PER_SECOND
    };
    let length = requests.write(&file, most * seconds)?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--timeout", "10s"])
        .arg(format!("--connections={connections}"))
        .arg(format!("--duration={seconds}s"))
        .arg("--script")
        .arg(&script)
        .arg(url)
        .arg("--")
        .arg(&file)
        .arg(length.to_string())
        .output()
        .map_err(Failure::run("wrk"))?;
    std::fs::remove_file(&file).map_err(Failure::file(&file))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with('{'));
    let closed: Option<Closed> = line.and_then(|line| serde_json::from_str(line).ok());
    let Some(closed) = closed else {
        let output = text + &String::from_utf8_lossy(&output.stderr);
        return Err(Failure::Unreadable {
            program: "wrk".to_owned(),
            output,
        });
    };
    if closed.failed > 0 {
        return Err(Failure::Wrong {
            what: "requests that failed",
            wanted: 0,
            got: closed.failed,
        });
    }
    Ok(closed)
}
