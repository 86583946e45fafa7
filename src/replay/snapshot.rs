//! A state at a ledger number, kept in a file, so that a replay need not begin at 1. One JSON object a line, always in the same order;
//! its last line is the SHA-256 of the lines before. It is worth what a fold says of it: `--check-snapshot`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::places::Reservation;
use super::run::{Reached, ReplayError};
use super::state::{Refusal, State};
use super::walk::Position;
use crate::policy::change::PolicyChange;
use crate::policy::kind::Kind;

const VERSION: u32 = 1;

/// Where a walk starts.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) position: Position,
    pub(super) state: State,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            position: Position::start(),
            state: State::default(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Ledger(Ledger),
    Policy(PolicyLine),
    Place(Reservation),
    Refusal(RefusalLine),
    End { digest: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ledger {
    version: u32,
    org: String,
    seq: i64,
    #[serde(with = "hex")]
    chain: [u8; 32],
    recorded_at: DateTime<Utc>,
    policy_version: i64,
}

#[derive(Serialize, Deserialize)]
struct PolicyLine {
    kind: String,
    id: i64,
    row: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefusalLine {
    case_id: Uuid,
    #[serde(with = "hex")]
    request_digest: [u8; 32],
    decision_seq: i64,
    decided_at: DateTime<Utc>,
}

/// Writes snapshots of one ledger after another.
pub(super) struct Writer {
    out: Box<dyn Write + Send>,
    digest: Sha256,
}

impl Writer {
    pub(super) fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Box::new(out),
            digest: Sha256::new(),
        }
    }

    pub(super) fn write(&mut self, reached: &Reached) -> Result<(), ReplayError> {
        let Reached {
            org,
            position,
            state,
            ..
        } = reached;
        if reached.within_a_booking {
            return Err(ReplayError::BetweenRequestAndDecision {
                org: org.clone(),
                seq: position.seq,
            });
        }
        self.line(&Line::Ledger(Ledger {
            version: VERSION,
            org: org.clone(),
            seq: position.seq,
            chain: position.chain,
            recorded_at: position.recorded_at,
            policy_version: state.policies.version,
        }))?;
        for (kind, rows) in &state.rows {
            for (id, row) in rows {
                let row = RawValue::from_string(row.to_string()).map_err(std::io::Error::from)?;
                self.line(&Line::Policy(PolicyLine {
                    kind: kind.table().to_owned(),
                    id: *id,
                    row,
                }))?;
            }
        }
        for case_id in state.places.cases() {
            if let Some(held) = state.places.held(case_id) {
                self.line(&Line::Place(Reservation::new(case_id, held)))?;
            }
        }
        let mut refusals: Vec<_> = state
            .refusals_that_may_stand(position.recorded_at)
            .collect();
        refusals.sort_unstable_by_key(|(_, refusal)| refusal.decision_seq);
        for (request_digest, refusal) in refusals {
            self.line(&Line::Refusal(RefusalLine {
                case_id: refusal.case_id,
                request_digest: *request_digest,
                decision_seq: refusal.decision_seq,
                decided_at: refusal.decided_at,
            }))?;
        }
        let digest = hex::encode(std::mem::take(&mut self.digest).finalize());
        self.line(&Line::End { digest })?;
        self.digest = Sha256::new();
        self.out.flush()?;
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), ReplayError> {
        let mut text = serde_json::to_string(line).map_err(std::io::Error::from)?;
        text.push('\n');
        self.digest.update(&text);
        self.out.write_all(text.as_bytes())?;
        Ok(())
    }
}

/// Reads the snapshots of a file, by organization.
pub(super) fn read(mut input: impl BufRead) -> Result<BTreeMap<String, Start>, ReplayError> {
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
                    return Err(fault(format!("version {} is not known", ledger.version)));
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
            (Line::Place(place), Some((_, start))) => {
                let case_id = place.case_id;
                let held = place
                    .into_held()
                    .ok_or_else(|| fault("not a place".to_owned()))?;
                start.state.places.take(case_id, held);
            }
            (Line::Refusal(line), Some((_, start))) => {
                let refusal = Refusal {
                    case_id: line.case_id,
                    decision_seq: line.decision_seq,
                    decided_at: line.decided_at,
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

/// A writer that only compares, line by line, with the snapshot of one ledger in a file. Clones look at the same comparison.
#[derive(Debug, Clone)]
pub(super) struct Comparison(Arc<Mutex<Compared>>);

#[derive(Debug)]
struct Compared {
    stored: BufReader<File>,
    difference: Option<(String, String)>,
}

impl Comparison {
    /// Opens the file where the ledger's snapshot begins.
    pub(super) fn open(path: &Path, org: &str) -> Result<Self, ReplayError> {
        let mut stored = BufReader::new(File::open(path)?);
        let mut text = String::new();
        loop {
            let begins = stored.stream_position()?;
            text.clear();
            if stored.read_line(&mut text)? == 0 {
                break;
            }
            if matches!(serde_json::from_str(&text), Ok(Line::Ledger(ledger)) if ledger.org == org)
            {
                stored.seek(SeekFrom::Start(begins))?;
                break;
            }
        }
        Ok(Self(Arc::new(Mutex::new(Compared {
            stored,
            difference: None,
        }))))
    }

    /// The first line that differs: as the fold has it, and as it is stored.
    pub(super) fn first_difference(&self) -> Option<(String, String)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .difference
            .clone()
    }
}

impl Write for Comparison {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if compared.difference.is_none() {
            let mut stored = String::new();
            compared.stored.read_line(&mut stored)?;
            if stored.as_bytes() != line {
                compared.difference = Some((
                    String::from_utf8_lossy(line).trim().to_owned(),
                    stored.trim().to_owned(),
                ));
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
