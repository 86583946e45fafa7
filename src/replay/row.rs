//! A policy row as text that can be compared: the JSON of an event or of the live table, without its nulls.
//!
//! Without nulls, because a later version's tables may have more columns, in which older rows have nothing; and because of a million
//! rows most columns are null.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The row's columns that are not null, in the table's order.
pub(super) fn without_nulls(row: &str) -> Result<String, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(row);
    let text = deserializer.deserialize_map(Columns)?;
    deserializer.end()?;
    Ok(text)
}

struct Columns;

impl<'de> Visitor<'de> for Columns {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut columns: A) -> Result<String, A::Error> {
        let mut text = String::from("{");
        while let Some((name, value)) = columns.next_entry::<&RawValue, &RawValue>()? {
            if value.get() != "null" {
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(name.get());
                text.push(':');
                text.push_str(value.get());
            }
        }
        text.push('}');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_and_white_space_go() {
        assert_eq!(
            without_nulls(r#"{"id":1, "a" : null,"b":"nu\"ll","c":[null]}"#).unwrap(),
            r#"{"id":1,"b":"nu\"ll","c":[null]}"#
        );
        assert_eq!(without_nulls("{}").unwrap(), "{}");
        assert!(without_nulls("[]").is_err() && without_nulls("{} {}").is_err());
    }
}
