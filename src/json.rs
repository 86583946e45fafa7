//! JSON objects, written member by member.
//!
//! Every decision writes an explanation of some sixty members, and a replay writes all of them again. Their names are known and need no
//! escaping, which serde looks for in every byte: that was a fifth of a replay's instructions, hashing aside. A text that does need some, and all
//! that is neither text, id nor date, goes through serde.

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use uuid::Uuid;

/// In bytes. A member with a longer name would be a mistake in the code, and fail in whatever test writes it.
const LONGEST_NAME: usize = 28;

/// An object that is being written to the end of a buffer.
pub(crate) struct Members<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Members<'o> {
    /// Begins an object.
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            is_empty: true,
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        if self.is_empty {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }

    /// Begins a member, whose value is to be written to the end of what is answered. The name must need no escaping.
    // Inlined, the name's length is known where it is written, and all of it is one copy: 4 % fewer of a replay's instructions, hashing aside.
    #[inline(always)]
    pub(crate) fn key(&mut self, name: &'static str) -> &mut Vec<u8> {
        let end = 2 + name.len();
        let mut text = [0; LONGEST_NAME + 4];
        text[0] = if self.is_empty { b'{' } else { b',' };
        text[1] = b'"';
        text[2..end].copy_from_slice(name.as_bytes());
        text[end] = b'"';
        text[end + 1] = b':';
        self.is_empty = false;
        self.out.extend_from_slice(&text[..end + 2]);
        self.out
    }

    /// Any value.
    #[inline(always)]
    pub(crate) fn value(&mut self, name: &'static str, value: impl Serialize) {
        write_value(self.key(name), value);
    }

    /// Any value that there is.
    #[inline(always)]
    pub(crate) fn optional(&mut self, name: &'static str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// Any text, or null.
    pub(crate) fn text(&mut self, name: &'static str, text: Option<&str>) {
        let out = self.key(name);
        match text {
            Some(text) => write_text(out, text),
            None => out.extend_from_slice(b"null"),
        }
    }

    /// A text that needs no escaping.
    #[inline(always)]
    pub(crate) fn word(&mut self, name: &'static str, word: &'static str) {
        write_word(self.key(name), word);
    }

    /// An id that there is.
    #[inline]
    pub(crate) fn optional_id(&mut self, name: &'static str, id: Option<Uuid>) {
        if let Some(id) = id {
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            let text = id.hyphenated().encode_lower(&mut text);
            write_quoted(self.key(name), text.as_bytes());
        }
    }

    /// A date, as chrono writes it.
    #[inline]
    pub(crate) fn date(&mut self, name: &'static str, date: NaiveDate) {
        let out = self.key(name);
        match u32::try_from(date.year()) {
            Ok(year @ 0..=9_999) => {
                let mut text = *b"0000-00-00";
                write_digits(&mut text[0..4], year);
                write_digits(&mut text[5..7], date.month());
                write_digits(&mut text[8..10], date.day());
                write_quoted(out, &text);
            }
            _ => write_value(out, date),
        }
    }

    /// A list, each entry of which writes itself.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        entries: impl IntoIterator<Item = T>,
        write: impl Fn(T, &mut Vec<u8>),
    ) {
        write_list(self.key(name), entries, write);
    }
}

/// A list, each entry of which writes itself.
pub(crate) fn write_list<T>(
    out: &mut Vec<u8>,
    entries: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (position, entry) in entries.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(entry, out);
    }
    out.push(b']');
}

/// A text that needs no escaping.
pub(crate) fn write_word(out: &mut Vec<u8>, word: &'static str) {
    write_quoted(out, word.as_bytes());
}

/// Any text. Few have anything that JSON escapes: quotation marks, reverse solidi, control characters (RFC 8259, section 7).
fn write_text(out: &mut Vec<u8>, text: &str) {
    // To the end in any case, so that many bytes are looked at at once.
    let is_plain = text.bytes().fold(true, |is_plain, byte| {
        is_plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    });
    if is_plain {
        write_quoted(out, text.as_bytes());
    } else {
        write_value(out, text);
    }
}

#[inline]
fn write_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Any value.
pub(crate) fn write_value(out: &mut Vec<u8>, value: impl Serialize) {
    serde_json::to_writer(out, &value)
        .expect("numbers, texts, and structs of them are always JSON, and a buffer takes them");
}

fn write_digits(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        // Less than ten.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::Days;
    use serde_json::json;

    use super::*;

    fn written(write: impl FnOnce(&mut Members<'_>)) -> String {
        let mut out = b"before ".to_vec();
        let mut members = Members::begin(&mut out);
        write(&mut members);
        members.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn members_stand_in_order_and_absent_ones_are_left_out() {
        let id = Uuid::from_u128(0xabc);
        let text = written(|members| {
            members.optional("none", None::<i64>);
            members.value("text", "\"\u{1}é");
            members.value("number", i64::MIN);
            members.word("word", "shadow");
            members.optional_id("no id", None);
            members.optional_id("id", Some(id));
            members.list("list", ["a", "b"], |word, out| write_word(out, word));
            members.list("nothing", [], |word, out| write_word(out, word));
        });
        let expected = r#"before {"text":"\"\u0001é","number":-9223372036854775808,"word":"shadow","id":"00000000-0000-0000-0000-000000000abc","list":["a","b"],"nothing":[]}"#;
        assert_eq!(text, expected);
        assert_eq!(written(|_| {}), "before {}");
    }

    #[test]
    fn texts_are_as_serde_writes_them() {
        let expected = |text: Option<&str>| format!("before {}", json!({ "text": text }));
        assert_eq!(
            written(|members| members.text("text", None)),
            expected(None)
        );
        for character in '\0'..=char::MAX {
            let text = format!("a{character} long enough to be looked at in pieces");
            assert_eq!(
                written(|members| members.text("text", Some(&text))),
                expected(Some(&text))
            );
        }
    }

    #[test]
    fn dates_are_as_chrono_writes_them() {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
        let days = (0..3_652_000)
            .step_by(701)
            .map(|days| first + Days::new(days));
        let ends = [
            NaiveDate::MIN,
            NaiveDate::MAX,
            NaiveDate::from_ymd_opt(0, 12, 31).unwrap(),
        ];
        for date in days.chain(ends) {
            let expected = format!("before {}", json!({ "date": date }));
            assert_eq!(written(|members| members.date("date", date)), expected);
        }
    }
}
