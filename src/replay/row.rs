//! A policy row as text that can be compared: the JSON of an event or of the live table, without its nulls.
//!
//! Without nulls, because a later version's tables may have more columns, in which older rows have nothing; and because of a million
//! rows most columns are null.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The row's columns that are not null, in the table's order.
pub(super) fn without_nulls(row: &str) -> Result<String, serde_json::Error> {
    Row::read(row).map(|row| row.text)
}

/// A row that was read.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Its columns that are not null, in the table's order.
    pub(super) text: String,
    id: Option<&'a RawValue>,
    org: Option<&'a RawValue>,
}

impl<'a> Row<'a> {
    pub(super) fn read(row: &'a str) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(row);
        let row = deserializer.deserialize_map(Columns)?;
        deserializer.end()?;
        Ok(row)
    }

    /// Whether it says that it is this one.
    pub(super) fn is(&self, id: i64, org: &str) -> bool {
        let found_id = self.id.and_then(|id| serde_json::from_str(id.get()).ok());
        let found_org = self
            .org
            .and_then(|org| serde_json::from_str(org.get()).ok());
        found_id == Some(id) && found_org.is_some_and(|found: Cow<'_, str>| found == org)
    }
}

struct Columns;

impl<'de> Visitor<'de> for Columns {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut columns: A) -> Result<Row<'de>, A::Error> {
        let mut text = String::from("{");
        let (mut id, mut org) = (None, None);
        while let Some((name, value)) = columns.next_entry::<&RawValue, &RawValue>()? {
            if value.get() != "null" {
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(name.get());
                text.push(':');
                text.push_str(value.get());
            }
            let known = match name.get() {
                "\"id\"" => id.replace(value),
                "\"org\"" => org.replace(value),
                _ => None,
            };
            if known.is_some() {
                return Err(A::Error::custom("a column is given twice"));
            }
        }
        text.push('}');
        Ok(Row { text, id, org })
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

    #[test]
    fn a_row_says_which_it_is() {
        let is = |row| Row::read(row).unwrap().is(7, "north");
        assert!(is(r#"{"id": 7, "org":"n\u006frth"}"#));
        for other in [
            r#"{"id":8,"org":"north"}"#,
            r#"{"id":7,"org":"south"}"#,
            r#"{"id":"7","org":"north"}"#,
            r#"{"org":"north"}"#,
            r#"{"id":7}"#,
            r#"{"id":7,"org":null}"#,
        ] {
            assert!(!is(other), "{other}");
        }
        for twice in [
            r#"{"id":7,"org":"north","id":7}"#,
            r#"{"id":7,"org":"north","org":null}"#,
            r#"{"id":null,"org":"north","id":7}"#,
        ] {
            assert!(Row::read(twice).is_err(), "{twice}");
        }
    }
}
