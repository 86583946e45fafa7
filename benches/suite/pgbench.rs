//! The peer inside the database, called by pgbench.

use std::path::Path;
use std::process::Command;

use crate::cluster::Database;
use crate::failure::Failure;
use crate::requests::{Aim, Requests};

/// What pgbench saw.
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    pub per_second: f64,
    pub p50_ms: f64,
}

/// Makes the function and its tables.
pub async fn install(database: &Database) -> Result<(), Failure> {
    database.execute(include_str!("peers/plpgsql.sql")).await
}

/// Calls it as often as it answers.
pub fn call(
    folder: &Path,
    database: &Database,
    clients: u32,
    seconds: u64,
) -> Result<Calls, Failure> {
    let script = folder.join("pgbench.sql");
    // One line, and no word that pgbench would take for a variable.
    let body = Requests::new(0, Aim::Spread)
        .body(0)
        .replace(['\n', ':'], " ")
        .replace('\'', "");
    let text = include_str!("peers/pgbench.sql").replace("{body}", &body);
    std::fs::write(&script, text).map_err(Failure::file(&script))?;
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--log"])
        .arg(format!("--log-prefix={}", folder.join("calls").display()))
        .arg(format!("--client={clients}"))
        .arg(format!("--time={seconds}"))
        .arg("--file")
        .arg(&script)
        .arg(&database.url)
        .output()
        .map_err(Failure::run("pgbench"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let per_second = number_after(&text, "tps = ");
    match (output.status.success(), per_second) {
        (true, Some(per_second)) => Ok(Calls {
            per_second,
            p50_ms: median_ms(folder)?,
        }),
        _ => Err(Failure::Program {
            program: "pgbench".to_owned(),
            output: text + &String::from_utf8_lossy(&output.stderr),
        }),
    }
}

/// The median of what pgbench logged (the third column is microseconds); the logs are removed.
fn median_ms(folder: &Path) -> Result<f64, Failure> {
    let mut microseconds: Vec<u64> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Failure::file(folder))? {
        let path = entry.map_err(Failure::file(folder))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with("calls.") {
            let log = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
            microseconds.extend(
                log.lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()),
            );
            std::fs::remove_file(&path).map_err(Failure::file(&path))?;
        }
    }
    microseconds.sort_unstable();
    let median = microseconds.get(microseconds.len() / 2).copied();
    Ok(median.map_or(f64::NAN, |median| median as f64 / 1000.0))
}

fn number_after(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}
