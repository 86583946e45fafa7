//! What the server accepts, and for how long it waits.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::HttpRequest;

/// The server's limits.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// A longer body is a 413.
    pub max_body_bytes: usize,
    /// Longer header names and values together are a 431.
    pub max_header_bytes: usize,
    /// A body that has not arrived by then is a 408.
    pub request_timeout: Duration,
    /// How long accepted requests may take to be answered once the server stops; whole seconds.
    pub shutdown_timeout: Duration,
    /// Threads that serve requests; 0: one for each core.
    pub workers: usize,
}

impl HttpLimits {
    pub(super) fn headers_fit(&self, request: &HttpRequest) -> bool {
        let bytes: usize = (request.headers().iter())
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        bytes <= self.max_header_bytes
    }
}
