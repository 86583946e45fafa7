//! A search as a file: page after page, each a query of its own, so that memory stays flat however long it is, no snapshot is held
//! open, and a slow reader holds no connection. What breaks off is resumed after the last ledger number that arrived.

use std::future::Future;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::Serialize;
use sqlx::PgPool;

use super::decision::DecisionRow;
use super::event::EventRow;
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
    /// The media type, of a file that begins with a header or goes on without one.
    #[must_use]
    pub const fn media_type(self, has_header: bool) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv if has_header => "text/csv; charset=utf-8; header=present",
            Self::Csv => "text/csv; charset=utf-8; header=absent",
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
    let read = move |after| {
        let (pool, org, filter) = (pool.clone(), org.clone(), filter.clone());
        async move {
            let within = range::between(&pool, &org, filter.from, filter.until).await?;
            let within = range::after(within, after, filter.order);
            Ok(plan::find(&pool, &org, &filter, &within, PAGE).await?)
        }
    };
    let write = move |text: &mut String, row: DecisionRow| {
        let (decision, _) = row.read()?;
        match format {
            Format::Csv => csv::write(text, &decision),
            Format::Ndjson => push_line(text, &decision),
        }
        Ok(())
    };
    pieces(after, read, |row| row.seq, write)
}

/// The events of a search, one JSON object a line.
pub fn export_events(
    pool: PgPool,
    org: Org,
    filter: EventFilter,
    after: Option<i64>,
) -> impl Stream<Item = Result<Piece, AuditError>> {
    let read = move |after| {
        let (pool, org, filter) = (pool.clone(), org.clone(), filter.clone());
        async move {
            let within = range::between(&pool, &org, filter.from, filter.until).await?;
            let within = range::after(within, after, filter.order);
            Ok(events::find(&pool, &org, &filter, &within, PAGE).await?)
        }
    };
    let write = |text: &mut String, row: EventRow| {
        push_line(text, &row.read()?);
        Ok(())
    };
    pieces(after, read, |row| row.seq, write)
}

/// Page after page. The next one is read while this one is written: the database and the service work at the same time, and at most two
/// pages are in memory.
fn pieces<Row, Reading>(
    after: Option<i64>,
    read: impl Fn(Option<i64>) -> Reading,
    seq: impl Fn(&Row) -> i64,
    write: impl Fn(&mut String, Row) -> Result<(), AuditError>,
) -> impl Stream<Item = Result<Piece, AuditError>>
where
    Row: Send + 'static,
    Reading: Future<Output = Result<Vec<Row>, AuditError>> + Send + 'static,
{
    let first = tokio::spawn(read(after));
    try_unfold((Some(first), read, seq, write), |state| async {
        let (page, read, seq, write) = state;
        let Some(page) = page else { return Ok(None) };
        let rows = page.await.map_err(AuditError::Interrupted)??;
        let lines = rows.len();
        let Some(last) = rows.last().map(&seq) else {
            return Ok(None);
        };
        let is_full = lines == usize::try_from(PAGE).unwrap_or(usize::MAX);
        let next = is_full.then(|| tokio::spawn(read(Some(last))));
        let mut text = String::with_capacity(lines * 1_200);
        for row in rows {
            write(&mut text, row)?;
        }
        Ok(Some((
            Piece { text, lines, last },
            (next, read, seq, write),
        )))
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
