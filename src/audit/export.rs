//! A search as a file: page after page, each a query of its own, so that memory stays flat however long it is, no snapshot is held
//! open, and a slow reader holds no connection. What breaks off is resumed after the last ledger number that arrived.

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::Serialize;
use sqlx::PgPool;

use super::events::{self, EventFilter};
use super::filter::Filter;
use super::{AuditError, csv, plan, range};
use crate::org::Org;

/// Decisions or events read at a time.
const PAGE: i64 = 2_000;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// RFC 4180, with a header line.
    Csv,
}

impl Format {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// A piece of a file.
#[derive(Debug)]
pub struct Piece {
    /// Whole lines.
    pub text: String,
    /// How many decisions or events.
    pub lines: usize,
    /// The ledger number of the last.
    pub last: i64,
}

/// The decisions of a search, as whole lines.
pub fn export_decisions(
    pool: PgPool,
    org: Org,
    filter: Filter,
    after: Option<i64>,
    format: Format,
) -> impl Stream<Item = Result<Piece, AuditError>> {
    try_unfold(Some(after), move |after| {
        let (pool, org, filter) = (pool.clone(), org.clone(), filter.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let within = range::between(&pool, &org, filter.from, filter.until).await?;
            let within = range::after(within, after, filter.order);
            let rows = plan::find(&pool, &org, &filter, &within, PAGE).await?;
            let lines = rows.len();
            let Some(last) = rows.last().map(|row| row.seq) else {
                return Ok(None);
            };
            let mut text = String::with_capacity(lines * 1_200);
            for row in rows {
                let (decision, _) = row.read()?;
                match format {
                    Format::Csv => csv::write(&mut text, &decision),
                    Format::Ndjson => push_line(&mut text, &decision),
                }
            }
            let next = (lines == usize::try_from(PAGE).unwrap_or(usize::MAX)).then_some(Some(last));
            Ok(Some((Piece { text, lines, last }, next)))
        }
    })
}

/// The events of a search, one JSON object a line.
pub fn export_events(
    pool: PgPool,
    org: Org,
    filter: EventFilter,
    after: Option<i64>,
) -> impl Stream<Item = Result<Piece, AuditError>> {
    try_unfold(Some(after), move |after| {
        let (pool, org, filter) = (pool.clone(), org.clone(), filter.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let within = range::between(&pool, &org, filter.from, filter.until).await?;
            let within = range::after(within, after, filter.order);
            let rows = events::find(&pool, &org, &filter, &within, PAGE).await?;
            let lines = rows.len();
            let Some(last) = rows.last().map(|row| row.seq) else {
                return Ok(None);
            };
            let mut text = String::with_capacity(lines * 2_000);
            for row in rows {
                push_line(&mut text, &row.read()?);
            }
            let next = (lines == usize::try_from(PAGE).unwrap_or(usize::MAX)).then_some(Some(last));
            Ok(Some((Piece { text, lines, last }, next)))
        }
    })
}

/// A body is kept as it came, line ends and all. Within a JSON text those stand between tokens only, so a space may stand for them.
pub(crate) fn push_line(text: &mut String, value: &impl Serialize) {
    let line =
        serde_json::to_string(value).expect("texts, numbers and stored JSON are always JSON");
    if line.contains(['\n', '\r']) {
        text.push_str(&line.replace(['\n', '\r'], " "));
    } else {
        text.push_str(&line);
    }
    text.push('\n');
}
