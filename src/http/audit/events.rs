//! `GET /v1/events`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::files::{self, FileParameters};
use super::{
    DEFAULT_LIMIT, NOT_A_PARAMETER, PageParameters, caller, fault, parse_limit, parse_pairs,
    respond,
};
use crate::audit::{self, EventFilter, EventSearch, Format, ParameterFault, described};
use crate::http::app::App;
use crate::http::problems::Body as ProblemBody;
use crate::http::problems::Problem;
use crate::http::request_id::RequestId;

/// `GET /v1/events`
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "audit",
    security(("token" = [])),
    params(EventFilter, PageParameters, ("format" = inline(Option<described::EventsFormat>), Query, description = "`json` (a page), or the whole search as a file, which takes no limit; unless given, the media type that `Accept` prefers"), ("after" = Option<i64>, Query, minimum = 1, description = "Go on after this ledger number, in the order asked: the last one of a file that broke off. Not beside cursor")),
    responses(
        (status = 200, description = "A page of events, or a file", content((audit::EventPage = "application/json"), (String = "application/x-ndjson"))),
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

async fn find(app: &App, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(app, request).await?;
    let (search, format) = parse_search(request).map_err(Problem::parameters)?;
    let pool = &app.parts.pool;
    let Some(format) = format else {
        let page = audit::search_events(pool, &caller.org, &search).await?;
        return Ok(respond(request, Ok(page)));
    };
    if format == Format::Csv {
        return Err(fault(
            "format",
            "must be json or ndjson: events have no common columns",
        ));
    }
    let EventSearch { filter, after, .. } = search;
    audit::record::exported(pool, &caller, "events", format, &filter, after).await?;
    let pieces = audit::export_events(pool.clone(), caller.org, filter, after);
    files::respond(format, "events", after.is_some(), pieces).await
}

/// Names every parameter that is at fault.
fn parse_search(
    request: &HttpRequest,
) -> Result<(EventSearch, Option<Format>), Vec<ParameterFault>> {
    let mut search = EventSearch {
        filter: EventFilter::default(),
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
    Ok((search, format))
}
