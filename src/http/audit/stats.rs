//! `GET /v1/stats`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{NOT_A_PARAMETER, caller, fault, parse_pairs, respond};
use crate::audit::{self, ParameterFault, Stats, StatsError, StatsQuery, UnknownTimeZone};
use crate::http::app::App;
use crate::http::problems::Body as ProblemBody;
use crate::http::problems::Problem;

/// `GET /v1/stats`
#[utoipa::path(
    get,
    path = "/v1/stats",
    tag = "audit",
    security(("token" = [])),
    params(StatsQuery),
    responses(
        (status = 200, body = Stats, description = "Decisions by bucket, or what each policy did"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
    ),
)]
pub(in crate::http) async fn count(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, find(&app, &request).await)
}

async fn find(app: &App, request: &HttpRequest) -> Result<Stats, Problem> {
    let caller = caller(app, request).await?;
    let mut query = StatsQuery::default();
    let mut faults = Vec::new();
    for (name, value) in parse_pairs(request.query_string()).map_err(Problem::parameters)? {
        match query.add(&name, &value) {
            Ok(true) => {}
            Ok(false) => faults.push(ParameterFault::new(&name, NOT_A_PARAMETER)),
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(query.check().err().into_iter().flatten());
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    audit::stats(&app.parts.pool, &caller.org, &query)
        .await
        .map_err(|error| match error {
            StatsError::UnknownTimeZone(_) => fault("timeZone", UnknownTimeZone::MESSAGE),
            StatsError::Cursor(error) => fault("cursor", error.message()),
            StatsError::Audit(error) => error.into(),
        })
}
