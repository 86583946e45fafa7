//! The webhook: from a request to a booking, and from a decision to an answer.

use std::str::FromStr;
use std::time::Instant;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, HeaderName};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::actions::{OtherAction, misspelled};
use super::app::App;
use super::body::read_body;
use super::problems::{Problem, ProblemKind};
use super::request_id::RequestId;
use crate::cubu::after::{self, After};
use crate::cubu::request::{self, RequestError};
use crate::decider::{DecideError, FollowUp, Rejection, Submission};
use crate::ledger::digest::sha256;
use crate::org::Org;

pub(super) const DECISION_HEADER: HeaderName = HeaderName::from_static("bookwarden-decision");

/// How much of a refused body is recorded.
const EXCERPT_BYTES: usize = 512;

/// A request that is refused, with what is recorded of it.
struct Refusal {
    problem: Problem,
    body: Vec<u8>,
    size: usize,
}

impl Refusal {
    fn of(problem: impl Into<Problem>, body: Vec<u8>) -> Self {
        Self {
            problem: problem.into(),
            size: body.len(),
            body,
        }
    }
}

/// `beforeBookAppointment`: decides, and answers once the decision is on the ledger.
pub(super) async fn before_book_appointment(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let arrived = Instant::now();
    let called = call(&app, &request, payload, async |org, authentic| {
        let (booking, body, signature) = authentic.parse(request::parse)?;
        let submission = Submission {
            body,
            booking,
            authorization: signature.authorization,
            secret_id: signature.secret_id,
        };
        Ok(app.parts.decider.decide(org, submission).await?)
    });
    match called.await {
        Ok(answer) => {
            app.parts.metrics.decision_duration(arrived.elapsed());
            HttpResponse::Ok()
                .content_type("application/json")
                .insert_header((DECISION_HEADER, answer.decision_id))
                .insert_header((CACHE_CONTROL, "no-store"))
                .body(answer.body.to_string())
        }
        Err(problem) => problem.response(RequestId::of(&request).as_str()),
    }
}

/// `afterBookAppointment`: records it.
pub(super) async fn after_book_appointment(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    follow(app, request, payload, After::Booked).await
}

/// `afterClose`: records it; a case that closes before its appointment frees its place.
pub(super) async fn after_close(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    follow(app, request, payload, After::Closed).await
}

/// Any other call is authenticated and acknowledged; nothing depends on it, so nothing is recorded. Unless Cubu waits for a decision
/// that it would not get: that is refused like a body that is no booking.
pub(super) async fn other_action(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let name = request.match_info().get("action").unwrap_or_default();
    let called = call(&app, &request, payload, async |org, authentic| {
        match OtherAction::of(name) {
            OtherAction::Acknowledged => {}
            OtherAction::Misspelled(meant) => {
                return Err(Refusal::of(misspelled(org, meant), authentic.body).into());
            }
            OtherAction::Unknown => app.unknown_actions.note(org, name),
        }
        Ok(())
    });
    match called.await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(problem) => problem.response(RequestId::of(&request).as_str()),
    }
}

async fn follow(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
    after: After,
) -> HttpResponse {
    let called = call(&app, &request, payload, async |org, authentic| {
        let (case_id, body, signature) = authentic.parse(after::parse)?;
        let follow_up = FollowUp {
            after,
            case_id,
            body,
            authorization: signature.authorization,
            secret_id: signature.secret_id,
        };
        Ok(app.parts.decider.follow(org, follow_up).await?)
    });
    match called.await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(problem) => problem.response(RequestId::of(&request).as_str()),
    }
}

