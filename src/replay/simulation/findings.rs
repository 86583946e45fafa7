//! Which verdicts policies gave, and which they would have given, counted beside each other.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Change;
use super::report::{Finding, Unmet};
use crate::policy::decide::Decision;
use crate::policy::explanation::{Compared, Verdict};
use crate::policy::kind::Kind;
use crate::policy::row::Mode;

/// One entry of a recorded explanation.
#[derive(Deserialize)]
pub(super) struct Met<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    id: i64,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    mode: Mode,
    verdict: Verdict,
}

/// By policy, mode and verdict.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<(Kind, i64, Mode, Verdict), Counted>);

#[derive(Debug, Default)]
struct Counted {
    name: Option<Box<str>>,
    recorded: u64,
    simulated: u64,
    error: Option<Box<str>>,
}

impl Findings {
    /// A decision as it is recorded.
    pub(super) fn recorded(&mut self, explanation: &[Met<'_>]) {
        for met in explanation {
            if let Some(kind) = Kind::of_table(&met.kind) {
                let key = (kind, met.id, met.mode, met.verdict);
                let counted = self.0.entry(key).or_default();
                counted.recorded += 1;
                if counted.name.is_none() {
                    counted.name = met.name.as_deref().map(Box::from);
                }
            }
        }
    }

    /// A decision as it would have been.
    pub(super) fn simulated(&mut self, decision: &Decision) {
        for explained in &decision.policies {
            let key = (
                explained.kind,
                explained.id,
                explained.mode,
                explained.verdict,
            );
            let counted = self.0.entry(key).or_default();
            counted.simulated += 1;
            if counted.simulated > 1 {
                continue;
            }
            // As the policy is called here.
            counted.name = explained.name.as_deref().map(Box::from);
            if let Compared::Error { error } = &explained.compared {
                counted.error = Some(error.as_str().into());
            }
        }
    }

    /// Policies of the change that would have met no booking; the organization's own row is none that could.
    pub(super) fn unmet<'c>(&self, change: &'c Change) -> impl Iterator<Item = Unmet> + use<'c> {
        let met: BTreeSet<(Kind, i64)> = (self.0.iter())
            .filter(|(_, counted)| counted.simulated > 0)
            .map(|((kind, id, ..), _)| (*kind, *id))
            .collect();
        change.rows().filter_map(move |(kind, id, row)| {
            let is_met = kind == Kind::Organizations || met.contains(&(kind, id));
            let row = row.filter(|_| !is_met)?;
            let name = serde_json::from_str(row)
                .ok()
                .and_then(|Named { name }| name);
            Some(Unmet { kind, id, name })
        })
    }

    /// The verdicts that would have been given more or less often, those that differ most first.
    pub(super) fn differing(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = (self.0.into_iter())
            .filter(|(_, counted)| counted.recorded != counted.simulated)
            .map(|((kind, id, mode, verdict), counted)| Finding {
                kind,
                id,
                name: counted.name.map(Into::into),
                mode,
                verdict,
                recorded: counted.recorded,
                simulated: counted.simulated,
                error: counted.error.map(Into::into),
            })
            .collect();
        findings.sort_by_key(|found| Reverse(found.simulated.abs_diff(found.recorded)));
        findings
    }
}

/// Of a policy's row.
#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}
