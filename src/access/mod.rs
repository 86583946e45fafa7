//! Who may call: webhook secrets (kept in memory, followed as they change) and audit tokens (looked up each time).

pub mod admin;
mod cache;
mod secrets;
pub mod tokens;

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::cubu::signature::SignatureError;
use crate::org::Org;
use cache::Cache;

/// A webhook request whose sender is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authenticated {
    /// The secret that matched; none where the organization accepts unsigned calls and the call was one.
    pub secret_id: Option<i64>,
}

/// Why a webhook request's sender is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No `Authorization` header, or an empty one.
    #[error("the request is not signed")]
    MissingSignature,
    /// Not `HMAC`.
    #[error("the Authorization header's scheme is not HMAC")]
    WrongScheme,
    /// No mac of this scheme.
    #[error(transparent)]
    MalformedSignature(SignatureError),
    /// No live secret of the organization gives this mac for this body.
    #[error("the mac does not match the body under any live secret")]
    InvalidSignature,
    /// The organization has no ledger.
    #[error("there is no such organization")]
    UnknownOrg,
    /// The secrets cannot be read.
    #[error("the webhook secrets cannot be read now")]
    Unavailable,
}

/// The doorkeeper: cheap to clone, one for each process. Stops following changes when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Access {
    cache: Arc<Cache>,
    _follower: Arc<Follower>,
}

#[derive(Debug)]
struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Access {
    /// Starts following the secrets, also while the database is away. Holds one connection of the pool.
    /// Must be called within a Tokio runtime that outlives it.
    #[must_use]
    pub fn start(pool: PgPool) -> Self {
        let cache = Arc::new(Cache::new(pool));
        let follower = tokio::spawn(cache::follow_changes(Arc::clone(&cache)));
        Self {
            cache,
            _follower: Arc::new(Follower(follower)),
        }
    }

    /// Whether there is such an organization. Asked first, so that nothing is kept for names that strangers make up.
    ///
    /// # Errors
    /// When there is none, or that cannot be found out now.
    pub async fn require(&self, org: &Org) -> Result<(), AccessError> {
        match self.cache.get(org) {
            Some(_) => Ok(()),
            None => self.cache.look_up(org).await.map(|_| ()),
        }
    }

    /// Whether the request comes from `org`'s Cubu. Before it says no, it looks whether a secret was added just now.
    ///
    /// # Errors
    /// When the sender is not known.
    pub async fn authenticate(
        &self,
        org: &Org,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<Authenticated, AccessError> {
        let arrived = Instant::now();
        let Some(known) = self.cache.get(org) else {
            let secrets = self.cache.look_up(org).await?;
            return secrets.check(authorization, body, Utc::now());
        };
        match known.secrets.check(authorization, body, Utc::now()) {
            Err(AccessError::MissingSignature | AccessError::InvalidSignature) => {}
            verdict => return verdict,
        }
        let secrets = self.cache.read_again(org, &known, arrived).await?;
        secrets.check(authorization, body, Utc::now())
    }
}
