//! The id by which a request is found in logs, problems and answers.

use std::sync::Arc;

use actix_web::HttpMessage;
use actix_web::http::header::{HeaderMap, HeaderName};
use uuid::Uuid;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 128;

/// The caller's own id if it is harmless, else a new one.
#[derive(Debug, Clone)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    pub(super) fn choose(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
        match given {
            Some(id) if is_harmless(id) => Self(id.into()),
            _ => Self(Uuid::new_v4().to_string().into()),
        }
    }

    /// As the middleware chose it.
    pub(super) fn of(message: &impl HttpMessage) -> Self {
        match message.extensions().get::<Self>() {
            Some(id) => id.clone(),
            None => Self::choose(message.headers()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && (id.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::is_harmless;

    #[test]
    fn only_what_cannot_break_a_log_or_a_header() {
        assert!(is_harmless("0HMVB:00000001-x_y.z/1+2="));
        for id in ["", "a b", "a\"b", "é", &"x".repeat(129)] {
            assert!(!is_harmless(id), "{id}");
        }
    }
}
