//! Where a search goes on: after a ledger number, so that pages neither skip nor repeat while decisions are added.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

/// Opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "f")]
    filter: String,
    #[serde(rename = "s")]
    seq: i64,
}

/// Why a text is no cursor for this search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not made here.
    #[error("{}", self.message())]
    Malformed,
    /// Made for other filters.
    #[error("{}", self.message())]
    OtherFilters,
}

impl CursorError {
    /// What is wrong, as a parameter's fault.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "must be a nextCursor of an earlier answer",
            Self::OtherFilters => "belongs to a search with other filters",
        }
    }
}

impl Cursor {
    /// Goes on after an event; `search` tells searches apart.
    pub(super) fn after(seq: i64, search: String) -> Self {
        Self {
            version: VERSION,
            filter: search,
            seq,
        }
    }

    /// The text that callers send back.
    #[must_use]
    pub fn encode(&self) -> String {
        let json = serde_json::to_vec(self).expect("numbers and a text are always JSON");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// The ledger number after which this search goes on; they begin at one.
    ///
    /// # Errors
    /// When the text is no cursor, or one of a search with other filters.
    pub(super) fn decode(text: &str, search: &str) -> Result<i64, CursorError> {
        match Self::read(text)? {
            (_, ..1) => Err(CursorError::Malformed),
            (of, seq) if of == search => Ok(seq),
            _ => Err(CursorError::OtherFilters),
        }
    }

    /// What a cursor says, whichever search it belongs to.
    pub(super) fn read(text: &str) -> Result<(String, i64), CursorError> {
        let json = (URL_SAFE_NO_PAD.decode(text)).map_err(|_| CursorError::Malformed)?;
        let cursor: Self = serde_json::from_slice(&json).map_err(|_| CursorError::Malformed)?;
        if cursor.version != VERSION {
            return Err(CursorError::Malformed);
        }
        Ok((cursor.filter, cursor.seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_with_the_same_filters_only() {
        let text = Cursor::after(17, "all".to_owned()).encode();
        assert_eq!(Cursor::decode(&text, "all"), Ok(17));
        assert_eq!(
            Cursor::decode(&text, "other"),
            Err(CursorError::OtherFilters)
        );
    }

    #[test]
    fn anything_else_is_no_cursor() {
        let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
        for text in [
            String::new(),
            "%%%".to_owned(),
            encode("[]"),
            encode(r#"{"v":2,"f":"","s":1}"#),
            encode(r#"{"v":1,"f":"","s":-1}"#),
        ] {
            let verdict = Cursor::decode(&text, "all");
            assert_eq!(verdict, Err(CursorError::Malformed), "{text}");
        }
    }
}
