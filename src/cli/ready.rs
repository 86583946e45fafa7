//! Whether the service can work with its database: asked once before it starts, and by whoever asks `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::CliError;
use crate::http::{NotReady, Readiness};
use crate::postgres::{is_current, is_gone, is_refusal, may_act_as_app, said};
use crate::settings::Settings;

/// A pool that has no connection by then may never get one: its connections take on a role.
const ASK_WHY_AFTER: Duration = Duration::from_millis(500);

/// As the plain login, before the pool: its role exists only once the schema does.
///
/// A database that is away is no reason not to start: bookings get 503 until it is back, and `/readyz` says so. One that answers
/// and refuses will go on refusing.
pub(super) async fn check(settings: &Settings) -> Result<(), CliError> {
    let options = settings.require_database_url()?.connect_options()?;
    let mut connection = match PgConnection::connect_with(&options).await {
        Ok(connection) => connection,
        Err(error) if is_refusal(&error) => return Err(CliError::Refused(error)),
        Err(error) => {
            let error = said(&error);
            tracing::error!(%error, "the database does not answer; bookings get 503 until it does");
            return Ok(());
        }
    };
    let asked = async {
        if !is_current(&mut connection).await? {
            return Ok(Err(CliError::NotMigrated));
        }
        let (may_act, login) = may_act_as_app(&mut connection).await?;
        let allowed = may_act.then_some(()).ok_or(CliError::NotAMember(login));
        Ok::<_, sqlx::Error>(allowed)
    };
    match asked.await {
        Ok(answer) => answer,
        Err(error) if is_gone(&error) => {
            let error = said(&error);
            tracing::error!(%error, "the database went away; bookings get 503 until it is back");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// What `/readyz` asks: does the database answer, and has it this version's schema?
pub(super) fn readiness(pool: PgPool, options: PgConnectOptions) -> Readiness {
    // Anybody may ask, as often as they like: one at a time connects besides the pool.
    let asking = Arc::new(Semaphore::new(1));
    Arc::new(move || {
        let (pool, options, asking) = (pool.clone(), options.clone(), Arc::clone(&asking));
        Box::pin(async move {
            tokio::select! {
                ready = through_pool(&pool) => ready,
                () = until_barred(&options, &asking) => Err(NotReady::Role),
            }
        })
    })
}

async fn through_pool(pool: &PgPool) -> Result<(), NotReady> {
    let mut connection = pool.acquire().await.map_err(|_| NotReady::Database)?;
    match is_current(&mut *connection).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(NotReady::Schema),
        Err(_) => Err(NotReady::Database),
    }
}

/// Ends only if the login may not take on the service's role: the pool itself says no more than that it has no connection.
async fn until_barred(options: &PgConnectOptions, asking: &Semaphore) {
    sleep(ASK_WHY_AFTER).await;
    let _permit = match asking.try_acquire() {
        Ok(permit) => permit,
        Err(_) => std::future::pending().await,
    };
    let asked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        let may_act = may_act_as_app(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(may_act)
    };
    if !matches!(asked.await, Ok((false, _))) {
        std::future::pending::<()>().await;
    }
}
