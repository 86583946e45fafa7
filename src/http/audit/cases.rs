//! `GET /v1/cases/{caseId}`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::{DEFAULT_LIMIT, caller, fault, page_parameters, respond};
use crate::audit::{self, Case};
use crate::http::app::App;
use crate::http::problems::{Problem, ProblemKind};

/// `GET /v1/cases/{caseId}`
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
