//! `GET /v1/policies` and a policy's history.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{
    DEFAULT_LIMIT, NOT_A_PARAMETER, PageParameters, caller, fault, page_parameters, parse_limit,
    parse_pairs, respond,
};
use crate::audit::{self, AsOf, HistoryPage, ParameterFault, PolicyPage, PolicySearch, described};
use crate::http::app::App;
use crate::http::problems::Body as ProblemBody;
use crate::http::problems::{Problem, ProblemKind};

/// `GET /v1/policies`
#[utoipa::path(
    get,
    path = "/v1/policies",
    tag = "audit",
    security(("token" = [])),
    params(("asOf" = inline(Option<described::AsOf>), Query, description = "A time, a day or a ledger number; now unless given"), ("policyKind" = Option<String>, Query, pattern = "^[a-z_]{1,63}$", description = "Only this policy table"), PageParameters),
    responses(
        (status = 200, body = PolicyPage, description = "The policies in force then, each with the change that had made it so"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
    ),
)]
pub(in crate::http) async fn as_of(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, list(&app, &request).await)
}

/// `GET /v1/policies/{kind}/{id}/history`
#[utoipa::path(
    get,
    path = "/v1/policies/{kind}/{id}/history",
    tag = "audit",
    security(("token" = [])),
    params(("kind" = String, Path, pattern = "^[a-z_]{1,63}$", description = "The policy table"), ("id" = i64, Path, description = "The policy"), PageParameters),
    responses(
        (status = 200, body = HistoryPage, description = "Every change of the policy, newest first: who, when, why, from what to what"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "The token's organization has none"),
    ),
)]
pub(in crate::http) async fn history(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, changes(&app, &request).await)
}

async fn list(app: &App, request: &HttpRequest) -> Result<PolicyPage, Problem> {
    let caller = caller(app, request).await?;
    let mut search = PolicySearch::new(DEFAULT_LIMIT);
    let mut cursor = None;
    let mut faults = Vec::new();
    let pairs = parse_pairs(request.query_string()).map_err(Problem::parameters)?;
    for (name, value) in pairs {
        let taken = match name.as_str() {
            "asOf" => AsOf::parse(&value).map(|given| search.as_of = given),
            "policyKind" => audit::parse_kind(&name, &value).map(|given| search.kind = given),
            "limit" => parse_limit(&value).map(|given| search.limit = given),
            "cursor" => {
                cursor = Some(value);
                Ok(())
            }
            _ => Err(ParameterFault::new(&name, NOT_A_PARAMETER)),
        };
        faults.extend(taken.err());
    }
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    if let Some(cursor) = cursor {
        (search.go_on(&cursor)).map_err(|error| fault("cursor", error.message()))?;
    }
    Ok(audit::policies_as_of(&app.parts.pool, &caller.org, &search).await?)
}

async fn changes(app: &App, request: &HttpRequest) -> Result<HistoryPage, Problem> {
    let caller = caller(app, request).await?;
    let kind = request.match_info().get("kind").unwrap_or_default();
    let kind = audit::parse_kind("kind", kind).map_err(|fault| Problem::parameters(vec![fault]))?;
    let kind = kind.unwrap_or_default();
    // Administrators may give a policy any number.
    let id = request.match_info().get("id").unwrap_or_default();
    let id = (id.parse()).map_err(|_| fault("id", "must be an integer"))?;
    let page = page_parameters(request)?;
    let before = (page.cursor)
        .map(|cursor| audit::history_cursor(&cursor, (&kind, id)))
        .transpose()
        .map_err(|error| fault("cursor", error.message()))?;
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    let pool = &app.parts.pool;
    let history = audit::policy_history(pool, &caller.org, (&kind, id), before, limit).await?;
    if history.items.is_empty() && before.is_none() {
        let detail = format!("{} never had a policy {kind} {id}", caller.org);
        return Err(Problem::new(ProblemKind::UnknownPolicy, detail));
    }
    Ok(history)
}
