//! What is served where.

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};

use super::problems::{Problem, ProblemKind};
use super::request_id::RequestId;
use super::{audit, health, openapi, webhook};

pub(super) const BEFORE_BOOK: &str = "/service/actions/beforeBookAppointment";
pub(super) const ORG_BEFORE_BOOK: &str = "/{org}/service/actions/beforeBookAppointment";
const HEALTHZ: &str = "/healthz";
const READYZ: &str = "/readyz";
const METRICS: &str = "/metrics";
const DECISIONS: &str = "/v1/decisions";
const DECISION: &str = "/v1/decisions/{decisionId}";

const EVENTS: &str = "/v1/events";
const CASE: &str = "/v1/cases/{caseId}";
const POLICIES: &str = "/v1/policies";
const HISTORY: &str = "/v1/policies/{kind}/{id}/history";
const STATS: &str = "/v1/stats";
const EVENT_STREAM: &str = "/v1/events/stream";
const OPENAPI: &str = "/openapi.json";
const DOCS: &str = "/docs";

const ALL: &[&str] = &[
    BEFORE_BOOK,
    ORG_BEFORE_BOOK,
    HEALTHZ,
    READYZ,
    METRICS,
    DECISIONS,
    DECISION,
    EVENTS,
    CASE,
    POLICIES,
    HISTORY,
    STATS,
    EVENT_STREAM,
    OPENAPI,
    DOCS,
];

/// The route's own pattern, for labels: an address could be anything.
pub(super) fn label(pattern: Option<&str>) -> &'static str {
    (ALL.iter().copied())
        .find(|route| Some(*route) == pattern)
        .unwrap_or("unknown")
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(post(
            BEFORE_BOOK,
            web::post().to(webhook::before_book_appointment),
        ))
        .service(post(
            ORG_BEFORE_BOOK,
            web::post().to(webhook::before_book_appointment),
        ))
        .service(get(HEALTHZ, || web::route().to(health::healthz)))
        .service(get(READYZ, || web::route().to(health::readyz)))
        .service(get(METRICS, || web::route().to(health::metrics)))
        .service(get(DECISIONS, || web::route().to(audit::decisions::search)))
        .service(get(DECISION, || web::route().to(audit::decisions::read)))
        .service(get(EVENTS, || web::route().to(audit::events::search)))
        .service(get(CASE, || web::route().to(audit::cases::read)))
        .service(get(POLICIES, || web::route().to(audit::policies::as_of)))
        .service(get(HISTORY, || web::route().to(audit::policies::history)))
        .service(get(STATS, || web::route().to(audit::stats::count)))
        .service(get(EVENT_STREAM, || web::route().to(audit::follow::stream)))
        .service(get(OPENAPI, || web::route().to(openapi::openapi)))
        .service(get(DOCS, || web::route().to(openapi::docs)))
        .default_service(web::to(unknown_route));
}

fn post(path: &str, route: Route) -> Resource {
    let not_allowed = |request: HttpRequest| async move { method_not_allowed(&request, "POST") };
    web::resource(path)
        .route(route)
        .default_service(web::to(not_allowed))
}

fn get(path: &str, route: impl Fn() -> Route) -> Resource {
    let not_allowed =
        |request: HttpRequest| async move { method_not_allowed(&request, "GET, HEAD") };
    web::resource(path)
        .route(route().method(actix_web::http::Method::GET))
        .route(route().method(actix_web::http::Method::HEAD))
        .default_service(web::to(not_allowed))
}

fn method_not_allowed(request: &HttpRequest, allowed: &'static str) -> HttpResponse {
    let problem = Problem::new(ProblemKind::MethodNotAllowed, format!("allowed: {allowed}"));
    let mut response = problem.response(RequestId::of(request).as_str());
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

async fn unknown_route(request: HttpRequest) -> HttpResponse {
    let detail = "see the documentation for what is served";
    Problem::new(ProblemKind::UnknownRoute, detail).response(RequestId::of(&request).as_str())
}
