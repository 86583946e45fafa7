//! Writing the state that a replay has reached.

use std::io::Write;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::line::{Ledger, Line, PlaceLine, PolicyLine, RefusalLine, VERSION};
use crate::replay::places::Reservation;
use crate::replay::run::{Reached, ReplayError};

/// Writes snapshots of one ledger after another.
pub(in crate::replay) struct Writer {
    out: Box<dyn Write + Send>,
    digest: Sha256,
}

impl Writer {
    pub(in crate::replay) fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Box::new(out),
            digest: Sha256::new(),
        }
    }

    pub(in crate::replay) fn write(&mut self, reached: &Reached) -> Result<(), ReplayError> {
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
                self.line(&Line::Place(PlaceLine {
                    request_digest: held.request_digest,
                    place: Reservation::new(case_id, held),
                }))?;
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
                is_superseded: refusal.is_superseded,
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
