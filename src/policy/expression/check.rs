//! From the parser's tree to one that may be evaluated: every name and function is known, nothing is compared that can
//! never be equal, and whatever looks at a whole value is charged for its size.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, SourceInfo, operators,
};
use cel::parser::Expression as Node;
use regex::Regex;

use super::error::{ExpressionError, Position};
use super::functions::{CHARGE, CHARGE_LOOP, MATCHES, METER, PATTERNS};
use super::kind::Kind;
use super::{names, pattern};

pub(super) struct Checker<'a> {
    pub(super) source: &'a SourceInfo,
    pub(super) patterns: Vec<Regex>,
    /// Variables of the comprehensions around the node being looked at.
    pub(super) variables: Vec<String>,
}

type Checked = Result<(Node, Kind), ExpressionError>;

impl Checker<'_> {
    /// The node to evaluate instead, and what it will be.
    pub(super) fn check(&mut self, node: Node) -> Checked {
        let at = node.id;
        let (expr, kind) = match node.expr {
            Expr::Literal(literal) => {
                let kind = self.literal(at, &literal)?;
                (Expr::Literal(literal), kind)
            }
            Expr::Ident(name) => {
                let kind = self.name(at, &name)?;
                (Expr::Ident(name), kind)
            }
            Expr::Select(select) => return self.select(at, select),
            Expr::Call(call) => return self.call(at, call),
            Expr::Comprehension(comprehension) => return self.comprehension(at, *comprehension),
            Expr::List(mut list) => {
                for element in &mut list.elements {
                    let (checked, kind) = self.check(std::mem::take(element))?;
                    *element = charged(checked, kind);
                }
                (Expr::List(list), Kind::List)
            }
            Expr::Map(_) => {
                return Err(
                    self.not_offered(at, "maps ({…}) are not available; use `in [..]` or `? :`")
                );
            }
            Expr::Struct(_) => return Err(self.not_offered(at, "`name{…}` is not available")),
            Expr::Unspecified => return Err(ExpressionError::ParserFailed),
        };
        Ok((Node { id: at, expr }, kind))
    }

    fn literal(&self, at: u64, literal: &LiteralValue) -> Result<Kind, ExpressionError> {
        Ok(match literal {
            LiteralValue::Boolean(_) => Kind::Boolean,
            LiteralValue::Double(_) => Kind::Fraction,
            LiteralValue::Int(_) => Kind::Integer,
            LiteralValue::Null => Kind::Null,
            LiteralValue::String(text) => {
                let text = text.inner();
                if text.len() == 36
                    && uuid::Uuid::try_parse(text).is_ok()
                    && text.bytes().any(|byte| byte.is_ascii_uppercase())
                {
                    return Err(ExpressionError::CapitalGuid {
                        position: self.position(at),
                    });
                }
                Kind::Text
            }
            LiteralValue::UInt(_) => {
                return Err(self.not_offered(at, "numbers ending in u are not available"));
            }
            LiteralValue::Bytes(_) => {
                return Err(self.not_offered(at, "bytes (b'…') are not available; use a text"));
            }
        })
    }

    fn name(&self, at: u64, name: &str) -> Result<Kind, ExpressionError> {
        if name.starts_with('@') || self.variables.iter().any(|variable| variable == name) {
            return Ok(Kind::Any);
        }
        names::kind_of(name).ok_or_else(|| ExpressionError::UnknownName {
            position: self.position(at),
            name: name.to_owned(),
        })
    }

    /// `appointment.date` becomes one name; `has(x.y)` becomes `x.y != null`, as a missing key reads as null.
    fn select(&mut self, at: u64, select: SelectExpr) -> Checked {
        let SelectExpr {
            operand,
            field,
            test,
        } = select;
        let (expr, kind) = match &operand.expr {
            Expr::Ident(object) if names::is_object(object) => {
                let name = format!("{object}.{field}");
                let kind = self.name(at, &name)?;
                (Expr::Ident(name), kind)
            }
            _ => {
                let (operand, kind) = self.check(*operand)?;
                if !kind.may_be(Kind::Map) {
                    return Err(ExpressionError::Mismatch {
                        position: self.position(at),
                        left: kind,
                        right: Kind::Text,
                    });
                }
                (
                    Expr::Select(SelectExpr {
                        operand: Box::new(operand),
                        field,
                        test: false,
                    }),
                    Kind::Any,
                )
            }
        };
        let node = Node { id: at, expr };
        match test {
            false => Ok((node, kind)),
            true => Ok((
                call(
                    at,
                    operators::NOT_EQUALS,
                    vec![node, literal(LiteralValue::Null)],
                ),
                Kind::Boolean,
            )),
        }
    }

    fn call(&mut self, at: u64, written: CallExpr) -> Checked {
        let CallExpr {
            func_name: function,
            target,
            args,
        } = written;
        if let Some(target) = target {
            return self.member_call(at, function, *target, args);
        }
        let arguments = args.len();
        let mut args = args
            .into_iter()
            .map(|arg| self.check(arg))
            .collect::<Result<Vec<_>, _>>()?;
        let kind = match (function.as_str(), args.as_mut_slice()) {
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
                    charge(container);
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
            _ => {
                let kind = self.function(at, &function, false, arguments)?;
                args.iter_mut()
                    .filter(|arg| !is_fields(&arg.0))
                    .for_each(charge);
                kind
            }
        };
        Ok((
            call(
                at,
                &function,
                args.into_iter().map(|(node, _)| node).collect(),
            ),
            kind,
        ))
    }

    fn member_call(&mut self, at: u64, function: String, target: Node, args: Vec<Node>) -> Checked {
        let kind = self.function(at, &function, true, args.len())?;
        let (target, target_kind) = self.check(target)?;
        let on_list = function == "size" && matches!(target_kind, Kind::List | Kind::Map);
        if !on_list && !matches!(target_kind, Kind::Text | Kind::Any) {
            return Err(ExpressionError::Mismatch {
                position: self.position(at),
                left: target_kind,
                right: Kind::Text,
            });
        }
        let target = if is_fields(&target) {
            target
        } else {
            charged(target, target_kind)
        };
        if function == "matches" {
            let index = self.pattern(&args)?;
            let index = i64::try_from(index).unwrap_or(i64::MAX);
            return Ok((
                call(
                    at,
                    MATCHES,
                    vec![
                        name(PATTERNS),
                        literal(LiteralValue::Int(index.into())),
                        target,
                    ],
                ),
                kind,
            ));
        }
        let mut checked = Vec::with_capacity(args.len());
        for arg in args {
            let (arg, arg_kind) = self.check(arg)?;
            self.combine(at, target_kind, arg_kind, arg_kind.may_be(Kind::Text))?;
            checked.push(charged(arg, arg_kind));
        }
        let expr = Expr::Call(CallExpr {
            func_name: function,
            target: Some(Box::new(target)),
            args: checked,
        });
        Ok((Node { id: at, expr }, kind))
    }

    /// Patterns are constants, so that they are compiled once and their size is known.
    fn pattern(&mut self, args: &[Node]) -> Result<usize, ExpressionError> {
        let [
            Node {
                id,
                expr: Expr::Literal(LiteralValue::String(text)),
            },
        ] = args
        else {
            let at = args.first().map_or(0, |arg| arg.id);
            return Err(self.not_offered(at, "the pattern of matches() must be a text in quotes"));
        };
        let compiled =
            pattern::compile(text.inner()).map_err(|message| ExpressionError::Pattern {
                position: self.position(*id),
                message,
            })?;
        self.patterns.push(compiled);
        Ok(self.patterns.len() - 1)
    }

    /// `x.exists(y, …)` and its like, as the parser has expanded them.
    fn comprehension(&mut self, at: u64, mut loops: ComprehensionExpr) -> Checked {
        let variable = loops.iter_var.clone();
        let known =
            |name: &String| name == &variable || name.split('.').next() == Some(variable.as_str());
        if self.variables.contains(&variable)
            || names::NAMES
                .iter()
                .any(|(name, _)| known(&(*name).to_owned()))
        {
            return Err(ExpressionError::NameTaken {
                position: self.position(at),
                name: variable,
            });
        }
        let (range, range_kind) = self.check(loops.iter_range)?;
        if !matches!(range_kind, Kind::List | Kind::Map | Kind::Any) {
            return Err(ExpressionError::Mismatch {
                position: self.position(at),
                left: range_kind,
                right: Kind::List,
            });
        }
        self.variables.push(variable);
        let (step, _) = self.check(loops.loop_step)?;
        self.variables.pop();
        let steps = i64::try_from(size(&step)).unwrap_or(i64::MAX);
        loops.iter_range = call(
            at,
            CHARGE_LOOP,
            vec![name(METER), literal(LiteralValue::Int(steps.into())), range],
        );
        loops.loop_step = step;
        let kind = if matches!(loops.accu_init.expr, Expr::List(_)) {
            Kind::List
        } else {
            Kind::Boolean
        };
        Ok((
            Node {
                id: at,
                expr: Expr::Comprehension(Box::new(loops)),
            },
            kind,
        ))
    }

    fn function(
        &self,
        at: u64,
        function: &str,
        member: bool,
        arguments: usize,
    ) -> Result<Kind, ExpressionError> {
        names::FUNCTIONS
            .iter()
            .find(|(known, on_target, takes, _)| {
                *known == function && *on_target == member && *takes == arguments
            })
            .map(|(.., kind)| *kind)
            .ok_or_else(|| ExpressionError::UnknownFunction {
                position: self.position(at),
                name: function.to_owned(),
                arguments,
            })
    }

    fn need(&self, at: u64, found: Kind, wanted: Kind) -> Result<(), ExpressionError> {
        if found.may_be(wanted) {
            Ok(())
        } else {
            Err(ExpressionError::NotACondition {
                position: self.position(at),
                found,
            })
        }
    }

    fn combine(
        &self,
        at: u64,
        left: Kind,
        right: Kind,
        possible: bool,
    ) -> Result<(), ExpressionError> {
        if possible {
            Ok(())
        } else {
            Err(ExpressionError::Mismatch {
                position: self.position(at),
                left,
                right,
            })
        }
    }

    fn not_offered(&self, at: u64, what: &'static str) -> ExpressionError {
        ExpressionError::NotOffered {
            position: self.position(at),
            what,
        }
    }

    pub(super) fn position(&self, at: u64) -> Position {
        let index = self
            .source
            .offset_for(at)
            .map_or(0, |(start, _)| start as usize);
        Position::of_byte(&self.source.source, index)
    }
}

