//! The figures, as a table and as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::quiet::{Quiet, Ratio, Turn};

/// What was wanted of a figure.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// Collects figures and prints each as it comes: a run of many minutes shows what it does.
#[derive(Debug, Default)]
pub struct Report {
    figures: BTreeMap<String, Value>,
    missed: Vec<String>,
}

impl Report {
    /// A heading.
    pub fn section(&self, title: &str) {
        println!("\n{title}");
    }

    /// A figure.
    pub fn figure(&mut self, name: &str, value: f64, unit: &str) {
        println!("  {name:<58} {:>10} {unit}", shown(value));
        self.figures
            .insert(name.to_owned(), json!({"value": value, "unit": unit}));
    }

    /// A figure that was measured in several turns. Answers the mean of those that nobody disturbed; of all, if there are none.
    pub fn turns(&mut self, name: &str, turns: &[Turn<f64>], unit: &str) -> f64 {
        let is_counted = |turn: &&Turn<f64>| turn.is_quiet() || !turns.iter().any(Turn::is_quiet);
        let counted: Vec<f64> = (turns.iter().filter(is_counted))
            .map(|turn| turn.measured)
            .collect();
        let mean = counted.iter().sum::<f64>() / counted.len() as f64;
        let mark = |turn: &Turn<f64>| if turn.is_quiet() { "" } else { "~" };
        let all: Vec<String> = (turns.iter())
            .map(|turn| format!("{}{}", mark(turn), shown(turn.measured)))
            .collect();
        println!(
            "  {name:<58} {:>10} {unit:<4} ({})",
            shown(mean),
            all.join(", ")
        );
        let values: Vec<f64> = turns.iter().map(|turn| turn.measured).collect();
        let quiet: Vec<bool> = turns.iter().map(Turn::is_quiet).collect();
        self.figures.insert(
            name.to_owned(),
            json!({"value": mean, "unit": unit, "turns": values, "quiet": quiet}),
        );
        mean
    }

    /// A figure with a target.
    pub fn target(&mut self, name: &str, value: f64, unit: &str, target: Target) {
        self.judge(name, value, unit, None, target);
    }

    /// How two compare, with a target.
    pub fn ratio(&mut self, name: &str, ratio: Ratio, target: Target) {
        self.judge(name, ratio.value, "×", ratio.standard_error, target);
    }

    fn judge(
        &mut self,
        name: &str,
        value: f64,
        unit: &str,
        standard_error: Option<f64>,
        target: Target,
    ) {
        let (sign, bound) = match target {
            Target::AtLeast(bound) => ("≥", bound),
            Target::AtMost(bound) => ("≤", bound),
        };
        let met = target.is_met(value);
        let verdict = if met { "" } else { "  MISSED" };
        let error = standard_error.map_or(String::new(), |error| format!("± {error:.2} "));
        println!(
            "  {name:<58} {:>10} {unit:<4} {error}({sign} {bound}){verdict}",
            shown(value)
        );
        if !met {
            self.missed.push(name.to_owned());
        }
        let mut figure = json!({
            "value": value,
            "unit": unit,
            "target": format!("{sign} {bound}"),
            "met": met,
        });
        if let Some(error) = standard_error {
            figure["standardError"] = json!(error);
        }
        self.figures.insert(name.to_owned(), figure);
    }

    /// Says what was missed and how far the machine was ours, and writes the file if one is wanted.
    pub fn finish(&self, machine: &str, quiet: &Quiet, file: Option<&Path>) -> Result<(), Failure> {
        if self.missed.is_empty() {
            println!("\nevery measured target is met");
        } else {
            println!("\nmissed: {}", self.missed.join("; "));
        }
        println!("{}", quiet.summary());
        let Some(path) = file else {
            return Ok(());
        };
        let text = format!(
            "{:#}\n",
            json!({
                "machine": machine,
                "figures": self.figures,
                "missed": self.missed,
                "stolen": quiet.to_json(),
            })
        );
        std::fs::write(path, text).map_err(Failure::file(path))
    }
}

fn shown(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
