//! What operators take and give, and which of their operands pay for their size.

use cel::common::ast::{Expr, operators};

use super::check::{Checker, Operand};
use super::error::ExpressionError;
use super::kind::Kind;
use super::nodes::{charge, charge_both, charged_range, is_constant, is_fields, literal_kind};

impl Checker<'_> {
    /// What the operator gives; none if it is a function.
    pub(super) fn operator(
        &self,
        at: u64,
        function: &str,
        args: &mut [Operand],
    ) -> Result<Option<Kind>, ExpressionError> {
        Ok(Some(match (function, args) {
            (operators::CONDITIONAL, [condition, (_, then), (_, otherwise)]) => {
                self.need(at, condition.1, Kind::Boolean)?;
                if then == otherwise { *then } else { Kind::Any }
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                self.need(at, left.1, Kind::Boolean)?;
                self.need(at, right.1, Kind::Boolean)?;
                Kind::Boolean
            }
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [operand]) => {
                self.need(at, operand.1, Kind::Boolean)?;
                Kind::Boolean
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                self.combine(at, left.1, right.1, left.1.may_equal(right.1))?;
                // Against a constant the comparison is short, whatever the other side is.
                if !is_constant(&left.0) && !is_constant(&right.0) {
                    charge_both(left, right);
                }
                Kind::Boolean
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [left, right],
            ) => {
                let ordered = left.1.may_equal(right.1)
                    && ![left.1, right.1]
                        .iter()
                        .any(|kind| matches!(kind, Kind::Null | Kind::List | Kind::Map));
                self.combine(at, left.1, right.1, ordered)?;
                charge_both(left, right);
                Kind::Boolean
            }
            (operators::ADD, [left, right]) => {
                let added = left.1.may_equal(right.1)
                    && ![left.1, right.1]
                        .iter()
                        .any(|kind| matches!(kind, Kind::Null | Kind::Boolean | Kind::Map));
                self.combine(at, left.1, right.1, added)?;
                charge_both(left, right);
                if left.1 == right.1 { left.1 } else { Kind::Any }
            }
            (
                operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO,
                [left, right],
            ) => {
                let number = |kind: Kind| kind.is_number() || kind == Kind::Any;
                self.combine(at, left.1, right.1, number(left.1) && number(right.1))?;
                charge_both(left, right);
                if left.1 == right.1 { left.1 } else { Kind::Any }
            }
            (operators::NEGATE, [operand]) => {
                self.combine(
                    at,
                    Kind::Integer,
                    operand.1,
                    operand.1.is_number() || operand.1 == Kind::Any,
                )?;
                operand.1
            }
            (operators::IN, [element, container]) => {
                let contains = container.1.may_be(Kind::List)
                    || (container.1 == Kind::Map && element.1.may_be(Kind::Text));
                self.combine(at, element.1, container.1, contains)?;
                if let Expr::List(list) = &container.0.expr {
                    for item in &list.elements {
                        let kind = literal_kind(item);
                        self.combine(item.id, element.1, kind, element.1.may_equal(kind))?;
                    }
                } else if !is_fields(&container.0) {
                    container.0 = charged_range(0, std::mem::take(&mut container.0));
                }
                charge(element);
                Kind::Boolean
            }
            (operators::INDEX, [container, index]) => {
                let indexed = match container.1 {
                    Kind::List => index.1.is_number() || index.1 == Kind::Any,
                    Kind::Map => index.1.may_be(Kind::Text),
                    kind => kind == Kind::Any,
                };
                self.combine(at, container.1, index.1, indexed)?;
                charge(index);
                Kind::Any
            }
            _ => return Ok(None),
        }))
    }
}
