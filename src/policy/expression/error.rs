//! What can be wrong with an expression, when it is compiled and when it is evaluated.

use std::fmt;

use super::kind::Kind;
use super::names;

/// Where in the text: both count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// The position of the byte with this index.
    pub(super) fn of_byte(text: &str, index: usize) -> Self {
        let before = text.get(..index).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why an expression did not compile, or gave no answer for a booking. Its text holds nothing of the booking,
/// so that it may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// Longer than [`super::MAX_BYTES`].
    #[error(
        "the expression is {bytes} bytes long; at most {} are allowed",
        super::MAX_BYTES
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nested or chained deeper than [`super::MAX_DEPTH`].
    #[error(
        "{position}: nested too deeply; at most {} brackets and operators inside each other",
        super::MAX_DEPTH
    )]
    TooDeep {
        /// Where it went too deep.
        position: Position,
    },
    /// Not CEL.
    #[error("{position}: {message}")]
    Syntax {
        /// Where.
        position: Position,
        /// The parser's words.
        message: String,
    },
    /// CEL, but a part that is not offered here.
    #[error("{position}: {what}")]
    NotOffered {
        /// Where.
        position: Position,
        /// What, and what to write instead.
        what: &'static str,
    },
    /// No such name.
    #[error(
        "{position}: unknown name `{name}`; texts are written in quotes; the names are {}",
        names::listed()
    )]
    UnknownName {
        /// Where.
        position: Position,
        /// The name.
        name: String,
    },
    /// No such function, or with another number of arguments.
    #[error(
        "{position}: unknown function `{name}` with {arguments} argument(s); the functions are {}",
        names::FUNCTIONS_LISTED
    )]
    UnknownFunction {
        /// Where.
        position: Position,
        /// Its name.
        name: String,
        /// How many arguments it was given.
        arguments: usize,
    },
    /// A variable of `exists`, `all`, … that hides another name.
    #[error("{position}: `{name}` is taken; call the variable something else")]
    NameTaken {
        /// Where.
        position: Position,
        /// The name.
        name: String,
    },
    /// A comparison or operation that cannot mean anything, such as a text with a number.
    #[error("{position}: {left} and {right} cannot be combined here")]
    Mismatch {
        /// Where.
        position: Position,
        /// What is on the left.
        left: Kind,
        /// What is on the right.
        right: Kind,
    },
    /// A part that must be true or false is something else.
    #[error("{position}: {found} where true or false is needed")]
    NotACondition {
        /// Where.
        position: Position,
        /// What it is.
        found: Kind,
    },
    /// A GUID in a text with capital letters would never match.
    #[error("{position}: GUIDs are compared in lower case; write this one in lower case")]
    CapitalGuid {
        /// Where.
        position: Position,
    },
    /// A pattern of `matches` that is not a regular expression within bounds.
    #[error("{position}: {message}")]
    Pattern {
        /// Where.
        position: Position,
        /// What is wrong.
        message: String,
    },
    /// The parser gave up on this text in a way it should not have.
    #[error("the parser failed on this expression")]
    ParserFailed,
    /// Evaluated to something else than true or false.
    #[error("the result is {found}, not true or false")]
    NotBoolean {
        /// The type.
        found: String,
    },
    /// An operation on values of the wrong type.
    #[error("{detail}")]
    WrongType {
        /// The operation and the types; never values.
        detail: String,
    },
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A number outside of 64 bits.
    #[error("a number became too large")]
    Overflow,
    /// A list index that does not exist.
    #[error("a list index that does not exist")]
    IndexOutOfBounds,
    /// A text that is not a number, or the like.
    #[error("{function}() could not convert its argument")]
    Conversion {
        /// The function.
        function: String,
    },
    /// The JSON value of a case field nests too deeply or has a number outside of 64 bits.
    #[error("a case field could not be read")]
    UnreadableField,
    /// More work than [`super::MAX_WORK`] allows.
    #[error(
        "this booking is too large for the expression: more than {} steps",
        super::MAX_WORK
    )]
    TooCostly,
    /// The evaluator gave up on this expression in a way it should not have.
    #[error("the evaluator failed on this expression")]
    EvaluatorFailed,
}

/// The longest text of [`ExpressionError::in_brief`], in characters.
const BRIEF: usize = 200;

impl ExpressionError {
    /// The beginning of its text: what a decision's explanation says. The whole is in `policy.problems`.
    #[must_use]
    pub fn in_brief(&self) -> String {
        let mut text = self.to_string();
        if let Some((end, _)) = text.char_indices().nth(BRIEF) {
            text.truncate(end);
            text.push('…');
        }
        text
    }

    /// From what the interpreter says, without the values that it quotes.
    pub(super) fn from_execution(error: cel::ExecutionError) -> Self {
        use cel::ExecutionError as E;
        match error {
            E::NoSuchOverload(overload) => Self::WrongType {
                detail: overload.to_string(),
            },
            E::UnexpectedType { got, want } => Self::WrongType {
                detail: format!("{got} where {want} is needed"),
            },
            E::UnsupportedBinaryOperator(operator, left, right) => Self::WrongType {
                detail: format!(
                    "no `{operator}` of {} and {}",
                    left.type_of(),
                    right.type_of()
                ),
            },
            E::ValuesNotComparable(left, right) => Self::WrongType {
                detail: format!(
                    "{} and {} cannot be compared",
                    left.type_of(),
                    right.type_of()
                ),
            },
            E::DivisionByZero(_) | E::RemainderByZero(_) => Self::DivisionByZero,
            E::Overflow(..) => Self::Overflow,
            E::IndexOutOfBounds(_) => Self::IndexOutOfBounds,
            E::FunctionError { function, .. } if function == super::ordered_map::UNREADABLE => {
                Self::UnreadableField
            }
            E::FunctionError { function, .. } if function == super::functions::OUT_OF_WORK => {
                Self::TooCostly
            }
            E::FunctionError { function, .. } => Self::Conversion { function },
            _ => Self::WrongType {
                detail: "an operation that its values do not support".to_owned(),
            },
        }
    }
}
