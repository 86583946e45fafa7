//! Reading the states to go on from.

use std::collections::BTreeMap;
use std::io::BufRead;

use sha2::{Digest as _, Sha256};

use super::line::{Line, PolicyLine, VERSION};
use crate::policy::change::PolicyChange;
use crate::policy::kind::Kind;
use crate::replay::run::{ReplayError, Start};
use crate::replay::state::{Refusal, State};
use crate::replay::walk::Position;

/// Reads the snapshots of a file, by organization.
pub(in crate::replay) fn read(
    mut input: impl BufRead,
) -> Result<BTreeMap<String, Start>, ReplayError> {
    let mut starts = BTreeMap::new();
    let mut current: Option<(String, Start)> = None;
    let mut digest = Sha256::new();
    let mut text = String::new();
    let mut number = 0;
    loop {
        text.clear();
        if input.read_line(&mut text)? == 0 {
            break;
        }
        number += 1;
        let fault = |reason: String| ReplayError::Snapshot {
            line: number,
            reason,
        };
        let line: Line = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        match (line, &mut current) {
            (Line::Ledger(ledger), None) => {
                if ledger.version != VERSION {
                    let version = ledger.version;
                    let reason = format!("it is of version {version}, not {VERSION}: take it anew");
                    return Err(fault(reason));
                }
                let mut start = Start {
                    position: Position {
                        seq: ledger.seq,
                        chain: ledger.chain,
                        recorded_at: ledger.recorded_at,
                    },
                    state: State::default(),
                };
                start.state.policies.version = ledger.policy_version;
                current = Some((ledger.org, start));
            }
            (Line::Policy(policy), Some((_, start))) => {
                take_policy(&mut start.state, &policy).map_err(fault)?
            }
            (Line::Place(line), Some((_, start))) => {
                let case_id = line.place.case_id;
                let held = line
                    .place
                    .into_held(line.request_digest)
                    .ok_or_else(|| fault("not a place".to_owned()))?;
                start.state.places.take(case_id, held);
            }
            (Line::Refusal(line), Some((_, start))) => {
                let refusal = Refusal {
                    case_id: line.case_id,
                    decision_seq: line.decision_seq,
                    decided_at: line.decided_at,
                    is_superseded: line.is_superseded,
                };
                start.state.refuse(line.request_digest, refusal);
            }
            (Line::End { digest: stored }, Some(_)) => {
                if hex::encode(std::mem::take(&mut digest).finalize()) != stored {
                    return Err(fault("it was changed: its digest is another".to_owned()));
                }
                starts.extend(current.take());
                continue;
            }
            _ => return Err(fault("out of order".to_owned())),
        }
        digest.update(&text);
    }
    match current {
        None if starts.is_empty() => Err(ReplayError::Snapshot {
            line: 1,
            reason: "it has no ledger".to_owned(),
        }),
        None => Ok(starts),
        Some((org, _)) => Err(ReplayError::Snapshot {
            line: number,
            reason: format!("that of {org} is cut off"),
        }),
    }
}

fn take_policy(state: &mut State, policy: &PolicyLine) -> Result<(), String> {
    let kind = Kind::of_table(&policy.kind)
        .ok_or_else(|| format!("a policy table {} is not known", policy.kind))?;
    let change = PolicyChange {
        kind,
        id: policy.id,
        old: None,
        new: Some(policy.row.get()),
    };
    state
        .apply(&change)
        .map(drop)
        .map_err(|error| error.to_string())
}
