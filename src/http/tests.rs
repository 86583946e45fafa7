//! What needs neither a database nor a decider: routes, request ids, panics, limits.

use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{ALLOW, AsHeaderName, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web::{self, Payload};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse};
use serde_json::Value;

use super::body::{PartialBody, read_body};
use super::limits::HttpLimits;
use super::problems::{Problem, ProblemKind};
use super::{observe, routes};

async fn panics() -> HttpResponse {
    panic!("on purpose")
}

/// The response, or what the server makes of an error.
async fn call(request: TestRequest) -> HttpResponse {
    let app = App::new()
        .wrap(from_fn(observe::observe))
        .route("/panic", web::get().to(panics))
        .configure(routes::configure);
    let app = init_service(app).await;
    match try_call_service::<_, _, _, actix_web::Error>(&app, request.to_request()).await {
        Ok(response) => ServiceResponse::into(response),
        Err(error) => error.error_response(),
    }
}

fn header(response: &HttpResponse, name: impl AsHeaderName) -> &str {
    response.headers().get(name).unwrap().to_str().unwrap()
}

async fn problem(response: HttpResponse) -> Value {
    assert_eq!(header(&response, CONTENT_TYPE), "application/problem+json");
    let id = response.headers().get("x-request-id").cloned();
    let body = to_bytes(response.into_body()).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    if let Some(id) = id {
        assert_eq!(body["requestId"], id.to_str().unwrap());
    }
    body
}

#[actix_web::test]
async fn unknown_routes_are_problems() {
    for path in [
        "/",
        "/service/actions",
        "/a/b/c",
        "/v1/decisions/1/2",
        "/%00",
    ] {
        let response = call(TestRequest::get().uri(path)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(problem(response).await["type"], "/problems/unknown-route");
    }
}

#[actix_web::test]
async fn a_slash_too_many_is_named() {
    for (path, words) in [
        (
            "//service/actions/beforeBookAppointment",
            "does the base URL end with a slash?",
        ),
        (
            "/clinic//service/actions/afterClose",
            "does the base URL end with a slash?",
        ),
        (
            "/service/actions/beforeBookAppointment/",
            "ends with a slash",
        ),
        ("/", "what is served"),
    ] {
        let response = call(TestRequest::post().uri(path)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let problem = problem(response).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{path}: {detail}");
    }
}

#[actix_web::test]
async fn other_methods_are_problems() {
    for (method, path, allowed) in [
        (Method::GET, routes::BEFORE_BOOK, "POST"),
        (
            Method::PUT,
            "/acme/service/actions/beforeBookAppointment",
            "POST",
        ),
        (Method::POST, "/healthz", "GET, HEAD"),
        (Method::DELETE, "/v1/decisions/5", "GET, HEAD"),
    ] {
        let response = call(TestRequest::default().method(method).uri(path)).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, ALLOW), allowed);
        assert_eq!(problem(response).await["status"], 405);
    }
}

#[actix_web::test]
async fn a_panic_is_a_problem() {
    let response = call(TestRequest::get().uri("/panic")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(problem(response).await["type"], "/problems/internal");
}

#[actix_web::test]
async fn a_harmless_request_id_is_kept_another_replaced() {
    for (given, is_kept) in [("abc-123", true), ("a b", false)] {
        let request = TestRequest::get()
            .uri("/healthz")
            .insert_header(("X-Request-Id", given));
        let response = call(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "x-request-id") == given, is_kept);
    }
}

#[actix_web::test]
async fn headers_that_a_kind_asks_for() {
    let response = |kind| Problem::new(kind, "").response("id");
    let unauthorized = response(ProblemKind::InvalidSignature);
    assert_eq!(header(&unauthorized, WWW_AUTHENTICATE), "HMAC");
    let bearer = response(ProblemKind::MissingToken);
    assert_eq!(
        header(&bearer, WWW_AUTHENTICATE),
        "Bearer realm=\"bookwarden\""
    );
    for kind in [
        ProblemKind::QueueFull,
        ProblemKind::Unavailable,
        ProblemKind::NotReady,
    ] {
        assert_eq!(header(&response(kind), RETRY_AFTER), "1");
    }
    let body = problem(unauthorized).await;
    assert!(body.get("errors").is_none());
}

fn limits() -> HttpLimits {
    HttpLimits {
        listen: ([127, 0, 0, 1], 0).into(),
        max_body_bytes: 10,
        max_header_bytes: 40,
        request_timeout: Duration::from_millis(50),
        shutdown_timeout: Duration::from_secs(1),
        workers: 1,
    }
}

async fn read(request: TestRequest) -> Result<Vec<u8>, PartialBody> {
    let (request, mut payload) = request.to_http_parts();
    let payload = Payload::from_request(&request, &mut payload).await.unwrap();
    read_body(&request, payload, &limits()).await
}

#[actix_web::test]
async fn a_body_within_its_limits() {
    assert_eq!(read(TestRequest::default()).await.unwrap(), b"");
    let full = TestRequest::default().set_payload("0123456789");
    assert_eq!(read(full).await.unwrap(), b"0123456789");
}

#[actix_web::test]
async fn a_body_too_large() {
    let announced = TestRequest::default().insert_header(("content-length", "11"));
    let partial = read(announced).await.unwrap_err();
    assert_eq!(partial.problem.kind, ProblemKind::BodyTooLarge);
    assert_eq!((partial.size, partial.read.len()), (11, 0));
    let (request, _) = TestRequest::default().to_http_parts();
    let mut chunks = TestRequest::default()
        .set_payload("0123456789A")
        .to_http_parts()
        .1;
    let payload = Payload::from_request(&request, &mut chunks).await.unwrap();
    let partial = read_body(&request, payload, &limits()).await.unwrap_err();
    assert_eq!(partial.problem.kind, ProblemKind::BodyTooLarge);
    assert_eq!(partial.read, b"0123456789");
}

#[test]
fn header_names_and_values_count_together() {
    let fits = |value: &str| {
        let request: HttpRequest = TestRequest::default()
            .insert_header(("x-a", value))
            .to_http_request();
        limits().headers_fit(&request)
    };
    assert!(fits(&"v".repeat(37)));
    assert!(!fits(&"v".repeat(38)));
}
