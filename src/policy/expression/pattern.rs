//! Regular expressions within bounds.

use regex::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
const MAX_BYTES: usize = 500;
/// What a pattern may remember of the texts that it has seen, in bytes: there may be many patterns.
const MAX_CACHE_BYTES: usize = 64 << 10;
/// Sizes of compiled patterns, in bytes, and how many steps each byte of a text then costs: in the worst case every state
/// of the automaton is tried at every byte. Measured: 0.1 µs a step.
const STEPS_BY_COMPILED_SIZE: [(usize, u64); 3] = [(4 << 10, 1), (16 << 10, 5), (64 << 10, 20)];

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// What looking at a byte of text may cost.
    pub(super) steps_per_byte: u64,
}

/// The pattern, or what is wrong with it.
pub(super) fn compile(text: &str) -> Result<Pattern, String> {
    if text.len() > MAX_BYTES {
        return Err(format!(
            "the pattern is {} bytes long; at most {MAX_BYTES} are allowed",
            text.len()
        ));
    }
    let text = with_ascii_classes(text)?;
    for (size, steps_per_byte) in STEPS_BY_COMPILED_SIZE {
        match RegexBuilder::new(&text)
            .size_limit(size)
            .dfa_size_limit(MAX_CACHE_BYTES)
            .nest_limit(50)
            .build()
        {
            Ok(regex) => {
                return Ok(Pattern {
                    regex,
                    steps_per_byte,
                });
            }
            Err(regex::Error::CompiledTooBig(_)) => {}
            // The last line says what is wrong; those before draw the pattern.
            Err(error) => {
                return Err(error
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned());
            }
        }
    }
    Err("the pattern is too complex; use smaller repetitions".to_owned())
}

/// In CEL, whose patterns are RE2's, `\d`, `\w`, `\s` and `\b` mean ASCII. It also keeps compiled patterns small, and what
/// they match from changing with the Unicode version.
fn with_ascii_classes(text: &str) -> Result<String, String> {
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            written.push(character);
            continue;
        }
        // A class may stand within a class, so that this holds inside of brackets too.
        match characters.next() {
            Some('d') => written.push_str("[0-9]"),
            Some('D') => written.push_str("[^0-9]"),
            Some('w') => written.push_str("[0-9A-Za-z_]"),
            Some('W') => written.push_str("[^0-9A-Za-z_]"),
            Some('s') => written.push_str("[\\t\\n\\f\\r ]"),
            Some('S') => written.push_str("[^\\t\\n\\f\\r ]"),
            Some('b') => written.push_str("(?-u:\\b)"),
            Some(other @ ('p' | 'P' | 'B')) => {
                return Err(format!("\\{other} is not available in patterns"));
            }
            Some(other) => written.extend(['\\', other]),
            None => written.push('\\'),
        }
    }
    Ok(written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ascii_inside_and_outside_of_brackets() {
        for (pattern, text, wanted) in [
            (r"^\d+$", "123", true),
            (r"^\d+$", "١٢٣", false),
            (r"^[\d-]+$", "1-2", true),
            (r"^[^\d]+$", "1", false),
            (r"^[^\d]+$", "אב", true),
            (r"^\W\S\D$", "אבג", true),
            (r"\bcat\b", "a cat.", true),
            (r"\bcat\b", "concat", false),
            (r"\\d", "\\d", true),
            ("(?i)^שלום É", "שלום é", true),
            (r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", "dana@example.com", true),
        ] {
            assert_eq!(
                compile(pattern).unwrap().regex.is_match(text),
                wanted,
                "{pattern} on {text}"
            );
        }
        for pattern in [
            "(",
            r"(\w{100}){100}",
            "[a",
            r"\p{Greek}",
            "a\\",
            &"a".repeat(501),
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
