//! Measures again what others have disturbed: a virtual machine whose cores a hypervisor lends to others for a while shows half of its
//! rates and twice its latencies, and nothing in them tells why.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::usage::CoreTime;

/// The part of the cores' time that others may have.
const TOLERATED: f64 = 0.03;

/// How often one thing is measured at most.
const MOST_ATTEMPTS: usize = 3;

/// What a run may take longer for it.
const PATIENCE: Duration = Duration::from_secs(90);

/// What others had of the cores.
#[derive(Debug, Default)]
pub struct Quiet {
    attempts: Cell<u32>,
    disturbed: Cell<u32>,
    kept: Cell<u32>,
    disturbed_kept: Cell<u32>,
    most_kept: Cell<f64>,
    repeating: Cell<Duration>,
}

impl Quiet {
    /// Measures until others had hardly anything meanwhile, and at most as often as there is time. Answers what was disturbed least.
    pub async fn measure<T>(
        &self,
        measure: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (mut least, mut kept) = self.attempt(&measure).await?;
        for _ in 1..MOST_ATTEMPTS {
            if least <= TOLERATED || self.repeating.get() >= PATIENCE {
                break;
            }
            println!("    others had {:.0} % of the cores: again", least * 100.0);
            let began = Instant::now();
            let (stolen, measured) = self.attempt(&measure).await?;
            self.repeating.set(self.repeating.get() + began.elapsed());
            if stolen < least {
                (least, kept) = (stolen, measured);
            }
        }
        add(&self.kept, 1);
        self.most_kept.set(self.most_kept.get().max(least));
        if least > TOLERATED {
            println!("    others had {:.0} % of the cores", least * 100.0);
            add(&self.disturbed_kept, 1);
        }
        Ok(kept)
    }

    async fn attempt<T>(
        &self,
        measure: &impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<(f64, T), Failure> {
        let before = CoreTime::now();
        let measured = measure().await?;
        let stolen = CoreTime::now().stolen_since(before);
        add(&self.attempts, 1);
        if stolen > TOLERATED {
            add(&self.disturbed, 1);
        }
        Ok((stolen, measured))
    }

    /// What is to be said of a whole run.
    pub fn summary(&self) -> String {
        format!(
            "others had more than {:.0} % of the cores in {} of {} measurements ({} were repeats), at most {:.0} % in what was kept",
            TOLERATED * 100.0,
            self.disturbed_kept.get(),
            self.kept.get(),
            self.attempts.get() - self.kept.get(),
            self.most_kept.get() * 100.0,
        )
    }

    /// The same for a program.
    pub fn to_json(&self) -> Value {
        json!({
            "tolerated": TOLERATED,
            "attempts": self.attempts.get(),
            "attemptsDisturbed": self.disturbed.get(),
            "kept": self.kept.get(),
            "keptDisturbed": self.disturbed_kept.get(),
            "mostOfKept": self.most_kept.get(),
        })
    }
}

fn add(cell: &Cell<u32>, number: u32) {
    cell.set(cell.get() + number);
}
