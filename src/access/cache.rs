//! The secrets in memory: reloaded when the database says that they changed, every half minute, and before a refusal.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::AccessError;
use super::secrets::{OrgSecrets, Secret};
use crate::org::Org;

/// Notified by whoever changes a secret.
const CHANNEL: &str = "bookwarden_access";
const REFRESH_EVERY: Duration = Duration::from_secs(30);
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How often refused requests may cause one organization's secrets to be read again.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(100);
const READ_WITHIN: Duration = Duration::from_secs(1);

type Row = (
    String,
    bool,
    Option<i64>,
    Option<String>,
    Option<DateTime<Utc>>,
);

/// An organization's secrets, and when refusals last had them read.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) secrets: Arc<OrgSecrets>,
    last_read: Arc<Mutex<Option<LastRead>>>,
}

#[derive(Debug, Clone, Copy)]
struct LastRead {
    started: Instant,
    succeeded: bool,
}

#[derive(Debug)]
pub(super) struct Cache {
    pool: PgPool,
    orgs: RwLock<HashMap<Org, Known>>,
    /// The database did not answer the follower: nothing is read for single requests until it does again.
    is_away: AtomicBool,
    /// One look-up of an unknown organization at a time: strangers can name as many as they like.
    unknown: Mutex<()>,
}

impl Cache {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            orgs: RwLock::default(),
            is_away: AtomicBool::new(false),
            unknown: Mutex::default(),
        }
    }

    pub(super) fn get(&self, org: &Org) -> Option<Known> {
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        orgs.get(org).cloned()
    }

    /// An organization that is not in memory: made just now, or nothing was read yet.
    pub(super) async fn look_up(&self, org: &Org) -> Result<Arc<OrgSecrets>, AccessError> {
        let one_at_a_time = timeout(READ_WITHIN, self.unknown.lock()).await;
        let _one_at_a_time = one_at_a_time.map_err(|_| AccessError::Unavailable)?;
        match self.get(org) {
            Some(known) => Ok(known.secrets),
            None => self.read(org).await,
        }
    }

    /// Reads the secrets again, unless that happened since `arrived`. Requests that are refused at the same time share one read.
    pub(super) async fn read_again(
        &self,
        org: &Org,
        known: &Known,
        arrived: Instant,
    ) -> Result<Arc<OrgSecrets>, AccessError> {
        let mut last_read = known.last_read.lock().await;
        if let Some(last) = *last_read {
            if last.started > arrived && !last.succeeded {
                return Err(AccessError::Unavailable);
            }
            if last.started > arrived {
                let known = self.get(org).ok_or(AccessError::UnknownOrg)?;
                return Ok(known.secrets);
            }
            sleep(READ_AGAIN_AFTER.saturating_sub(last.started.elapsed())).await;
        }
        let started = Instant::now();
        let secrets = self.read(org).await;
        *last_read = Some(LastRead {
            started,
            succeeded: !matches!(secrets, Err(AccessError::Unavailable)),
        });
        secrets
    }

    async fn read(&self, org: &Org) -> Result<Arc<OrgSecrets>, AccessError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(AccessError::Unavailable);
        }
        let sql = include_str!("../../sql/queries/read_webhook_access.sql");
        let rows = sqlx::query_as::<_, Row>(sql)
            .bind(org.as_str())
            .fetch_all(&self.pool);
        let rows = match timeout(READ_WITHIN, rows).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(_)) | Err(_) => return Err(AccessError::Unavailable),
        };
        let mut found = by_org(rows);
        let mut orgs = self.orgs.write().unwrap_or_else(PoisonError::into_inner);
        let Some(secrets) = found.remove(org).map(Arc::new) else {
            orgs.remove(org);
            return Err(AccessError::UnknownOrg);
        };
        remember(&mut orgs, org.clone(), Arc::clone(&secrets));
        Ok(secrets)
    }

    async fn reload(&self) -> Result<(), sqlx::Error> {
        let sql = include_str!("../../sql/queries/list_webhook_access.sql");
        let found = by_org(sqlx::query_as::<_, Row>(sql).fetch_all(&self.pool).await?);
        let mut orgs = self.orgs.write().unwrap_or_else(PoisonError::into_inner);
        orgs.retain(|org, _| found.contains_key(org));
        for (org, secrets) in found {
            remember(&mut orgs, org, Arc::new(secrets));
        }
        Ok(())
    }
}

fn remember(orgs: &mut HashMap<Org, Known>, org: Org, secrets: Arc<OrgSecrets>) {
    let last_read = (orgs.get(&org))
        .map(|known| Arc::clone(&known.last_read))
        .unwrap_or_default();
    orgs.insert(org, Known { secrets, last_read });
}

fn by_org(rows: Vec<Row>) -> HashMap<Org, OrgSecrets> {
    let mut orgs: HashMap<Org, OrgSecrets> = HashMap::new();
    for (org, accepts_unsigned, id, text, expires_at) in rows {
        // The database has the same constraint on names.
        let Ok(org) = Org::from_str(&org) else {
            continue;
        };
        let entry = orgs.entry(org).or_default();
        entry.accepts_unsigned = accepts_unsigned;
        if let (Some(id), Some(text)) = (id, text) {
            entry.secrets.push(Secret {
                id,
                text,
                expires_at,
            });
        }
    }
    orgs
}

/// Runs until the pool is closed.
pub(super) async fn follow_changes(cache: Arc<Cache>) {
    loop {
        let error = match listen(&cache).await {
            sqlx::Error::PoolClosed => return,
            error => error,
        };
        if !cache.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "webhook secrets cannot be followed; trying again");
        }
        sleep(RETRY_AFTER).await;
    }
}

async fn listen(cache: &Cache) -> sqlx::Error {
    let mut listener = match PgListener::connect_with(&cache.pool).await {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    if let Err(error) = listener.listen(CHANNEL).await {
        return error;
    }
    loop {
        // Also ready, with nothing, after the connection was lost and made again: notifications may have been missed.
        let mut change = std::pin::pin!(listener.try_recv());
        loop {
            if let Err(error) = cache.reload().await {
                return error;
            }
            if cache.is_away.swap(false, Ordering::Relaxed) {
                tracing::info!("webhook secrets are followed again");
            }
            tokio::select! {
                heard = &mut change => match heard {
                    Ok(_) => break,
                    Err(error) => return error,
                },
                () = sleep(REFRESH_EVERY) => {}
            }
        }
    }
}
