//! A change of one policy row, as a ledger event tells it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::kind::Kind;

/// One row before and after. `new` is none for a deleted row.
#[derive(Debug)]
pub struct PolicyChange<'a> {
    /// Its table.
    pub kind: Kind,
    /// Its id.
    pub id: i64,
    /// The row before.
    pub old: Option<&'a str>,
    /// The row after.
    pub new: Option<&'a str>,
}

/// Why an event could not be read as policy changes.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Not the JSON that was expected.
    #[error("not readable: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Written by a newer version.
    #[error("payload version {0} is not known")]
    UnknownVersion(u32),
    /// The rows are in an attachment that was not given.
    #[error("its attachment is missing")]
    AttachmentMissing,
}

#[derive(Deserialize)]
struct Payload<'a> {
    version: u32,
    id: Option<i64>,
    #[serde(borrow)]
    old: Option<&'a RawValue>,
    #[serde(borrow)]
    new: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AttachedRow<'a> {
    id: i64,
    #[serde(borrow)]
    old: Option<&'a RawValue>,
    #[serde(borrow)]
    new: Option<&'a RawValue>,
}

/// The changes that a `policy.*` event tells of, in order: one, or an attachment's many.
pub fn changes<'a>(
    kind: Kind,
    payload: &'a str,
    attachment: Option<&'a str>,
) -> Result<Vec<PolicyChange<'a>>, ChangeError> {
    let row = |value: Option<&'a RawValue>| value.map(RawValue::get);
    let event: Payload<'a> = serde_json::from_str(payload)?;
    if event.version != 1 {
        return Err(ChangeError::UnknownVersion(event.version));
    }
    if let Some(id) = event.id {
        return Ok(vec![PolicyChange {
            kind,
            id,
            old: row(event.old),
            new: row(event.new),
        }]);
    }
    let attachment = attachment.ok_or(ChangeError::AttachmentMissing)?;
    let mut deserializer = serde_json::Deserializer::from_str(attachment);
    let rows = Rows {
        kind,
        // About as many as there are, of half a kilobyte each.
        expected: attachment.len() / 512,
    };
    let changes = deserializer.deserialize_seq(rows)?;
    deserializer.end()?;
    Ok(changes)
}

/// Reads an attachment's rows.
struct Rows {
    kind: Kind,
    expected: usize,
}

impl<'de> Visitor<'de> for Rows {
    type Value = Vec<PolicyChange<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
        let mut changes = Vec::with_capacity(self.expected);
        while let Some(row) = rows.next_element::<AttachedRow<'de>>()? {
            changes.push(PolicyChange {
                kind: self.kind,
                id: row.id,
                old: row.old.map(RawValue::get),
                new: row.new.map(RawValue::get),
            });
        }
        Ok(changes)
    }
}
