//! For those who run the service: is it alive, is it ready, how is it doing.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::timeout;

use super::app::{App, NotReady};
use super::problems::{Problem, ProblemKind};
use super::request_id::RequestId;

const READY_WITHIN: Duration = Duration::from_secs(2);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Alive, whatever the database does.
pub(super) async fn healthz() -> HttpResponse {
    let body = r#"{"status":"ok"}"#;
    HttpResponse::Ok()
        .content_type("application/json")
        .body(body)
}

/// Ready for bookings: the database answers, its schema is current, and the server is not stopping.
pub(super) async fn readyz(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let detail = if app.stopping.is_cancelled() {
        "the server is stopping".to_owned()
    } else {
        let ready = timeout(READY_WITHIN, (app.parts.readiness)()).await;
        match ready.unwrap_or(Err(NotReady::Database)) {
            Ok(()) => {
                let body = r#"{"status":"ready"}"#;
                return HttpResponse::Ok()
                    .content_type("application/json")
                    .body(body);
            }
            Err(reason) => reason.to_string(),
        }
    };
    Problem::new(ProblemKind::NotReady, detail).response(RequestId::of(&request).as_str())
}

/// For Prometheus.
pub(super) async fn metrics(app: Data<App>) -> HttpResponse {
    let body = app.parts.metrics.encode();
    HttpResponse::Ok().content_type(OPENMETRICS).body(body)
}
