//! Measures again what others have disturbed: a virtual machine whose cores a hypervisor lends to others for a while shows half of its
//! rates and twice its latencies, and nothing in them tells why.

use std::cell::{Cell, RefCell};
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

/// What was measured, and what others had of the cores meanwhile.
#[derive(Debug)]
pub struct Turn<T> {
    pub measured: T,
    stolen: f64,
}

impl<T> Turn<T> {
    pub fn is_quiet(&self) -> bool {
        self.stolen <= TOLERATED
    }

    /// One figure of it.
    pub fn figure(&self, of: impl Fn(&T) -> f64) -> Turn<f64> {
        Turn {
            measured: of(&self.measured),
            stolen: self.stolen,
        }
    }
}

/// How one thing compares with another.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    pub value: f64,
    /// How far off the ratio of so few turns is, in two cases of three: by how much they differ among themselves. None: there was one.
    pub standard_error: Option<f64>,
}

/// Compares with another that was measured in the same turns: over those in which nobody disturbed either, for what was measured in a
/// quiet one says nothing beside what was measured in a disturbed one; over all, if those are fewer than half.
pub fn against(these: &[Turn<f64>], those: &[Turn<f64>]) -> Ratio {
    let turns: Vec<_> = these.iter().zip(those).collect();
    let quiet = (turns.iter().copied()).filter(|(this, that)| this.is_quiet() && that.is_quiet());
    let quiet: Vec<_> = quiet.collect();
    let counted = if 2 * quiet.len() >= turns.len() {
        quiet
    } else {
        turns
    };
    let count = counted.len() as f64;
    let these: f64 = counted.iter().map(|(this, _)| this.measured).sum();
    let those: f64 = counted.iter().map(|(_, that)| that.measured).sum();
    let value = these / those;
    let off = |(this, that): &(&Turn<f64>, &Turn<f64>)| this.measured - value * that.measured;
    let squares: f64 = counted.iter().map(|turn| off(turn).powi(2)).sum();
    let error_of_mean = (squares / (count - 1.0) / count).sqrt();
    Ratio {
        value,
        standard_error: (counted.len() > 1).then(|| error_of_mean / (those / count)),
    }
}

/// What others had of the cores in each measurement.
#[derive(Debug, Default)]
pub struct Quiet {
    attempts: RefCell<Vec<f64>>,
    kept: RefCell<Vec<f64>>,
    repeating: Cell<Duration>,
}

impl Quiet {
    /// Measures until others had hardly anything meanwhile, and at most as often as there is time. Answers what was disturbed least.
    pub async fn measure<T>(
        &self,
        measure: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<Turn<T>, Failure> {
        let mut kept = self.attempt(&measure).await?;
        for _ in 1..MOST_ATTEMPTS {
            if kept.is_quiet() || self.repeating.get() >= PATIENCE {
                break;
            }
            let stolen = kept.stolen * 100.0;
            println!("    others had {stolen:.1} % of the cores: again");
            let began = Instant::now();
            let again = self.attempt(&measure).await?;
            self.repeating.set(self.repeating.get() + began.elapsed());
            if again.stolen < kept.stolen {
                kept = again;
            }
        }
        if !kept.is_quiet() {
            println!("    others had {:.1} % of the cores", kept.stolen * 100.0);
        }
        self.kept.borrow_mut().push(kept.stolen);
        Ok(kept)
    }

    async fn attempt<T>(
        &self,
        measure: &impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<Turn<T>, Failure> {
        let before = CoreTime::now();
        let measured = measure().await?;
        let stolen = CoreTime::now().stolen_since(before);
        self.attempts.borrow_mut().push(stolen);
        Ok(Turn { measured, stolen })
    }

    /// What is to be said of a whole run.
    pub fn summary(&self) -> String {
        let kept = self.kept.borrow();
        let disturbed = kept.iter().filter(|stolen| **stolen > TOLERATED).count();
        let most = kept.iter().copied().fold(0.0, f64::max);
        format!(
            "others had more than {:.0} % of the cores in {disturbed} of {} measurements, at most {:.1} % ({} repeats); a turn marked ~ counts only where no other was quiet, and two things are compared over the turns that were quiet for both, if those are half of them",
            TOLERATED * 100.0,
            kept.len(),
            most * 100.0,
            self.attempts.borrow().len() - kept.len(),
        )
    }

    /// The same for a program: the part that others had in each measurement, of all and of those that were kept.
    pub fn to_json(&self) -> Value {
        json!({"tolerated": TOLERATED, "attempts": self.attempts, "kept": self.kept})
    }
}
