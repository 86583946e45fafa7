//! `GET /v1/decisions` and one of them.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::files::{self, FileParameters};
use super::{
    DEFAULT_LIMIT, NOT_A_PARAMETER, PageParameters, caller, no_parameters, parse_limit,
    parse_pairs, path_number, respond,
};
use crate::audit::{self, Filter, Format, ParameterFault, Search};
use crate::http::app::App;
use crate::http::problems::Body as ProblemBody;
use crate::http::problems::{Problem, ProblemKind};
use crate::http::request_id::RequestId;

/// `GET /v1/decisions`
#[utoipa::path(
    get,
    path = "/v1/decisions",
    tag = "audit",
    security(("token" = [])),
    params(Filter, PageParameters, FileParameters),
    responses(
        (status = 200, description = "A page of decisions, or a file", content((audit::Page = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
    ),
)]
pub(in crate::http) async fn search(app: Data<App>, request: HttpRequest) -> HttpResponse {
    match find(&app, &request).await {
        Ok(response) => response,
        Err(problem) => problem.response(RequestId::of(&request).as_str()),
    }
}

/// `GET /v1/decisions/{decisionId}`
#[utoipa::path(
    get,
    path = "/v1/decisions/{decisionId}",
    tag = "audit",
    security(("token" = [])),
    params(("decisionId" = i64, Path, minimum = 1, description = "The decision's ledger number")),
    responses(
        (status = 200, body = audit::DecisionDetail, description = "The decision with request and response; each policy with its row of then, the change that had made it so, and for a full cap who held its places"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "A parameter is not understood; `errors` names it"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token, or one that is not valid"),
        (status = 431, body = ProblemBody, content_type = "application/problem+json", description = "The headers are too large"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "The database is away, or took too long"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "The token's organization has none"),
    ),
)]
pub(in crate::http) async fn read(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, read_one(&app, &request).await)
}

async fn find(app: &App, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(app, request).await?;
    let Asked { search, format } = parse_search(request).map_err(Problem::parameters)?;
    let pool = &app.parts.pool;
    let Some(format) = format else {
        let page = audit::search_decisions(pool, &caller.org, &search).await?;
        return Ok(respond(request, Ok(page)));
    };
    let Search { filter, after, .. } = search;
    audit::record::exported(pool, &caller, "decisions", format, &filter, after).await?;
    let pieces = audit::export_decisions(pool.clone(), caller.org, filter, after, format);
    files::respond(format, "decisions", after.is_some(), pieces).await
}

/// A page, or a file.
struct Asked {
    search: Search,
    format: Option<Format>,
}

async fn read_one(app: &App, request: &HttpRequest) -> Result<audit::DecisionDetail, Problem> {
    let caller = caller(app, request).await?;
    no_parameters(request)?;
    let id = path_number(request, "decisionId")?;
    let decision = audit::read_decision(&app.parts.pool, &caller.org, id).await?;
    decision.ok_or_else(|| {
        let detail = format!("{} has no decision {id}", caller.org);
        Problem::new(ProblemKind::UnknownDecision, detail)
    })
}

/// Names every parameter that is at fault.
fn parse_search(request: &HttpRequest) -> Result<Asked, Vec<ParameterFault>> {
    let mut search = Search {
        filter: Filter::default(),
        after: None,
        limit: DEFAULT_LIMIT,
    };
    let mut page = PageParameters::default();
    let mut faults = Vec::new();
    let mut file = FileParameters::default();
    for (name, value) in parse_pairs(request.query_string())? {
        match name.as_str() {
            "limit" => match parse_limit(&value) {
                Ok(limit) => page.limit = Some(limit),
                Err(fault) => faults.push(fault),
            },
            "cursor" => page.cursor = Some(value),
            "format" | "after" => faults.extend(file.add(&name, &value).err()),
            _ => match search.filter.add(&name, &value) {
                Ok(true) => {}
                Ok(false) => faults.push(ParameterFault::new(&name, NOT_A_PARAMETER)),
                Err(fault) => faults.push(fault),
            },
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    search.filter.check()?;
    let format = file.format(request).map_err(|fault| vec![fault])?;
    file.check(format, &page)?;
    search.limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    search.after = file.after;
    if let Some(cursor) = page.cursor {
        (search.go_on(&cursor))
            .map_err(|error| vec![ParameterFault::new("cursor", error.message())])?;
    }
    Ok(Asked { search, format })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Search, Vec<ParameterFault>> {
        let request = actix_web::test::TestRequest::with_uri(&format!("/?{query}"));
        parse_search(&request.to_http_request()).map(|asked| asked.search)
    }

    fn faults(query: &str) -> Vec<(String, &'static str)> {
        (parse(query).unwrap_err().into_iter())
            .map(|fault| (fault.name, fault.message))
            .collect()
    }

    #[test]
    fn the_defaults() {
        let search = parse("").unwrap();
        assert_eq!((search.limit, search.after), (50, None));
        assert_eq!(search.filter, Filter::default());
    }

    #[test]
    fn every_bad_parameter_is_named() {
        let names: Vec<_> = faults("limit=0&outcome=x&caseId=%00&nope=1")
            .into_iter()
            .map(|fault| fault.0)
            .collect();
        assert_eq!(names, ["limit", "outcome", "caseId", "nope"]);
        for limit in ["201", "-1", "", "ten", "1e2"] {
            assert_eq!(faults(&format!("limit={limit}"))[0].0, "limit");
        }
    }

    #[test]
    fn twice_is_refused() {
        let twice = ("limit".to_owned(), "is given twice");
        assert_eq!(faults("limit=5&limit=5"), [twice]);
    }

    #[test]
    fn cursors_of_other_searches_are_refused() {
        assert_eq!(faults("cursor=")[0].0, "cursor");
        assert_eq!(faults("cursor=%F0%9F%92%A9")[0].0, "cursor");
    }
}