fn call(at: u64, function: &str, args: Vec<Node>) -> Node {
    Node {
        id: at,
        expr: Expr::Call(CallExpr {
            func_name: function.to_owned(),
            target: None,
            args,
        }),
    }
}

fn name(name: &str) -> Node {
    Node {
        id: 0,
        expr: Expr::Ident(name.to_owned()),
    }
}

fn literal(value: LiteralValue) -> Node {
    Node {
        id: 0,
        expr: Expr::Literal(value),
    }
}

/// The same, paying for its size first if that is not bounded by the expression itself.
fn charged(node: Node, kind: Kind) -> Node {
    match &node.expr {
        Expr::Literal(_) | Expr::List(_) => node,
        Expr::Ident(name) if name.starts_with('@') => node,
        _ if kind.may_be_large() => call(node.id, CHARGE, vec![name_of_meter(), node]),
        _ => node,
    }
}

fn name_of_meter() -> Node {
    name(METER)
}

fn charge(operand: &mut (Node, Kind)) {
    operand.0 = charged(std::mem::take(&mut operand.0), operand.1);
}

fn charge_both(left: &mut (Node, Kind), right: &mut (Node, Kind)) {
    charge(left);
    charge(right);
}

fn is_constant(node: &Node) -> bool {
    matches!(node.expr, Expr::Literal(_))
}

/// Looking up a key of the case's fields, or counting them, does not look at all of them.
fn is_fields(node: &Node) -> bool {
    matches!(&node.expr, Expr::Ident(name) if name == "fields")
}

fn literal_kind(node: &Node) -> Kind {
    match &node.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => Kind::Boolean,
        Expr::Literal(LiteralValue::Int(_)) => Kind::Integer,
        Expr::Literal(LiteralValue::Double(_)) => Kind::Fraction,
        Expr::Literal(LiteralValue::String(_)) => Kind::Text,
        _ => Kind::Any,
    }
}

/// How many nodes are evaluated at most, not counting the loops inside, which pay for themselves.
fn size(node: &Node) -> usize {
    1 + match &node.expr {
        Expr::Call(call) => {
            call.target.iter().map(|target| size(target)).sum::<usize>()
                + call.args.iter().map(size).sum::<usize>()
        }
        Expr::Select(select) => size(&select.operand),
        Expr::List(list) => list.elements.iter().map(size).sum(),
        Expr::Comprehension(inner) => size(&inner.iter_range),
        _ => 0,
    }
}
