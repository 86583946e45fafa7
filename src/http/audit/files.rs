//! The same searches as files: NDJSON and CSV.

use std::pin::Pin;

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION};
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
    /// `json` (a page), or the whole search as a file; `Accept` says the same.
    #[param(required = false, schema_with = described::format)]
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
        None => {
            let accept = request
                .headers()
                .get(ACCEPT)
                .and_then(|accept| accept.to_str().ok());
            let accepts = |media_type| accept.is_some_and(|accept| accept.contains(media_type));
            Ok(if accepts("application/x-ndjson") {
                Some(Format::Ndjson)
            } else if accepts("text/csv") {
                Some(Format::Csv)
            } else {
                None
            })
        }
    }
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
