//! The server: binds, serves, and stops without leaving an accepted request unanswered.

use std::net::SocketAddr;
use std::{fmt, io};

use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use tokio_util::sync::CancellationToken;

use super::actions::UnknownActions;
use super::app::{App, Parts};
use super::observe::observe;
use super::routes;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// Where it was told to.
    pub address: SocketAddr,
    #[source]
    source: io::Error,
}

/// A server that listens and, once run, answers.
pub struct Server {
    server: actix_web::dev::Server,
    local_addr: SocketAddr,
    stopping: CancellationToken,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the address; nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn bind(parts: Parts) -> Result<Self, BindError> {
        let limits = parts.limits.clone();
        let stopping = CancellationToken::new();
        let app = Data::new(App {
            parts,
            stopping: stopping.clone(),
            unknown_actions: UnknownActions::default(),
        });
        let mut http = HttpServer::new(move || {
            ActixApp::new()
                .app_data(app.clone())
                .wrap(from_fn(observe))
                .configure(routes::configure)
        })
        .client_request_timeout(limits.request_timeout)
        .shutdown_timeout(limits.shutdown_timeout.as_secs().max(1))
        .disable_signals();
        if limits.workers > 0 {
            http = http.workers(limits.workers);
        }
        let http = http.bind(limits.listen).map_err(|source| BindError {
            address: limits.listen,
            source,
        })?;
        let local_addr = http.addrs().first().copied().unwrap_or(limits.listen);
        Ok(Self {
            server: http.run(),
            local_addr,
            stopping,
        })
    }

    /// Where it listens: the port that was taken if it was told 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `stop` is cancelled, then stops accepting and answers what was accepted.
    ///
    /// # Errors
    /// When the server breaks down by itself.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let Self {
            mut server,
            stopping,
            ..
        } = self;
        let handle = server.handle();
        tokio::select! {
            ended = &mut server => return ended,
            () = stop.cancelled() => {}
        }
        stopping.cancel();
        let ((), ended) = tokio::join!(handle.stop(true), server);
        ended
    }
}
