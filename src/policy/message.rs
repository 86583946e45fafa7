//! tmp
use std::collections::BTreeMap;
/// tmp
pub fn pick_message<'a>(
    message: Option<&'a str>,
    _t: &'a BTreeMap<String, String>,
    _l: Option<&str>,
    default: &'a str,
) -> &'a str {
    message.unwrap_or(default)
}
