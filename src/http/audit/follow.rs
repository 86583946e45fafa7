//! `GET /v1/events/stream`: server-sent events.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::unfold;

use super::{caller, fault, no_parameters};
use crate::audit::{self, Event};
use crate::http::app::App;
use crate::http::problems::Body as ProblemBody;
use crate::http::problems::Problem;
use crate::http::request_id::RequestId;
use crate::org::Org;

/// So often something is sent, so that nobody between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(10);

const LAST_EVENT_ID: &str = "Last-Event-ID";

/// What is recorded next would be skipped up to that number.
const BEYOND_THE_LEDGER: &str =
    "is beyond the newest event: the ledger was restored to an earlier state, or it is another one";

struct Follower {
    app: Data<App>,
    request: HttpRequest,
    org: Org,
    after: i64,
    waiting: VecDeque<Event>,
    sent: Instant,
}

/// `GET /v1/events/stream`
#[utoipa::path(
    get,
    path = "/v1/events/stream",
    tag = "audit",
    security(("token" = [])),
    params(("Last-Event-ID" = Option<i64>, Header, description = "Go on after this event, which must be on the ledger; else with what comes from now on")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "Each event as it is recorded, and a comment every ten seconds"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
    ),
)]
pub(in crate::http) async fn stream(app: Data<App>, request: HttpRequest) -> HttpResponse {
    match begin(app, request.clone()).await {
        Ok(response) => response,
        Err(problem) => problem.response(RequestId::of(&request).as_str()),
    }
}

async fn begin(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    no_parameters(&request)?;
    let newest = audit::newest(&app.parts.pool, &caller.org).await?;
    let after = match request.headers().get("last-event-id") {
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.parse::<i64>().ok());
            let id = id.filter(|id| *id >= 0);
            let id = id.ok_or_else(|| fault(LAST_EVENT_ID, "must be an event's number"))?;
            if id > newest {
                return Err(fault(LAST_EVENT_ID, BEYOND_THE_LEDGER));
            }
            id
        }
        None => newest,
    };
    let follower = Follower {
        app,
        request,
        org: caller.org,
        after,
        waiting: VecDeque::new(),
        sent: Instant::now(),
    };
    let begun = futures_util::stream::iter([Ok(Bytes::from_static(b": following\n\n"))]);
    let events = unfold(follower, |mut follower| async {
        let piece = follower.next().await?;
        Some((Ok::<_, std::io::Error>(piece), follower))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(futures_util::StreamExt::chain(begun, events)))
}

impl Follower {
    /// The next event or heartbeat; none once the server stops, the token is no longer good, or the ledger was restored or cannot be read.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.after = event.event_id;
                self.sent = Instant::now();
                return Some(message(&event));
            }
            if self.app.stopping.is_cancelled() {
                return None;
            }
            match self.look().await {
                Ok(found) => self.waiting = found.into(),
                Err(problem) => {
                    tracing::info!(org = %self.org, kind = problem.kind.id(), detail = %problem.detail, "a stream of events ends");
                    return None;
                }
            }
            if !self.waiting.is_empty() {
                continue;
            }
            if self.sent.elapsed() >= HEARTBEAT {
                self.sent = Instant::now();
                return Some(Bytes::from_static(b": still here\n\n"));
            }
            tokio::select! {
                () = self.app.stopping.cancelled() => return None,
                () = tokio::time::sleep(audit::FOLLOW_INTERVAL) => {}
            }
        }
    }

    /// What has come since. Each look is authenticated like a call of its own: a token that was revoked meanwhile opens nothing more.
    async fn look(&self) -> Result<Vec<Event>, Problem> {
        caller(&self.app, &self.request).await?;
        let pool = &self.app.parts.pool;
        match audit::newest(pool, &self.org).await?.cmp(&self.after) {
            Ordering::Less => Err(fault(LAST_EVENT_ID, BEYOND_THE_LEDGER)),
            Ordering::Equal => Ok(Vec::new()),
            Ordering::Greater => Ok(audit::events_after(pool, &self.org, self.after).await?),
        }
    }
}

fn message(event: &Event) -> Bytes {
    let mut text = format!("id: {}\nevent: {}\ndata: ", event.event_id, event.r#type);
    audit::push_line(&mut text, event);
    text.push('\n');
    text.into()
}
