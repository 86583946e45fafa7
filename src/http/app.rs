//! What the handlers work with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::actions::UnknownActions;
use super::limits::HttpLimits;
use crate::access::Access;
use crate::decider::Decider;
use crate::telemetry::Metrics;

/// Why the service should get no bookings now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The database did not answer.
    #[error("the database is not available")]
    Database,
    /// The login may not take on the service's role.
    #[error("the login of DATABASE_URL may not act as bookwarden_app: `grant bookwarden_app to …`")]
    Role,
    /// Migrations are missing.
    #[error("the database schema is not current: run `bookwarden migrate`")]
    Schema,
}

/// Asks whether the database is reachable and its schema current.
pub type Readiness =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), NotReady>> + Send>> + Send + Sync>;

/// What a server is made of.
#[derive(Clone)]
pub struct Parts {
    /// What it accepts.
    pub limits: HttpLimits,
    /// For looking back.
    pub pool: PgPool,
    /// For bookings.
    pub decider: Decider,
    /// Who may call.
    pub access: Access,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// What `/readyz` asks.
    pub readiness: Readiness,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The parts of a running server.
#[derive(Debug)]
pub(super) struct App {
    pub(super) parts: Parts,
    /// Cancelled once the server stops accepting.
    pub(super) stopping: CancellationToken,
    pub(super) unknown_actions: UnknownActions,
}
