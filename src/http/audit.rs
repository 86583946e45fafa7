//! The audit API under `/v1`.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::app::App;
use super::problems::{Problem, ProblemKind};
use super::request_id::RequestId;
use crate::access::tokens::{self, Caller};
use crate::audit::{self, Cursor, Filter, ParameterFault, Search};

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

/// `GET /v1/decisions`
pub(super) async fn search_decisions(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, search(&app, &request).await)
}

/// `GET /v1/decisions/{decisionId}`
pub(super) async fn read_decision(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, read(&app, &request).await)
}

async fn search(app: &App, request: &HttpRequest) -> Result<audit::Page, Problem> {
    let caller = caller(app, request).await?;
    let search = parse_search(request.query_string()).map_err(Problem::parameters)?;
    Ok(audit::search_decisions(&app.parts.pool, &caller.org, &search).await?)
}

async fn read(app: &App, request: &HttpRequest) -> Result<audit::DecisionDetail, Problem> {
    let caller = caller(app, request).await?;
    let parameters = parse_pairs(request.query_string()).map_err(Problem::parameters)?;
    if let Some((name, _)) = parameters.first() {
        let fault = ParameterFault::new(name, "is not a parameter of this call");
        return Err(Problem::parameters(vec![fault]));
    }
    let id = request.match_info().get("decisionId").unwrap_or_default();
    let id = match id.parse::<i64>() {
        Ok(id) if id > 0 => id,
        _ => {
            let fault = ParameterFault::new("decisionId", "must be a positive integer");
            return Err(Problem::parameters(vec![fault]));
        }
    };
    let decision = audit::read_decision(&app.parts.pool, &caller.org, id).await?;
    decision.ok_or_else(|| {
        let detail = format!("{} has no decision {id}", caller.org);
        Problem::new(ProblemKind::UnknownDecision, detail)
    })
}

async fn caller(app: &App, request: &HttpRequest) -> Result<Caller, Problem> {
    if !app.parts.limits.headers_fit(request) {
        let detail = format!("at most {} bytes", app.parts.limits.max_header_bytes);
        return Err(Problem::new(ProblemKind::HeadersTooLarge, detail));
    }
    let authorization =
        (request.headers().get(AUTHORIZATION)).and_then(|value| value.to_str().ok());
    Ok(tokens::find_caller(&app.parts.pool, authorization).await?)
}

fn respond<T: Serialize>(request: &HttpRequest, result: Result<T, Problem>) -> HttpResponse {
    let request_id = RequestId::of(request);
    let result = result.and_then(|value| {
        serde_json::to_string(&value).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written as JSON");
            Problem::new(ProblemKind::Internal, "the answer cannot be written")
        })
    });
    match result {
        Ok(body) => HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(body),
        Err(problem) => problem.response(request_id.as_str()),
    }
}

/// Names every parameter that is at fault.
fn parse_search(query: &str) -> Result<Search, Vec<ParameterFault>> {
    let mut search = Search {
        filter: Filter::default(),
        before: None,
        limit: DEFAULT_LIMIT,
    };
    let mut cursor = None;
    let mut faults = Vec::new();
    for (name, value) in parse_pairs(query)? {
        match name.as_str() {
            "limit" => match value.parse() {
                Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => search.limit = limit,
                _ => faults.push(ParameterFault::new("limit", "must be from 1 to 200")),
            },
            "cursor" => cursor = Some(value),
            _ => match search.filter.add(&name, &value) {
                Ok(true) => {}
                Ok(false) => {
                    let message = "is not a parameter of this call";
                    faults.push(ParameterFault::new(&name, message));
                }
                Err(fault) => faults.push(fault),
            },
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if let Some(cursor) = cursor {
        let before = Cursor::decode(&cursor, &search.filter);
        let before =
            before.map_err(|error| vec![ParameterFault::new("cursor", error.message())])?;
        search.before = Some(before);
    }
    Ok(search)
}

/// Each parameter at most once.
fn parse_pairs(query: &str) -> Result<Vec<(String, String)>, Vec<ParameterFault>> {
    let pairs = Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| vec![ParameterFault::new("query", "is not a query string")])?
        .into_inner();
    for (at, (name, _)) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err(vec![ParameterFault::new(name, "is given twice")]);
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(query: &str) -> Vec<(String, &'static str)> {
        (parse_search(query).unwrap_err().into_iter())
            .map(|fault| (fault.name, fault.message))
            .collect()
    }

    #[test]
    fn the_defaults() {
        let search = parse_search("").unwrap();
        assert_eq!((search.limit, search.before), (50, None));
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
