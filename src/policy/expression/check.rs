//! From the parser's tree to one that may be evaluated: every name and function is known, nothing is compared that can
//! never be equal, and whatever looks at a whole value is charged for its size.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, SourceInfo, operators,
};
use cel::parser::Expression as Node;

use super::error::{ExpressionError, Position};
use super::functions::{MATCHES, METER, PATTERNS};
use super::kind::Kind;
use super::names;
use super::nodes::{call, charge, charged, charged_range, is_fields, literal, name, size};
use super::pattern::{self, Pattern};

pub(super) struct Checker<'a> {
    pub(super) source: &'a SourceInfo,
    pub(super) patterns: Vec<Pattern>,
    /// Variables of the comprehensions around the node being looked at.
    pub(super) variables: Vec<String>,
}

/// A checked node and what it will be.
pub(super) type Operand = (Node, Kind);

type Checked = Result<Operand, ExpressionError>;

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
        let kind = match self.operator(at, &function, &mut args)? {
            Some(kind) => kind,
            None => {
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
        let target = if is_fields(&target) || function == "matches" {
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
                        name(METER),
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
        loops.iter_range = charged_range(size(&step), range);
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

    pub(super) fn need(&self, at: u64, found: Kind, wanted: Kind) -> Result<(), ExpressionError> {
        if found.may_be(wanted) {
            Ok(())
        } else {
            Err(ExpressionError::NotACondition {
                position: self.position(at),
                found,
            })
        }
    }

    pub(super) fn combine(
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
