//! Around every request: its id, its line in the log, its count, and an answer even if a handler panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::app::App;
use super::problems::{Problem, ProblemKind};
use super::request_id::{RequestId, X_REQUEST_ID};
use super::routes;
use super::webhook::{DECISION_HEADER, organization};

pub(super) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let app = (request.app_data::<Data<App>>()).map(|app| Arc::clone(app));
    let request_id = RequestId::choose(request.headers());
    request.extensions_mut().insert(request_id.clone());
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = request_id.as_str());

    let answered = AssertUnwindSafe(async { next.call(request).await }).catch_unwind();
    let answered = answered.instrument(span.clone()).await;

    let _entered = span.enter();
    let response = match answered {
        Ok(Ok(response)) => response.map_into_boxed_body(),
        Ok(Err(error)) => {
            let status = error.as_response_error().status_code();
            return Err(failed(
                app.as_deref(),
                &request_id,
                status,
                &error.to_string(),
            ));
        }
        Err(_panic) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(failed(
                app.as_deref(),
                &request_id,
                status,
                "a handler panicked",
            ));
        }
    };
    let route = routes::label(response.request().match_pattern().as_deref());
    count(app.as_deref(), route, response.status());
    log(&response, &method, route, started.elapsed());
    Ok(with_id(response, &request_id))
}

/// Nothing in our handlers fails this way; what does is the framework, or a bug.
fn failed(app: Option<&App>, id: &RequestId, status: StatusCode, reason: &str) -> Error {
    tracing::error!(reason, "request failed");
    let kind = if status.is_client_error() {
        ProblemKind::InvalidParameters
    } else {
        ProblemKind::Internal
    };
    let problem = Problem::new(kind, "the request could not be served");
    count(app, "unknown", kind.status());
    let mut response: HttpResponse = problem.response(id.as_str());
    insert_id(response.headers_mut(), id);
    InternalError::from_response("request failed", response).into()
}

fn count(app: Option<&App>, route: &'static str, status: StatusCode) {
    if let Some(app) = app {
        app.parts.metrics.http_request(route, status.as_u16());
    }
}

fn log(response: &ServiceResponse, method: &Method, route: &'static str, took: Duration) {
    let status = response.status();
    let decision = (response.headers().get(DECISION_HEADER)).and_then(|id| id.to_str().ok());
    let org = match route {
        routes::BEFORE_BOOK | routes::ORG_BEFORE_BOOK => organization(response.request()).ok(),
        _ => None,
    };
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                %method,
                route,
                org = org.as_ref().map(crate::org::Org::as_str),
                status = status.as_u16(),
                duration_ms = took.as_secs_f64() * 1000.0,
                decision,
                "answered"
            )
        };
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        line!(warn);
    } else if status.is_server_error() {
        line!(error);
    } else if status.is_client_error() {
        line!(info);
    } else {
        line!(debug);
    }
}

fn with_id(mut response: ServiceResponse, id: &RequestId) -> ServiceResponse {
    insert_id(response.headers_mut(), id);
    response
}

fn insert_id(headers: &mut actix_web::http::header::HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(X_REQUEST_ID, value);
    }
}
