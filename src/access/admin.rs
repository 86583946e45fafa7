//! Changing who may call: what `bookwarden secret`, `token` and `org` do, with the operator's own login. Running servers
//! learn of a change through `NOTIFY bookwarden_access` (sql/triggers/access_notify.sql).

pub mod organizations;
pub mod secrets;
pub mod tokens;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::org::Org;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No such organization.
    #[error(
        "there is no organization {0:?}; `bookwarden org list` shows all, `bookwarden org add {0}` makes it"
    )]
    UnknownOrg(String),
    /// No such secret.
    #[error("there is no secret {0}; `bookwarden secret list` shows all")]
    UnknownSecret(i64),
    /// No such token.
    #[error("there is no token {0} that could be revoked; `bookwarden token list` shows all")]
    UnknownToken(i64),
    /// The system gives no randomness.
    #[error("the system gives no random numbers: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl AdminError {
    fn unknown_org(org: &Org) -> Self {
        Self::UnknownOrg(org.as_str().into())
    }
}

/// 32 random bytes as text that can stand in a URL, a header and a shell.
#[expect(
    clippy::disallowed_methods,
    reason = "a secret is made here, where it is stored"
)]
fn random_text() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
