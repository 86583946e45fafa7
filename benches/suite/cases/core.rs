//! The core alone: runs criterion's benches and reads what they found.

use std::process::Command;

use serde::Deserialize;

use crate::Bench;
use crate::core::NAMES;
use crate::failure::Failure;

#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

pub fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench.report.section("The core alone");
    let this = std::env::current_exe().map_err(Failure::run("this program"))?;
    let home = bench.cluster.folder().join("criterion");
    let output = Command::new(this)
        .arg("--measure-core")
        .env("CRITERION_HOME", &home)
        .output()
        .map_err(Failure::run("this program"))?;
    if !output.status.success() {
        return Err(Failure::Program {
            program: "the core's benches".to_owned(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    for name in NAMES {
        let path = home.join(name).join("new/estimates.json");
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        let estimates: Estimates =
            serde_json::from_str(&text).map_err(|_| Failure::Unreadable {
                program: "criterion".to_owned(),
                output: text.clone(),
            })?;
        bench.report.figure(
            &format!("core: {name}"),
            estimates.mean.point_estimate / 1000.0,
            "µs",
        );
    }
    Ok(())
}
