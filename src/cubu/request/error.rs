//! Why a body is not a booking.

use std::fmt;
use std::str::Utf8Error;

/// A body that cannot be read as a booking. Never repeats a value of the body: what is wrong may be written to logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// JSON is UTF-8.
    #[error("the body is not UTF-8: the byte at offset {offset} is invalid")]
    NotUtf8 {
        /// Bytes before the first invalid one.
        offset: usize,
    },
    /// The text breaks JSON's grammar, or ends too early.
    #[error("the body is not JSON: {}", located(*.fault, *.line, *.column))]
    NotJson {
        /// What is wrong, if that is known.
        fault: JsonFault,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is JSON, but not a booking: never empty.
    #[error("{}", Listed(.0))]
    Fields(Vec<FieldFault>),
}

/// What senders get wrong with JSON as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFault {
    /// There is nothing.
    Empty,
    /// U+FEFF before the JSON, which RFC 8259 (8.1) forbids.
    ByteOrderMark,
    /// The text ends within the JSON.
    EndsEarly,
    /// The JSON ends before the text.
    TextAfterEnd,
    /// Something within.
    Other,
}

fn located(fault: JsonFault, line: usize, column: usize) -> String {
    match fault {
        JsonFault::Empty => "it is empty".to_owned(),
        JsonFault::ByteOrderMark => "it begins with a byte order mark; leave it out".to_owned(),
        JsonFault::EndsEarly => format!("it ends too early, at line {line}, column {column}"),
        JsonFault::TextAfterEnd => {
            format!("there is text after its end, at line {line}, column {column}")
        }
        JsonFault::Other => format!("line {line}, column {column}"),
    }
}

impl From<Utf8Error> for RequestError {
    fn from(error: Utf8Error) -> Self {
        Self::NotUtf8 {
            offset: error.valid_up_to(),
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Where, such as `appointment.cuIndex` or `tagIds[0]`; empty for the body itself.
    pub path: String,
    /// What, such as `is required` or `must be a GUID`.
    pub message: String,
}

impl FieldFault {
    /// The field is missing, or null where a value is needed.
    #[must_use]
    pub fn required(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: "is required".to_owned(),
        }
    }
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.as_str() {
            "" => "the body",
            path => path,
        };
        write!(f, "{path} {}", self.message)
    }
}

struct Listed<'a>(&'a [FieldFault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}
