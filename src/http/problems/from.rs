//! What other layers could not do, as problems.

use super::{Problem, ProblemDetail, ProblemKind};
use crate::access::AccessError;
use crate::access::tokens::TokenError;
use crate::audit::AuditError;
use crate::cubu::request::RequestError;
use crate::cubu::signature::SignatureError;
use crate::decider::DecideError;

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let kind = match error {
            AccessError::MissingSignature => ProblemKind::MissingSignature,
            AccessError::WrongScheme => ProblemKind::WrongScheme,
            // It is base64, and of this body under no secret.
            AccessError::MalformedSignature(SignatureError::OtherLength(_))
            | AccessError::InvalidSignature => ProblemKind::InvalidSignature,
            AccessError::MalformedSignature(_) => ProblemKind::MalformedSignature,
            AccessError::UnknownOrg => ProblemKind::UnknownOrganization,
            AccessError::Unavailable => ProblemKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let detail = error.to_string();
        let (kind, faults) = match error {
            RequestError::NotUtf8 { .. } => (ProblemKind::NotUtf8, Vec::new()),
            RequestError::NotJson { .. } => (ProblemKind::NotJson, Vec::new()),
            RequestError::Fields(faults) => (ProblemKind::InvalidBooking, faults),
        };
        let errors = (faults.into_iter())
            .map(|fault| ProblemDetail {
                path: fault.path,
                message: fault.message,
            })
            .collect();
        Self {
            kind,
            detail: detail.into(),
            errors,
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let kind = match &error {
            DecideError::QueueFull => ProblemKind::QueueFull,
            DecideError::Unavailable => ProblemKind::Unavailable,
            DecideError::UnknownOrg => ProblemKind::UnknownOrganization,
            DecideError::Refused(reason) => {
                tracing::error!(reason, "a booking could not be recorded");
                let detail = "the booking could not be recorded; others were not affected";
                return Self::new(ProblemKind::NotRecorded, detail);
            }
        };
        Self::new(kind, error.to_string())
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let kind = match &error {
            TokenError::Missing => ProblemKind::MissingToken,
            TokenError::Invalid => ProblemKind::InvalidToken,
            TokenError::Unavailable(source) => return database(source),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Database(source) if is_canceled(&source) => {
                tracing::error!(error = %source, "the database did not answer in time");
                let detail = "the database broke the question off, as it does after 30 s: ask for less, such as fewer days";
                Self::new(ProblemKind::QueryTimeout, detail)
            }
            AuditError::Database(source) => database(&source),
            AuditError::Unreadable {
                ref org,
                seq,
                ref source,
            } => {
                tracing::error!(org, seq, %source, "a stored event cannot be read");
                Self::new(ProblemKind::Internal, error.to_string())
            }
            AuditError::Interrupted(ref source) => {
                tracing::error!(%source, "a page was not read");
                Self::new(ProblemKind::Internal, error.to_string())
            }
        }
    }
}

/// `query_canceled` (Postgres, appendix A): `statement_timeout` has passed, or an administrator broke the statement off.
const QUERY_CANCELED: &str = "57014";

fn is_canceled(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some(QUERY_CANCELED)
}

/// What the database said is for the log only.
fn database(error: &sqlx::Error) -> Problem {
    tracing::error!(%error, "the database did not answer a query");
    Problem::new(ProblemKind::Unavailable, "the database is not available")
}
