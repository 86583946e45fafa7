//! Regular expressions within bounds.

use regex::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
const MAX_BYTES: usize = 500;
/// The largest compiled pattern, in bytes: what matching a character can cost grows with it.
const MAX_COMPILED_BYTES: usize = 128 * 1024;

/// The pattern, or what is wrong with it.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    if text.len() > MAX_BYTES {
        return Err(format!(
            "the pattern is {} bytes long; at most {MAX_BYTES} are allowed",
            text.len()
        ));
    }
    RegexBuilder::new(text)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(1 << 20)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "the pattern is too complex; use smaller repetitions".to_owned()
            }
            // The last line says what is wrong; those before draw the pattern.
            error => error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .to_owned(),
        })
}
