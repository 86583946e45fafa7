//! The writers' connections.
//!
//! sqlx's pool asks each connection that is given back for a sign of life, and does not lend it meanwhile: a round trip more for each
//! batch, and with it two or three processes of Postgres that take turns, none with its plans still in the processor's caches. So a
//! connection that a batch has used is kept here for the next that needs it for the same, the last one first. It goes back to the pool when
//! somebody waits for one, when it was idle for a while, and now and then, because the pool knows how old a connection may become.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::Instant;

/// Idle for longer, it is the pool's to say whether it still works.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// The longest that one is kept from the pool.
const LONGEST_KEPT: Duration = Duration::from_secs(60);

/// What a connection is used for: a process of Postgres that does one of the two needs half as much in the processor's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To look up what a batch has to know.
    LookUp,
    /// To record a batch, under the head's lock with all that it takes.
    Record,
}

/// A connection for a batch. Dropped, it goes back to the pool, whatever its state is: see [`Connections::keep`].
#[derive(Debug)]
pub(super) struct Connection {
    pooled: PoolConnection<Postgres>,
    purpose: Purpose,
    lent_at: Instant,
}

impl Connection {
    /// Closes it: its transaction may be open, or its protocol half-way. The server rolls back.
    pub(super) fn discard(self) {
        drop(self.pooled.detach());
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.pooled
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.pooled
    }
}

/// All writers': cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    // The last one is the warmest.
    kept: Mutex<Vec<(Connection, Instant)>>,
    // Who asked the pool. Only the pool can wake them.
    waiting: AtomicUsize,
}

impl Connections {
    pub(super) fn new(pool: PgPool) -> Self {
        Self(Arc::new(Shared {
            pool,
            kept: Mutex::default(),
            waiting: AtomicUsize::new(0),
        }))
    }

    /// How many there are, kept or not.
    pub(super) fn count(&self) -> u32 {
        self.0.pool.size()
    }

    pub(super) async fn acquire(&self, purpose: Purpose) -> Result<Connection, sqlx::Error> {
        let for_the_same = |kept| kept == purpose;
        if let Some(kept) = self.take_kept(for_the_same) {
            return Ok(kept);
        }
        let _waiting = Waiting::begin(&self.0.waiting);
        // Whoever keeps one from here on sees that somebody waits.
        let is_pool_empty = self.is_pool_empty();
        if let Some(kept) = self.take_kept(|kept| is_pool_empty || for_the_same(kept)) {
            return Ok(Connection { purpose, ..kept });
        }
        Ok(Connection {
            pooled: self.0.pool.acquire().await?,
            purpose,
            lent_at: Instant::now(),
        })
    }

    /// Keeps one that has no transaction open, and no answer outstanding, for the next batch.
    pub(super) fn keep(&self, connection: Connection) {
        let now = Instant::now();
        if now - connection.lent_at > LONGEST_KEPT {
            return;
        }
        self.kept().push((connection, now));
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            let given_back = self.kept().pop();
            drop(given_back);
        }
    }

    /// Gives all of them back to the pool.
    pub(super) fn give_back(&self) {
        let kept = std::mem::take(&mut *self.kept());
        drop(kept);
    }

    fn take_kept(&self, fits: impl Fn(Purpose) -> bool) -> Option<Connection> {
        let mut kept = self.kept();
        let last = (kept.iter()).rposition(|(connection, _)| fits(connection.purpose))?;
        let (connection, since) = kept.remove(last);
        if since.elapsed() > LONGEST_IDLE {
            // Those before it were idle for longer.
            let idle: Vec<_> = kept.drain(..last).collect();
            drop(kept);
            drop((connection, idle));
            return None;
        }
        Some(connection)
    }

    /// Whether the pool has none to lend and opens no more.
    fn is_pool_empty(&self) -> bool {
        let pool = &self.0.pool;
        pool.num_idle() == 0 && pool.size() >= pool.options().get_max_connections()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        // Nothing is left half-done by a panic under this lock.
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who asked the pool.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