/// Why a call is not answered as it asks.
enum Stopped {
    Refused(Refusal),
    Undecided(DecideError),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DecideError> for Stopped {
    fn from(error: DecideError) -> Self {
        Self::Undecided(error)
    }
}

/// What every call goes through: whose it is, whether it may, what it says; and a refusal is recorded before it is answered.
async fn call<T>(
    app: &App,
    request: &HttpRequest,
    payload: Payload,
    act: impl AsyncFnOnce(&Org, Authentic) -> Result<T, Stopped>,
) -> Result<T, Problem> {
    let org = organization(request)
        .inspect_err(|problem| app.parts.metrics.rejected(problem.kind.id()))?;
    let acted = match admit(app, &org, request, payload).await {
        Ok(authentic) => act(&org, authentic).await,
        Err(refusal) => Err(refusal.into()),
    };
    match acted {
        Ok(done) => Ok(done),
        Err(Stopped::Undecided(error)) => Err(error.into()),
        Err(Stopped::Refused(refusal)) => Err(record(app, &org, refusal).await),
    }
}

/// The organization in the address; `default` where it names none.
pub(super) fn organization(request: &HttpRequest) -> Result<Org, Problem> {
    match request.match_info().get("org") {
        None => Ok(Org::default_org()),
        Some(name) => Org::from_str(name)
            .map_err(|error| Problem::new(ProblemKind::UnknownOrganization, error.to_string())),
    }
}

/// A body whose sender is known.
struct Authentic {
    body: Vec<u8>,
    authorization: Option<String>,
    secret_id: Option<i64>,
    is_encoded: bool,
}

/// Reads, then authenticates: nothing of a stranger's is parsed.
async fn admit(
    app: &App,
    org: &Org,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Authentic, Refusal> {
    if let Err(error) = app.parts.access.require(org).await {
        return Err(Refusal::of(error, Vec::new()));
    }
    let limits = &app.parts.limits;
    if !limits.headers_fit(request) {
        let detail = format!("at most {} bytes", limits.max_header_bytes);
        let problem = Problem::new(ProblemKind::HeadersTooLarge, detail);
        return Err(Refusal::of(problem, Vec::new()));
    }
    let body = match read_body(request, payload, limits).await {
        Ok(body) => body,
        Err(partial) => {
            return Err(Refusal {
                problem: partial.problem,
                body: partial.read,
                size: partial.size,
            });
        }
    };
    let authorization = match authorization(request) {
        Ok(authorization) => authorization,
        Err(error) => return Err(Refusal::of(error, body)),
    };
    let authenticated = (app.parts.access)
        .authenticate(org, authorization, &body)
        .await;
    match authenticated {
        Ok(authenticated) => Ok(Authentic {
            authorization: authorization.map(str::to_owned),
            secret_id: authenticated.secret_id,
            is_encoded: is_encoded(request),
            body,
        }),
        Err(error) => Err(Refusal::of(error, body)),
    }
}

impl Authentic {
    /// Parses the body and keeps its text.
    fn parse<T>(
        self,
        parse: impl FnOnce(&str) -> Result<T, RequestError>,
    ) -> Result<(T, String, Signature), Refusal> {
        let is_encoded = self.is_encoded;
        let text = String::from_utf8(self.body).map_err(|error| {
            let problem = unreadable(error.utf8_error().into(), is_encoded);
            Refusal::of(problem, error.into_bytes())
        })?;
        let signature = Signature {
            authorization: self.authorization,
            secret_id: self.secret_id,
        };
        match parse(&text) {
            Ok(parsed) => Ok((parsed, text, signature)),
            Err(error) => {
                let problem = unreadable(error, is_encoded);
                Err(Refusal::of(problem, text.into_bytes()))
            }
        }
    }
}

/// What is compressed is neither UTF-8 nor JSON, but that is not what its sender has to mend.
fn unreadable(error: RequestError, is_encoded: bool) -> Problem {
    let mut problem = Problem::from(error);
    let is_no_json = [ProblemKind::NotUtf8, ProblemKind::NotJson].contains(&problem.kind);
    if is_encoded && is_no_json {
        problem.detail =
            "by its header Content-Encoding the body is compressed; it has to come as it is".into();
    }
    problem
}

fn is_encoded(request: &HttpRequest) -> bool {
    let mut codings = request.headers().get_all(CONTENT_ENCODING);
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// How a body was signed.
struct Signature {
    authorization: Option<String>,
    secret_id: Option<i64>,
}

fn authorization(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let malformed = |detail| Problem::new(ProblemKind::MalformedSignature, detail);
    let mut values = request.headers().get_all(AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => (value.to_str())
            .map(Some)
            .map_err(|_| malformed("the Authorization header is not plain ASCII text")),
        (Some(_), Some(_)) => Err(malformed(
            "the Authorization header is given more than once",
        )),
    }
}

/// Promise 1 for refusals: on the ledger first, then out. Returns what is to be answered.
async fn record(app: &App, org: &Org, refusal: Refusal) -> Problem {
    let Refusal {
        problem,
        body,
        size,
    } = refusal;
    if problem.kind == ProblemKind::Unavailable {
        return problem;
    }
    app.parts.metrics.rejected(problem.kind.id());
    // Who does not exist has no ledger.
    if problem.kind == ProblemKind::UnknownOrganization {
        return problem;
    }
    let rejection = Rejection {
        reason: problem.kind.id(),
        detail: problem.detail.to_string(),
        size,
        body_digest: sha256(&body),
        excerpt: excerpt(&body),
    };
    match app.parts.decider.reject(org, rejection).await {
        Ok(true) => problem,
        Ok(false) => {
            app.parts.metrics.rejection_dropped();
            problem
        }
        Err(error) => error.into(),
    }
}

/// Text that Postgres can store.
fn excerpt(body: &[u8]) -> String {
    let start = &body[..body.len().min(EXCERPT_BYTES)];
    String::from_utf8_lossy(start).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_bounded_and_storable() {
        assert_eq!(excerpt(b"a\0b\xff"), "a\u{fffd}b\u{fffd}");
        assert_eq!(excerpt(&[b'x'; 2000]).len(), EXCERPT_BYTES);
    }
}
