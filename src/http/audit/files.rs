//! The same searches as files: NDJSON and CSV.

use std::pin::Pin;

use actix_web::http::header::{Accept, CACHE_CONTROL, CONTENT_DISPOSITION, Header as _, Quality};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};

use super::PageParameters;
use crate::audit::{AuditError, CSV_HEADER, Format, ParameterFault, Piece, described};
use crate::http::problems::Problem;

/// The parameters that make a search a file.
#[derive(Debug, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FileParameters {
    /// `json` (a page), or the whole search as a file, which takes no limit; unless given, the media type that `Accept` prefers.
    #[param(required = false, inline, value_type = described::Format)]
    format: Option<String>,
    /// Go on after this ledger number, in the order asked: the last one of a file that broke off. Not beside cursor.
    #[param(minimum = 1)]
    pub(super) after: Option<i64>,
}

impl FileParameters {
    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), ParameterFault> {
        if name == "format" {
            self.format = Some(value.to_owned());
            return Ok(());
        }
        let after = value.parse().ok().filter(|after| *after > 0);
        let fault = || ParameterFault::new("after", "must be a decision's or an event's number");
        self.after = Some(after.ok_or_else(fault)?);
        Ok(())
    }

    pub(super) fn format(&self, request: &HttpRequest) -> Result<Option<Format>, ParameterFault> {
        wanted(request, self.format.as_deref())
    }

    /// What would be ignored beside other parameters.
    pub(super) fn check(
        &self,
        format: Option<Format>,
        page: &PageParameters,
    ) -> Result<(), Vec<ParameterFault>> {
        let mut faults = Vec::new();
        if format.is_some() && page.limit.is_some() {
            let message = "is not a parameter of a file, which is the whole search";
            faults.push(ParameterFault::new("limit", message));
        }
        if self.after.is_some() && page.cursor.is_some() {
            let message = "says where to go on, as cursor does: give one of them";
            faults.push(ParameterFault::new("after", message));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

fn wanted(request: &HttpRequest, format: Option<&str>) -> Result<Option<Format>, ParameterFault> {
    match format {
        Some("json") => Ok(None),
        Some("ndjson") => Ok(Some(Format::Ndjson)),
        Some("csv") => Ok(Some(Format::Csv)),
        Some(_) => Err(ParameterFault::new("format", "must be json, ndjson or csv")),
        None => Ok(accepted(request)),
    }
}

/// The first of the media types that a caller likes best; a page unless that is a file. A file is asked for by its name, not by `*`.
fn accepted(request: &HttpRequest) -> Option<Format> {
    let mut accept = Accept::parse(request).ok()?;
    accept.0.retain(|item| item.quality > Quality::ZERO);
    let ranked = accept.ranked();
    let known = (ranked.iter()).find_map(|media_type| match media_type.essence_str() {
        "application/json" | "application/*" | "*/*" => Some(None),
        "application/x-ndjson" => Some(Some(Format::Ndjson)),
        "text/csv" => Some(Some(Format::Csv)),
        _ => None,
    });
    known.flatten()
}

/// Streams a file. Its first piece is read before anything is answered, so that what goes wrong at once is a problem; what goes
/// wrong later breaks the transfer off, which a reader sees. What is resumed is appended to what arrived, so it has no header again.
pub(super) async fn respond(
    format: Format,
    name: &str,
    is_resumed: bool,
    pieces: impl Stream<Item = Result<Piece, AuditError>> + 'static,
) -> Result<HttpResponse, Problem> {
    let mut pieces: Pin<Box<dyn Stream<Item = _>>> = Box::pin(pieces);
    let first = pieces.try_next().await?.map(Ok);
    let has_header = format == Format::Csv && !is_resumed;
    let header = has_header.then(|| Ok(Bytes::from_static(CSV_HEADER.as_bytes())));
    let body = stream::iter(first)
        .chain(pieces)
        .map_ok(|piece| Bytes::from(piece.text));
    let body = stream::iter(header).chain(body).map_err(|error| {
        tracing::error!(%error, "an export broke off");
        std::io::Error::other(error)
    });
    let extension = if format == Format::Csv {
        "csv"
    } else {
        "ndjson"
    };
    Ok(HttpResponse::Ok()
        .content_type(format.media_type(has_header))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{extension}\""),
        ))
        .streaming(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn accept_is_what_a_caller_likes_best() {
        let (ndjson, csv) = (Some(Format::Ndjson), Some(Format::Csv));
        for (accept, wanted) in [
            ("", None),
            ("*/*", None),
            ("text/csv", csv),
            ("TEXT/CSV", csv),
            ("Text/Csv; header=present", csv),
            ("application/x-ndjson", ndjson),
            ("text/csv;q=0, application/json", None),
            ("text/csv;q=0.0", None),
            ("text/csv, application/json", csv),
            ("application/json, text/csv", None),
            ("application/json;q=0.5, text/csv", csv),
            (
                "text/csv;q=0.2, application/x-ndjson;q=0.8, */*;q=0.1",
                ndjson,
            ),
            ("*/*, text/csv", csv),
            ("*/*, text/csv;q=0.9", None),
            ("text/html, text/csv;q=0.9, */*;q=0.1", csv),
            ("text/csvs, nonsense", None),
        ] {
            let request = TestRequest::default().insert_header(("accept", accept));
            assert_eq!(accepted(&request.to_http_request()), wanted, "{accept}");
        }
    }
}
