//! What is served where.

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};

use super::problems::{Problem, ProblemKind};
use super::request_id::RequestId;
use super::{audit, health, openapi, webhook};

pub(super) const BEFORE_BOOK: &str = "/service/actions/beforeBookAppointment";
pub(super) const ORG_BEFORE_BOOK: &str = "/{org}/service/actions/beforeBookAppointment";
pub(super) const AFTER_BOOK: &str = "/service/actions/afterBookAppointment";
pub(super) const ORG_AFTER_BOOK: &str = "/{org}/service/actions/afterBookAppointment";
pub(super) const AFTER_CLOSE: &str = "/service/actions/afterClose";
pub(super) const ORG_AFTER_CLOSE: &str = "/{org}/service/actions/afterClose";
pub(super) const OTHER_ACTION: &str = "/service/actions/{action}";
pub(super) const ORG_OTHER_ACTION: &str = "/{org}/service/actions/{action}";
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
    AFTER_BOOK,
    ORG_AFTER_BOOK,
    AFTER_CLOSE,
    ORG_AFTER_CLOSE,
    OTHER_ACTION,
    ORG_OTHER_ACTION,
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
    for (path, org_path, route) in webhook_routes() {
        config
            .service(post(path, route()))
            .service(post(org_path, route()));
    }
    config
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

type MakeRoute = fn() -> Route;

/// Each call, for the organization `default` and for any.
fn webhook_routes() -> [(&'static str, &'static str, MakeRoute); 4] {
    [
        (BEFORE_BOOK, ORG_BEFORE_BOOK, || {
            web::post().to(webhook::before_book_appointment)
        }),
        (AFTER_BOOK, ORG_AFTER_BOOK, || {
            web::post().to(webhook::after_book_appointment)
        }),
        (AFTER_CLOSE, ORG_AFTER_CLOSE, || {
            web::post().to(webhook::after_close)
        }),
        // The last, since it fits all of them.
        (OTHER_ACTION, ORG_OTHER_ACTION, || {
            web::post().to(webhook::other_action)
        }),
    ]
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
    let path = request.path();
    let detail = if path.contains("//") {
        "there is an empty part in the address: does the base URL end with a slash?"
    } else if path.len() > 1 && path.ends_with('/') {
        "the address ends with a slash: leave it out"
    } else {
        "see the documentation for what is served; upper and lower case matter"
    };
    Problem::new(ProblemKind::UnknownRoute, detail).response(RequestId::of(&request).as_str())
}
