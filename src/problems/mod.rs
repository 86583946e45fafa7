//! Tells administrators which of their policies do not work: in `policy.problems`, in a metric and in the log.
//!
//! A task beside the decider, which never waits for it. Every few seconds it looks whether policies changed, and compiles the
//! expressions that there are (`check`); what fails on a booking is told to it by the writers (`failures`). Several processes may
//! do the same: they report the same.

mod check;
mod failures;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::org::Org;
use crate::policy::kind::Kind;
use crate::telemetry::Metrics;
use check::Check;
use failures::Failures;

/// How often is looked whether policies changed.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// A check of very many expressions takes at most a tenth of the time.
const REST: u32 = 9;

/// Failures that wait to be reported; more are dropped, because the policy will fail again.
const WAITING: usize = 256;

/// A policy failed on a booking.
#[derive(Debug)]
struct Failure {
    org: Org,
    kind: Kind,
    id: i64,
    problem: String,
    policy_version: i64,
}

/// Where problems are told; cheap to clone.
#[derive(Debug, Clone)]
pub struct Problems(mpsc::Sender<Failure>);

impl Problems {
    /// Starts the task. It ends with the last clone, or with the pool.
    #[must_use]
    pub fn start(pool: PgPool, metrics: Arc<Metrics>) -> Self {
        let (tell, told) = mpsc::channel(WAITING);
        tokio::spawn(run(pool, metrics, told));
        Self(tell)
    }

    /// A policy's expression failed on a booking, as it stood at this policy version. Returns at once.
    pub fn failed(&self, org: &Org, kind: Kind, id: i64, problem: &str, policy_version: i64) {
        let failure = Failure {
            org: org.clone(),
            kind,
            id,
            problem: problem.to_owned(),
            policy_version,
        };
        // Full, or shutting down: the decision's own explanation has it.
        let _ = self.0.try_send(failure);
    }
}

async fn run(pool: PgPool, metrics: Arc<Metrics>, mut told: mpsc::Receiver<Failure>) {
    let mut check = Check::default();
    let mut failures = Failures::default();
    let mut next_check = Instant::now();
    let mut failed = false;
    while !pool.is_closed() {
        let reported = tokio::select! {
            failure = told.recv() => match failure {
                Some(failure) => {
                    failed = true;
                    failures.report(&pool, &failure).await
                }
                None => return,
            },
            () = sleep_until(next_check) => {
                let started = Instant::now();
                let checked = check.run(&pool, &metrics, std::mem::take(&mut failed)).await;
                next_check = Instant::now() + CHECK_EVERY.max(started.elapsed() * REST);
                checked
            }
        };
        if let Err(error) = reported {
            tracing::debug!(%error, "problems of policies could not be reported; trying again");
        }
    }
}
