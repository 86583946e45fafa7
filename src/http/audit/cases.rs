//! `GET /v1/cases/{caseId}`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::{DEFAULT_LIMIT, PageParameters, caller, fault, page_parameters, respond};
use crate::audit::{self, Case};
use crate::http::app::App;
use crate::http::problems::Body as ProblemBody;
use crate::http::problems::{Problem, ProblemKind};

/// `GET /v1/cases/{caseId}`
#[utoipa::path(
    get,
    path = "/v1/cases/{caseId}",
    tag = "audit",
    security(("token" = [])),
    params(("caseId" = uuid::Uuid, Path, description = "The Cubu case"), PageParameters),
    responses(
        (status = 200, body = Case, description = "Everything that happened to the case, oldest first, and the place that it holds"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "The token's organization has none"),
    ),
)]
pub(in crate::http) async fn read(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, find(&app, &request).await)
}

async fn find(app: &App, request: &HttpRequest) -> Result<Case, Problem> {
    let caller = caller(app, request).await?;
    let case_id = request.match_info().get("caseId").unwrap_or_default();
    let case_id = Uuid::try_parse(case_id).map_err(|_| fault("caseId", "must be a GUID"))?;
    let page = page_parameters(request)?;
    let mut search = Case::search(case_id, page.limit.unwrap_or(DEFAULT_LIMIT));
    if let Some(cursor) = page.cursor {
        (search.go_on(&cursor)).map_err(|error| fault("cursor", error.message()))?;
    }
    let case = audit::read_case(&app.parts.pool, &caller.org, case_id, &search).await?;
    case.ok_or_else(|| {
        let detail = format!("{} has no events of case {case_id}", caller.org);
        Problem::new(ProblemKind::UnknownCase, detail)
    })
}
