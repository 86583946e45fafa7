//! Reads a body within its limits of size and time.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::limits::HttpLimits;
use super::problems::{Problem, ProblemKind};

/// A body that did not come whole.
#[derive(Debug)]
pub(super) struct PartialBody {
    pub(super) problem: Problem,
    /// What had come.
    pub(super) read: Vec<u8>,
    /// The announced length, or what had come.
    pub(super) size: usize,
}

pub(super) async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    limits: &HttpLimits,
) -> Result<Vec<u8>, PartialBody> {
    let announced = (request.headers().get(CONTENT_LENGTH))
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let mut read = Vec::with_capacity(announced.unwrap_or(0).min(limits.max_body_bytes));
    let kind = if announced.is_some_and(|length| length > limits.max_body_bytes) {
        Some(ProblemKind::BodyTooLarge)
    } else {
        let all = collect(payload, limits.max_body_bytes, &mut read);
        match timeout(limits.request_timeout, all).await {
            Ok(kind) => kind,
            Err(_) => Some(ProblemKind::BodyTimeout),
        }
    };
    let Some(kind) = kind else {
        return Ok(read);
    };
    let detail = match kind {
        ProblemKind::BodyTooLarge => format!("at most {} bytes", limits.max_body_bytes),
        ProblemKind::BodyTimeout => format!("waited {} s", limits.request_timeout.as_secs_f32()),
        _ => "the connection or the transfer encoding broke off".to_owned(),
    };
    Err(PartialBody {
        problem: Problem::new(kind, detail),
        size: announced.unwrap_or(read.len()),
        read,
    })
}

/// None: all of it came.
async fn collect(mut payload: Payload, limit: usize, read: &mut Vec<u8>) -> Option<ProblemKind> {
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else {
            return Some(ProblemKind::UnreadableBody);
        };
        if chunk.len() > limit - read.len() {
            read.extend_from_slice(&chunk[..limit - read.len()]);
            return Some(ProblemKind::BodyTooLarge);
        }
        read.extend_from_slice(&chunk);
    }
    None
}
