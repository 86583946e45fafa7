//! Which words a person who books gets to read.

use std::collections::BTreeMap;

/// The text in the booking's language: the translation of exactly that language (`en-US`, whatever its case, `_` for `-`),
/// else of its primary subtag (`en`), else the policy's message, else the default. Blank texts count as missing.
#[must_use]
pub fn pick_message<'a>(
    message: Option<&'a str>,
    translations: &'a BTreeMap<String, String>,
    language: Option<&str>,
    default: &'a str,
) -> &'a str {
    let translated = language.map(str::trim).and_then(|language| {
        let primary = language.split(['-', '_']).next().unwrap_or(language);
        translation(translations, language).or_else(|| translation(translations, primary))
    });
    translated
        .or(message)
        .filter(|text| !is_blank(text))
        .unwrap_or(default)
}

fn translation<'a>(translations: &'a BTreeMap<String, String>, language: &str) -> Option<&'a str> {
    translations
        .iter()
        .find(|(of, text)| same_language(of.trim(), language) && !is_blank(text))
        .map(|(_, text)| text.as_str())
}

fn same_language(left: &str, right: &str) -> bool {
    let plain = |byte: u8| {
        if byte == b'_' {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        }
    };
    left.bytes().map(plain).eq(right.bytes().map(plain))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_language_wins() {
        let translations: BTreeMap<String, String> = [
            ("en", "English"),
            ("en-GB", "British"),
            ("he", "עברית"),
            ("PT_br", "Brasil"),
            ("fr", " "),
        ]
        .map(|(language, text)| (language.to_owned(), text.to_owned()))
        .into();
        for (language, wanted) in [
            (Some("en"), "English"),
            (Some("EN"), "English"),
            (Some("en-US"), "English"),
            (Some("en_us"), "English"),
            (Some("en-gb"), "British"),
            (Some("EN_GB"), "British"),
            (Some("en-GB-oed"), "English"),
            (Some("he-IL"), "עברית"),
            (Some(" he "), "עברית"),
            (Some("pt-BR"), "Brasil"),
            (Some("pt"), "message"),
            (Some("fr-CA"), "message"),
            (Some("eng"), "message"),
            (Some(""), "message"),
            (None, "message"),
        ] {
            assert_eq!(
                pick_message(Some("message"), &translations, language, "default"),
                wanted,
                "{language:?}"
            );
        }
        assert_eq!(
            pick_message(None, &translations, Some("de"), "default"),
            "default"
        );
        assert_eq!(
            pick_message(Some(" "), &translations, None, "default"),
            "default"
        );
        assert_eq!(
            pick_message(None, &translations, Some("he"), "default"),
            "עברית"
        );
    }
}
