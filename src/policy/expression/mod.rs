//! Conditions in CEL: `applies_when` of every policy and `condition` of rules. `docs/expressions.md` is their manual.
//!
//! Who writes an expression may be careless and who sends a booking may be hostile, so both are bounded before anything
//! costly happens: `prescan` looks at the text before the recursive parser does, `check` lets only known names and
//! functions through, and a `functions::Meter` counts the work of an evaluation. All of it depends on the text, the booking
//! and `now` alone, never on time spent or on hash order, so that an evaluation can be replayed.

mod check;
mod error;
mod functions;
mod kind;
mod names;
mod nodes;
mod operators;
mod ordered_map;
mod pattern;
mod prescan;
mod scope;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::types::CelBool;
use cel::{Context, Value};

pub use error::{ExpressionError, Position};
pub use kind::Kind;
pub use scope::Scope;

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 4_000;
/// How many brackets and operators may be inside each other.
pub const MAX_DEPTH: usize = 64;
/// How many steps one evaluation may take; a step is about one operator, one element of a list, or 64 bytes of text.
pub const MAX_WORK: u64 = 20_000;

/// A compiled condition.
#[derive(Debug, Clone)]
pub struct Expression {
    root: cel::parser::Expression,
    patterns: functions::Patterns,
}

impl Expression {
    /// Compiles a condition.
    ///
    /// # Errors
    /// If it is not CEL, uses a name or function that does not exist, can never be a condition, or exceeds a bound.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        prescan::prescan(text)?;
        // The generated parser indexes and unwraps; a bug there must not take more than this policy down. Nothing outlives it.
        catch_unwind(AssertUnwindSafe(|| Self::parse(text)))
            .unwrap_or(Err(ExpressionError::ParserFailed))
    }

    fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (root, source) = functions::ENVIRONMENT
            .parser()
            .parse_with_source_info(text)
            .map_err(|errors| {
                let first = errors.errors.into_iter().next();
                let (line, column) = first.as_ref().map_or((1, 1), |error| error.pos);
                ExpressionError::Syntax {
                    position: Position {
                        line: usize::try_from(line).unwrap_or(1),
                        column: usize::try_from(column).unwrap_or(1),
                    },
                    message: first
                        .map_or_else(|| "not an expression".to_owned(), |error| error.msg),
                }
            })?;
        let mut checker = check::Checker {
            source: &source,
            patterns: Vec::new(),
            variables: Vec::new(),
        };
        let start = root.id;
        let (root, kind) = checker.check(root)?;
        if !kind.may_be(Kind::Boolean) {
            return Err(ExpressionError::NotACondition {
                position: checker.position(start),
                found: kind,
            });
        }
        Ok(Self {
            root,
            patterns: functions::Patterns(Arc::from(checker.patterns)),
        })
    }

    /// Whether the condition holds for this booking.
    ///
    /// # Errors
    /// If the values do not fit the operations, the result is not true or false, or the booking is too large for it.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<bool, ExpressionError> {
        let evaluation = scope::Evaluation {
            scope,
            meter: functions::Meter::new(MAX_WORK),
            patterns: &self.patterns,
        };
        // As in `compile`: a bug in the interpreter is this policy's error. What it may leave behind is the meter, ours alone,
        // and the scope's once-cells, which are either set or not.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut context = Context::with_env(Arc::clone(&functions::ENVIRONMENT));
            context.set_variable_resolver(&evaluation);
            let value = Value::resolve_val(&self.root, &context)
                .map_err(ExpressionError::from_execution)?;
            value
                .downcast_ref::<CelBool>()
                .map(|value| *value.inner())
                .ok_or_else(|| ExpressionError::NotBoolean {
                    found: value.get_type().name().to_owned(),
                })
        }));
        // `||` and `exists` forgive errors; running out of work is not forgiven.
        if evaluation.meter.is_empty() {
            return Err(ExpressionError::TooCostly);
        }
        outcome.unwrap_or(Err(ExpressionError::EvaluatorFailed))
    }
}
