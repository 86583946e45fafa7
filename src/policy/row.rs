//! A policy row: the columns that every kind has, and the kind's own.
//!
//! Rows arrive as the JSON that Postgres makes of them (`row_to_json`), the same for a live table and for a ledger event: so a
//! replayed policy is read by the code that read the live one.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::expression::{Expression, ExpressionError};
use super::kind::Kind;
use super::scope::Scope;

/// What a policy does with its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It acts.
    Enforce,
    /// It is evaluated and recorded, and changes nothing.
    Shadow,
    /// It is not evaluated.
    Off,
}

impl Mode {
    /// As the column, the ledger and the audit API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

/// What happens when a policy's expression fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// As if the policy were not there.
    Ignore,
    /// The booking is cancelled.
    Cancel,
}

/// An expression as written, compiled or not.
#[derive(Debug)]
pub struct Condition(Result<Expression, ExpressionError>);

impl Condition {
    /// Compiles; a failure stays with the policy and shows in every decision that it would have judged.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Expression::compile(text))
    }

    /// The compiled expression, or why there is none.
    pub fn expression(&self) -> Result<&Expression, &ExpressionError> {
        self.0.as_ref()
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

/// The columns that every kind has. Rows may be many: what is mostly null takes little room.
#[derive(Debug)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V2__policy.sql"
)]
pub struct Header {
    pub id: i64,
    // In the explanation of every decision that it judged.
    pub name: Option<Arc<str>>,
    pub mode: Mode,
    pub scope: Scope,
    pub applies_when: Option<Box<Condition>>,
    pub on_error: OnError,
    pub active_from: Option<DateTime<Utc>>,
    pub active_until: Option<DateTime<Utc>>,
    pub message: Option<Box<str>>,
    pub translations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct HeaderRow {
    id: i64,
    name: Option<Box<str>>,
    mode: Mode,
    applies_when: Option<Box<Condition>>,
    on_error: OnError,
    active_from: Option<DateTime<Utc>>,
    active_until: Option<DateTime<Utc>>,
    message: Option<Box<str>>,
    translations: Option<BTreeMap<String, String>>,
}

impl Header {
    /// Whether it is in force at a time: from `active_from` on, before `active_until`.
    #[must_use]
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.mode != Mode::Off
            && self.active_from.is_none_or(|from| from <= now)
            && self.active_until.is_none_or(|until| now < until)
    }
}

/// The columns that a kind has of its own.
pub trait Terms: DeserializeOwned {
    /// The kind.
    const KIND: Kind;
}

/// A policy: one row of its kind's table.
#[derive(Debug)]
pub struct Policy<T> {
    /// The columns that every kind has.
    pub header: Header,
    /// The kind's own.
    pub terms: T,
}

/// A row that could not be read: a newer version's, or an edit of the table's shape.
#[derive(Debug, thiserror::Error)]
#[error("a row of policy.{kind} could not be read: {source}")]
pub struct RowError {
    /// The table.
    pub kind: Kind,
    /// What was wrong.
    pub source: serde_json::Error,
}

impl<T: Terms> Policy<T> {
    /// Reads a row.
    pub fn from_row(row: &str) -> Result<Self, RowError> {
        let error = |source| RowError {
            kind: T::KIND,
            source,
        };
        let header: HeaderRow = serde_json::from_str(row).map_err(error)?;
        let scope: Scope = serde_json::from_str(row).map_err(error)?;
        let terms: T = serde_json::from_str(row).map_err(error)?;
        Ok(Self {
            header: Header {
                id: header.id,
                name: header.name.map(Arc::from),
                mode: header.mode,
                scope,
                applies_when: header.applies_when,
                on_error: header.on_error,
                active_from: header.active_from,
                active_until: header.active_until,
                message: header.message,
                translations: header.translations.unwrap_or_default(),
            },
            terms,
        })
    }
}
