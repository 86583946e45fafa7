//! Bearer tokens of the audit API. Looked up for every request, so that a revoked token is refused at once.

use std::str::FromStr;

use sqlx::PgPool;

use crate::ledger::digest::sha256;
use crate::org::Org;

/// What a token is for. Both roles read the same: the audit API only reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Looks back at decisions and events.
    Auditor,
    /// Runs the service.
    Operator,
}

impl Role {
    /// As the table writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

/// Who calls the audit API.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The one organization that the caller may see.
    pub org: Org,
    /// The token's number.
    pub token_id: i64,
    /// The token's name.
    pub name: String,
}

/// Why a caller is not known.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No `Authorization: Bearer …`.
    #[error("the request carries no bearer token")]
    Missing,
    /// No such token, or not any more.
    #[error("the bearer token is unknown, expired or revoked")]
    Invalid,
    /// The database did not answer.
    #[error("tokens cannot be looked up now")]
    Unavailable(#[source] sqlx::Error),
}

/// Who calls, by the value of the `Authorization` header.
///
/// # Errors
/// When the caller is not known.
pub async fn find_caller(pool: &PgPool, authorization: Option<&str>) -> Result<Caller, TokenError> {
    let token = bearer_token(authorization.unwrap_or_default())?;
    let sql = include_str!("../../sql/queries/find_audit_token.sql");
    let found = sqlx::query_as::<_, (i64, String, String, String)>(sql)
        .bind(sha256(token.as_bytes()).as_slice())
        .fetch_optional(pool)
        .await
        .map_err(TokenError::Unavailable)?;
    let (token_id, org, name, role) = found.ok_or(TokenError::Invalid)?;
    // Of a role that a later version knows.
    let is_known = [Role::Auditor, Role::Operator]
        .map(Role::as_str)
        .contains(&&*role);
    if !is_known {
        return Err(TokenError::Invalid);
    }
    Ok(Caller {
        org: Org::from_str(&org).map_err(|_| TokenError::Invalid)?,
        token_id,
        name,
    })
}

fn bearer_token(authorization: &str) -> Result<&str, TokenError> {
    match authorization.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(token.trim_start()),
        _ => Err(TokenError::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_in_the_header() {
        assert_eq!(bearer_token("Bearer abc").unwrap(), "abc");
        assert_eq!(bearer_token("bearer  abc ").unwrap(), "abc");
        for value in ["", "Bearer", "Basic abc", "abc"] {
            assert!(matches!(bearer_token(value), Err(TokenError::Missing)));
        }
    }
}
