//! `GET /v1/events`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{DEFAULT_LIMIT, NOT_A_PARAMETER, caller, parse_limit, parse_pairs, respond};
use crate::audit::{self, EventFilter, EventSearch, ParameterFault};
use crate::http::app::App;
use crate::http::problems::Problem;

/// `GET /v1/events`
pub(in crate::http) async fn search(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&request, find(&app, &request).await)
}

async fn find(app: &App, request: &HttpRequest) -> Result<audit::EventPage, Problem> {
    let caller = caller(app, request).await?;
    let search = parse_search(request.query_string()).map_err(Problem::parameters)?;
    Ok(audit::search_events(&app.parts.pool, &caller.org, &search).await?)
}

/// Names every parameter that is at fault.
fn parse_search(query: &str) -> Result<EventSearch, Vec<ParameterFault>> {
    let mut search = EventSearch {
        filter: EventFilter::default(),
        after: None,
        limit: DEFAULT_LIMIT,
    };
    let mut cursor = None;
    let mut faults = Vec::new();
    for (name, value) in parse_pairs(query)? {
        match name.as_str() {
            "limit" => match parse_limit(&value) {
                Ok(limit) => search.limit = limit,
                Err(fault) => faults.push(fault),
            },
            "cursor" => cursor = Some(value),
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
    if let Some(cursor) = cursor {
        (search.go_on(&cursor))
            .map_err(|error| vec![ParameterFault::new("cursor", error.message())])?;
    }
    Ok(search)
}
