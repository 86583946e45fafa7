//! Rows as COPY sends them (PostgreSQL manual, "COPY", Binary Format; "Message Flow", COPY Operations).
//!
//! A ledger has many rows of many columns: reading them through sqlx's typed rows took 7 % of a replay, and half of that is gone.

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::prepared::Gathered;
use super::times::{StoredDate, StoredTime};
use super::view::Event;

/// What comes before the first row: a signature, flags, and the length of what else may follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// A row that is not what the statement asks for.
#[derive(Debug, thiserror::Error)]
#[error("a row that COPY sent cannot be read: {0}")]
pub(super) struct CopyError(pub(super) &'static str);

impl From<CopyError> for sqlx::Error {
    fn from(error: CopyError) -> Self {
        Self::Decode(error.into())
    }
}

/// Which events of a ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) at_most: i64,
}

/// Reads events in order, some together, in the current transaction. Answers how many.
pub(super) async fn read_events<E: From<sqlx::Error>>(
    connection: &mut PgConnection,
    org: &str,
    stretch: Stretch,
    mut visit: impl FnMut(&[Event<'_>]) -> Result<(), E>,
) -> Result<i64, E> {
    sqlx::query(include_str!("../../sql/queries/choose_events.sql"))
        .bind(org)
        .bind(stretch.from)
        .bind(stretch.to)
        .bind(stretch.at_most)
        .execute(&mut *connection)
        .await?;
    let statement = include_str!("../../sql/queries/read_events.sql");
    let mut messages = connection.copy_out_raw(statement).await?;
    let mut read = 0;
    let mut is_first = true;
    let mut gathered = Gathered::new();
    loop {
        let message = messages.try_next().await?;
        let is_end = message.is_none();
        if let Some(message) = message {
            let bytes = message.len();
            gathered.add(message, bytes);
        }
        if is_end || gathered.are_enough() {
            let mut events = Vec::with_capacity(gathered.events().len());
            for message in gathered.events() {
                let row = row_of(message, std::mem::take(&mut is_first));
                if let Some(row) = row.map_err(sqlx::Error::from)? {
                    events.push(Event::from_row(org, row).map_err(sqlx::Error::from)?);
                }
            }
            visit(&events)?;
            read += events.len() as i64;
            gathered.clear();
        }
        if is_end {
            return Ok(read);
        }
    }
}

/// Each message has one row; the first one also what comes before the rows, the last one only the end.
fn row_of(message: &[u8], is_first: bool) -> Result<Option<Row<'_>>, CopyError> {
    let mut rest = message;
    if is_first {
        skip_header(&mut rest)?;
    }
    Row::new(rest)
}

fn skip_header(rest: &mut &[u8]) -> Result<(), CopyError> {
    let signature = take(rest, SIGNATURE.len())?;
    let _flags: [u8; 4] = take_array(rest)?;
    let extension = take_length(rest)?.unwrap_or_default();
    take(rest, extension)?;
    if signature == SIGNATURE {
        Ok(())
    } else {
        Err(CopyError("it is not in the binary format"))
    }
}

/// A row whose values are read one after another, each of the type that the statement gives it, in network byte order.
#[derive(Debug)]
pub(super) struct Row<'a> {
    rest: &'a [u8],
}

impl<'a> Row<'a> {
    /// None: the end of all rows.
    fn new(mut rest: &'a [u8]) -> Result<Option<Self>, CopyError> {
        let columns = i16::from_be_bytes(take_array(&mut rest)?);
        Ok((columns >= 0).then_some(Self { rest }))
    }

    pub(super) fn bytes(&mut self) -> Result<Option<&'a [u8]>, CopyError> {
        let length = take_length(&mut self.rest)?;
        length
            .map(|length| take(&mut self.rest, length))
            .transpose()
    }

    pub(super) fn text(&mut self) -> Result<Option<&'a str>, CopyError> {
        let text = self.bytes()?.map(std::str::from_utf8).transpose();
        text.map_err(|_| CopyError("a text is not UTF-8"))
    }

    pub(super) fn id(&mut self) -> Result<Option<Uuid>, CopyError> {
        Ok(self.array()?.map(Uuid::from_bytes))
    }

    pub(super) fn number(&mut self) -> Result<Option<i64>, CopyError> {
        Ok(self.array()?.map(i64::from_be_bytes))
    }

    pub(super) fn small_number(&mut self) -> Result<Option<i32>, CopyError> {
        Ok(self.array()?.map(i32::from_be_bytes))
    }

    pub(super) fn time(&mut self) -> Result<Option<DateTime<Utc>>, CopyError> {
        Ok(self.number()?.map(|time| StoredTime::of(time).into()))
    }

    pub(super) fn date(&mut self) -> Result<Option<NaiveDate>, CopyError> {
        Ok(self.small_number()?.map(|date| StoredDate::of(date).into()))
    }

    fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, CopyError> {
        let array = self.bytes()?.map(TryInto::try_into).transpose();
        array.map_err(|_| CopyError("a value is of another type"))
    }
}

/// None: null.
fn take_length(rest: &mut &[u8]) -> Result<Option<usize>, CopyError> {
    let length = i32::from_be_bytes(take_array(rest)?);
    Ok(usize::try_from(length).ok())
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CopyError> {
    let (array, after) = rest.split_first_chunk().ok_or(CUT_OFF)?;
    *rest = after;
    Ok(*array)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], CopyError> {
    let (taken, after) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
    *rest = after;
    Ok(taken)
}

const CUT_OFF: CopyError = CopyError("it is cut off");
