//! The core alone: runs the criterion benches (`cargo bench --bench core`) and reads what they found.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::Bench;
use crate::failure::Failure;

#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// As `benches/core.rs` names them.
const NAMES: [&str; 6] = ["decide", "needs", "signature", "parse", "digest", "chain"];

pub fn run(bench: &mut Bench) -> Result<(), Failure> {
    bench.report.section("The core alone");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("cargo")
        .args([
            "bench",
            "--locked",
            "--quiet",
            "--bench",
            "core",
            "--",
            "--measurement-time",
            "3",
            "--warm-up-time",
            "1",
            "--noplot",
        ])
        .current_dir(root)
        .env("CRITERION_HOME", bench.cluster.folder().join("criterion"))
        .output()
        .map_err(Failure::run("cargo bench"))?;
    if !output.status.success() {
        return Err(Failure::Program {
            program: "cargo bench --bench core".to_owned(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    for name in NAMES {
        let path = bench
            .cluster
            .folder()
            .join("criterion")
            .join(name)
            .join("new/estimates.json");
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
