//! The lines of a snapshot.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::replay::places::Reservation;

/// The second says of a refusal whether it is superseded.
pub(super) const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    Ledger(Ledger),
    Policy(PolicyLine),
    Place(PlaceLine),
    Refusal(RefusalLine),
    End { digest: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ledger {
    pub(super) version: u32,
    pub(super) org: String,
    pub(super) seq: i64,
    #[serde(with = "hex")]
    pub(super) chain: [u8; 32],
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) policy_version: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PolicyLine {
    pub(super) kind: String,
    pub(super) id: i64,
    pub(super) row: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PlaceLine {
    #[serde(with = "hex")]
    pub(super) request_digest: [u8; 32],
    #[serde(flatten)]
    pub(super) place: Reservation,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusalLine {
    pub(super) case_id: Uuid,
    #[serde(with = "hex")]
    pub(super) request_digest: [u8; 32],
    pub(super) decision_seq: i64,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) is_superseded: bool,
}
