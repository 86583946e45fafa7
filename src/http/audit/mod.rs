//! The audit API under `/v1`: who calls, what they ask, and the answer's form. One file a concern.

pub(super) mod cases;
pub(super) mod decisions;
pub(super) mod events;
mod files;
pub(super) mod follow;
pub(super) mod policies;
pub(super) mod stats;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::app::App;
use super::problems::{Problem, ProblemKind};
use super::request_id::RequestId;
use crate::access::tokens::{self, Caller};
use crate::audit::ParameterFault;

const NOT_A_PARAMETER: &str = "is not a parameter of this call";
const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

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

fn parse_limit(value: &str) -> Result<u16, ParameterFault> {
    let limit = value.parse().ok();
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ParameterFault::new("limit", "must be from 1 to 200"))
}

/// The parameters of a call that only pages.
#[derive(Debug, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PageParameters {
    /// Items a page; 50 unless given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

fn page_parameters(request: &HttpRequest) -> Result<PageParameters, Problem> {
    let mut page = PageParameters::default();
    let mut faults = Vec::new();
    for (name, value) in parse_pairs(request.query_string()).map_err(Problem::parameters)? {
        match name.as_str() {
            "limit" => match parse_limit(&value) {
                Ok(limit) => page.limit = Some(limit),
                Err(fault) => faults.push(fault),
            },
            "cursor" => page.cursor = Some(value),
            _ => faults.push(ParameterFault::new(&name, NOT_A_PARAMETER)),
        }
    }
    if faults.is_empty() {
        Ok(page)
    } else {
        Err(Problem::parameters(faults))
    }
}

/// A call without query parameters.
fn no_parameters(request: &HttpRequest) -> Result<(), Problem> {
    let parameters = parse_pairs(request.query_string()).map_err(Problem::parameters)?;
    match parameters.first() {
        None => Ok(()),
        Some((name, _)) => Err(fault(name, NOT_A_PARAMETER)),
    }
}

fn fault(name: &str, message: &'static str) -> Problem {
    Problem::parameters(vec![ParameterFault::new(name, message)])
}

/// A positive number in the path.
fn path_number(request: &HttpRequest, name: &str) -> Result<i64, Problem> {
    let number = request.match_info().get(name).unwrap_or_default();
    let number = number.parse::<i64>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| fault(name, "must be a positive integer"))
}

/// Each parameter at most once.
fn parse_pairs(query: &str) -> Result<Vec<(String, String)>, Vec<ParameterFault>> {
    let is_utf8 = |pair: &&str| String::from_utf8(percent_decoded(pair)).is_ok();
    if let Some(pair) = query.split('&').find(|pair| !is_utf8(pair)) {
        let name = percent_decoded(pair.split('=').next().unwrap_or_default());
        let name = String::from_utf8_lossy(&name);
        return Err(vec![ParameterFault::new(&name, "is not UTF-8")]);
    }
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

/// The bytes that a part of a query stands for: the parser puts a replacement character for those that are no text, and would search for it.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.split_at_checked(2);
        let byte = byte.and_then(|(digits, rest)| Some((hex::decode(digits).ok()?, rest)));
        match byte {
            Some((byte, rest)) => decoded.extend(byte.into_iter().chain(rest.bytes())),
            // No number follows: it stands for itself.
            None => decoded.extend(b"%".iter().copied().chain(part.bytes())),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_query_stands_for_is_utf8() {
        let names = |query| -> Vec<String> {
            let faults = parse_pairs(query).unwrap_err();
            faults.into_iter().map(|fault| fault.name).collect()
        };
        assert_eq!(names("a=1&reason=%ff"), ["reason"]);
        assert_eq!(names("reason=%E2%82"), ["reason"], "half of a euro sign");
        assert_eq!(names("%ff=1"), ["\u{fffd}"]);
        let read = parse_pairs("reason=100%&b=%E2%82%ac+%%41%zz").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [pair("reason", "100%"), pair("b", "€ %A%zz")]);
    }
}
