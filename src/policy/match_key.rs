//! tmp
use serde_json::value::RawValue;
/// tmp
pub fn match_key(value: &str) -> String {
    value.trim().to_lowercase()
}
/// tmp
pub fn field_texts(value: &RawValue) -> Vec<String> {
    serde_json::from_str::<String>(value.get())
        .into_iter()
        .collect()
}
