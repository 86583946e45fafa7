//! Every answer that is not the wished one, as `application/problem+json` (RFC 9457). `docs/problems.md` says what to do about each.

mod from;

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use crate::audit::ParameterFault;

/// Before an id: a relative reference, as nobody is promised a page under an address of ours.
const TYPE_PREFIX: &str = "/problems/";

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $id:literal, $title:literal;)*) => {
        /// The kinds of problems: a closed set, whose ids never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemKind {
            $($(#[$doc])* $name,)*
        }

        impl ProblemKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable word that ends the problem's `type`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// For people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }
        }
    };
}

kinds! {
    /// The body is not UTF-8.
    NotUtf8 = BAD_REQUEST, "not-utf8", "The body is not UTF-8";
    /// The body is not JSON.
    NotJson = BAD_REQUEST, "not-json", "The body is not JSON";
    /// The body is JSON, but not a booking.
    InvalidBooking = BAD_REQUEST, "invalid-booking", "The body is not a booking";
    /// The body broke off.
    UnreadableBody = BAD_REQUEST, "unreadable-body", "The body could not be read";
    /// Query or path parameters.
    InvalidParameters = BAD_REQUEST, "invalid-parameters", "A parameter is not understood";
    /// No signature.
    MissingSignature = UNAUTHORIZED, "missing-signature", "The request is not signed";
    /// Not HMAC.
    WrongScheme = UNAUTHORIZED, "wrong-scheme", "The authorization scheme is not HMAC";
    /// Not base64.
    MalformedSignature = UNAUTHORIZED, "malformed-signature", "The signature cannot be decoded";
    /// A wrong mac.
    InvalidSignature = UNAUTHORIZED, "invalid-signature", "The signature is wrong";
    /// No token.
    MissingToken = UNAUTHORIZED, "missing-token", "A bearer token is needed";
    /// A wrong token.
    InvalidToken = UNAUTHORIZED, "invalid-token", "The bearer token is not valid";
    /// No such organization.
    UnknownOrganization = NOT_FOUND, "unknown-organization", "There is no such organization";
    /// No such decision in the caller's organization.
    UnknownDecision = NOT_FOUND, "unknown-decision", "There is no such decision";
    /// No such case in the caller's organization.
    UnknownCase = NOT_FOUND, "unknown-case", "There is no such case";
    /// No such policy in the caller's organization, and never was.
    UnknownPolicy = NOT_FOUND, "unknown-policy", "There was never such a policy";
    /// No such route.
    UnknownRoute = NOT_FOUND, "unknown-route", "There is nothing at this address";
    /// The route has other methods.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed here";
    /// The body did not arrive in time.
    BodyTimeout = REQUEST_TIMEOUT, "body-timeout", "The body did not arrive in time";
    /// The body is too long.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    /// The headers are too long.
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "The headers are too large";
    /// This booking could not be recorded.
    NotRecorded = INTERNAL_SERVER_ERROR, "not-recorded", "The booking could not be recorded";
    /// A fault of ours.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something went wrong in the service";
    /// Too many bookings wait.
    QueueFull = SERVICE_UNAVAILABLE, "queue-full", "Too many bookings are waiting";
    /// The database is away.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The service cannot decide now";
    /// Postgres took longer for an auditor's question than any may take.
    QueryTimeout = SERVICE_UNAVAILABLE, "query-timeout", "The database took too long for this question";
    /// Not ready for bookings.
    NotReady = SERVICE_UNAVAILABLE, "not-ready", "The service is not ready";
}

/// What is wrong with one field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProblemDetail {
    /// The field's path or the parameter's name.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// A problem, ready to be answered.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which.
    pub kind: ProblemKind,
    /// What happened this time; never customer data.
    pub detail: Cow<'static, str>,
    /// The fields or parameters at fault.
    pub errors: Vec<ProblemDetail>,
}

/// RFC 9457.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ProblemDetail],
}

impl Problem {
    /// A problem without fields at fault.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// Query or path parameters that are not understood.
    #[must_use]
    pub fn parameters(faults: Vec<ParameterFault>) -> Self {
        let errors: Vec<_> = (faults.into_iter())
            .map(|fault| ProblemDetail {
                path: fault.name,
                message: fault.message.to_owned(),
            })
            .collect();
        let listed: Vec<_> = (errors.iter())
            .map(|error| format!("{} {}", error.path, error.message))
            .collect();
        Self {
            detail: listed.join("; ").into(),
            kind: ProblemKind::InvalidParameters,
            errors,
        }
    }

    /// The answer, with the headers that its kind asks for.
    #[must_use]
    pub fn response(&self, request_id: &str) -> HttpResponse {
        let status = self.kind.status();
        let mut response = HttpResponse::build(status);
        match self.kind {
            ProblemKind::MissingSignature
            | ProblemKind::WrongScheme
            | ProblemKind::MalformedSignature
            | ProblemKind::InvalidSignature => {
                response.insert_header((WWW_AUTHENTICATE, "HMAC"));
            }
            ProblemKind::MissingToken => {
                response.insert_header((WWW_AUTHENTICATE, r#"Bearer realm="bookwarden""#));
            }
            ProblemKind::InvalidToken => {
                let challenge = r#"Bearer realm="bookwarden", error="invalid_token""#;
                response.insert_header((WWW_AUTHENTICATE, challenge));
            }
            // The rest of the body is not waited for.
            ProblemKind::BodyTooLarge
            | ProblemKind::BodyTimeout
            | ProblemKind::UnreadableBody
            | ProblemKind::HeadersTooLarge => {
                response.force_close();
            }
            // Asked again at once, it would take as long.
            ProblemKind::QueryTimeout => {}
            kind if kind.status() == StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        let body = Body {
            r#type: format!("{TYPE_PREFIX}{}", self.kind.id()),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
        };
        let body = serde_json::to_string(&body).expect("texts and numbers are always JSON");
        response.content_type("application/problem+json").body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_documented() {
        let documented = include_str!("../../docs/problems.md");
        let ids: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.id()).collect();
        assert_eq!(ids.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            let line = format!("| `{}` | {} |", kind.id(), kind.status().as_u16());
            assert!(documented.contains(&line), "docs/problems.md lacks {line}");
        }
        let rows = documented.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.filter(|line| !line.starts_with("| `/problems"));
        assert_eq!(
            rows.count(),
            ids.len(),
            "docs/problems.md has an id too many"
        );
    }
}
