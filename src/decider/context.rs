//! What all parts of one organization's writer need.

use std::sync::Arc;

use super::batch::Answers;
use super::command::{Command, DecideError, Limits};
use super::connections::Connections;
use super::sequence::Decided;
use super::slots::Slots;
use crate::org::Org;
use crate::policy::explanation::Compared;
use crate::problems::Problems;
use crate::telemetry::Metrics;

#[derive(Debug)]
pub(super) struct Context {
    pub(super) org: Org,
    pub(super) connections: Connections,
    pub(super) limits: Limits,
    pub(super) slots: Slots,
    pub(super) metrics: Arc<Metrics>,
    pub(super) problems: Problems,
}

impl Context {
    /// Answers those whose batch has committed.
    pub(super) fn answer(&self, commands: Vec<Command>, answers: Answers, policy_version: i64) {
        self.metrics.batch(commands.len());
        for (command, decided) in commands.into_iter().zip(answers) {
            // A requester who went away has no use for the answer; it is on the ledger.
            match (command, decided) {
                (Command::Decide(_, reply), Some(decided)) => {
                    self.count(&decided, policy_version);
                    let _ = reply.send(Ok(decided.answer));
                }
                (Command::Follow(_, reply) | Command::Reject(.., reply), _) => {
                    let _ = reply.send(Ok(()));
                }
                (Command::Decide(_, reply), None) => {
                    let _ = reply.send(Err(DecideError::Unavailable));
                }
            }
        }
    }

    fn count(&self, decided: &Decided, policy_version: i64) {
        let Some(decision) = &decided.decision else {
            self.metrics.repeat(&self.org);
            return;
        };
        self.metrics.decision(&self.org, decision.outcome.as_str());
        for policy in &decision.policies {
            if let Compared::Error { error } = &policy.compared {
                self.metrics.policy_error(&self.org, policy.kind.table());
                self.problems
                    .failed(&self.org, policy.kind, policy.id, error, policy_version);
            }
        }
    }
}

/// Tells all of them that they were not recorded.
pub(super) fn refuse(commands: Vec<Command>, problem: &DecideError) {
    for command in commands {
        match command {
            Command::Decide(_, reply) => {
                let _ = reply.send(Err(problem.clone()));
            }
            Command::Follow(_, reply) | Command::Reject(.., reply) => {
                let _ = reply.send(Err(problem.clone()));
            }
        }
    }
}
