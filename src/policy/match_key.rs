//! How the value of a case field is compared with a blocklist's `field_value`.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

/// A value as it is compared: without white space around it, in lower case. The same as the SQL function
/// `policy.match_key`, by which the blocklist is indexed.
///
/// Both sides map every character by itself: Unicode's one rule that looks at the neighbours, the final sigma, is undone.
#[must_use]
pub fn match_key(value: &str) -> String {
    let value = value.trim();
    if value.is_ascii() {
        return value.to_ascii_lowercase();
    }
    value.to_lowercase().replace('ς', "σ")
}

/// The texts of a case field that are compared: a text is itself, a number or boolean its JSON text, a list each of its
/// elements that is one of these; null and objects have none. In the order of the JSON.
#[must_use]
pub fn field_texts(value: &RawValue) -> Vec<Cow<'_, str>> {
    let text = value.get().trim();
    match text.as_bytes().first() {
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            elements
                .into_iter()
                .filter_map(|element| scalar_text(element.get()))
                .collect()
        }
        _ => scalar_text(text).into_iter().collect(),
    }
}

fn scalar_text(text: &str) -> Option<Cow<'_, str>> {
    match text.as_bytes().first()? {
        b'[' | b'{' | b'n' => None,
        // What Postgres cannot store, half a surrogate pair or U+0000, cannot be in a blocklist either, nor be asked for.
        b'"' => match serde_json::from_str(text) {
            Ok(text) => Some(Cow::Borrowed(text)),
            // With escapes.
            Err(_) => match serde_json::from_str(text) {
                Ok(Value::String(text)) if !text.contains('\0') => Some(Cow::Owned(text)),
                _ => None,
            },
        },
        // As it was written: 1.0 is not 1, and a long number keeps all of its digits.
        _ => Some(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts(json: &str) -> Vec<String> {
        let value = RawValue::from_string(json.to_owned()).unwrap();
        field_texts(&value)
            .into_iter()
            .map(Cow::into_owned)
            .collect()
    }

    #[test]
    fn values_match_whatever_their_case_and_the_space_around_them() {
        for (value, key) in [
            (" Dana@Example.COM\t", "dana@example.com"),
            ("\u{3000}\u{a0}\u{2028}x y\u{85}", "x y"),
            ("ÀÉÎ", "àéî"),
            ("ΑΣ", "ασ"),
            ("ας", "ασ"),
            ("ασ", "ασ"),
            ("ΑΣ ΒΣ.", "ασ βσ."),
            ("İ", "i\u{307}"),
            ("ẞ", "ß"),
            ("שלום", "שלום"),
            ("\u{200b}x", "\u{200b}x"),
            (" \t", ""),
            ("", ""),
        ] {
            assert_eq!(match_key(value), key, "{value:?}");
        }
    }

    #[test]
    fn every_character_is_mapped_by_itself() {
        for character in ('\u{1}'..=char::MAX).filter(|character| !character.is_whitespace()) {
            let alone = match_key(&character.to_string());
            assert_eq!(
                match_key(&format!("a{character}")),
                format!("a{alone}"),
                "U+{:04X}",
                character as u32
            );
            assert_eq!(
                match_key(&format!("a{character}b")),
                format!("a{alone}b"),
                "U+{:04X}",
                character as u32
            );
        }
    }

    #[test]
    fn keys_are_their_own_keys() {
        for character in '\u{1}'..=char::MAX {
            let key = match_key(&character.to_string());
            assert_eq!(match_key(&key), key, "U+{:04X}", character as u32);
        }
    }

    #[test]
    fn a_field_has_the_texts_of_its_scalars() {
        for (json, wanted) in [
            (r#""a""#, vec!["a"]),
            (r#" "\u00e9\n" "#, vec!["é\n"]),
            ("12345678901234567890123", vec!["12345678901234567890123"]),
            ("1.0", vec!["1.0"]),
            ("true", vec!["true"]),
            ("null", vec![]),
            (r#"{"a":"b"}"#, vec![]),
            (
                r#"["a", 1 , false, null, ["b"], {"c":1}, "d"]"#,
                vec!["a", "1", "false", "d"],
            ),
            ("[]", vec![]),
            (r#""""#, vec![""]),
            (r#""\ud800""#, vec![]),
            (r#""a\u0000b""#, vec![]),
        ] {
            assert_eq!(texts(json), wanted, "{json}");
        }
    }
}
