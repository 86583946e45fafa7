//! The nodes that are put around what an administrator wrote, so that it pays for what it looks at.

use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::parser::Expression as Node;

use super::functions::{CHARGE, CHARGE_LOOP, METER};
use super::kind::Kind;

pub(super) fn call(at: u64, function: &str, args: Vec<Node>) -> Node {
    Node {
        id: at,
        expr: Expr::Call(CallExpr {
            func_name: function.to_owned(),
            target: None,
            args,
        }),
    }
}

pub(super) fn name(name: &str) -> Node {
    Node {
        id: 0,
        expr: Expr::Ident(name.to_owned()),
    }
}

pub(super) fn literal(value: LiteralValue) -> Node {
    Node {
        id: 0,
        expr: Expr::Literal(value),
    }
}

/// The same, paying for its size first if that is not bounded by the expression itself.
pub(super) fn charged(node: Node, kind: Kind) -> Node {
    match &node.expr {
        Expr::Literal(_) | Expr::List(_) => node,
        Expr::Ident(name) if name.starts_with('@') => node,
        _ if kind.may_be_large() => call(node.id, CHARGE, vec![name(METER), node]),
        _ => node,
    }
}

/// The same, paying for each of its elements, and for as many steps of a loop's body.
pub(super) fn charged_range(steps: usize, range: Node) -> Node {
    let steps = i64::try_from(steps).unwrap_or(i64::MAX);
    call(
        range.id,
        CHARGE_LOOP,
        vec![name(METER), literal(LiteralValue::Int(steps.into())), range],
    )
}

pub(super) fn charge(operand: &mut (Node, Kind)) {
    operand.0 = charged(std::mem::take(&mut operand.0), operand.1);
}

pub(super) fn charge_both(left: &mut (Node, Kind), right: &mut (Node, Kind)) {
    charge(left);
    charge(right);
}

pub(super) fn is_constant(node: &Node) -> bool {
    matches!(node.expr, Expr::Literal(_))
}

/// Looking up a key of the case's fields, or counting them, does not look at all of them.
pub(super) fn is_fields(node: &Node) -> bool {
    matches!(&node.expr, Expr::Ident(name) if name == "fields")
}

pub(super) fn literal_kind(node: &Node) -> Kind {
    match &node.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => Kind::Boolean,
        Expr::Literal(LiteralValue::Int(_)) => Kind::Integer,
        Expr::Literal(LiteralValue::Double(_)) => Kind::Fraction,
        Expr::Literal(LiteralValue::String(_)) => Kind::Text,
        _ => Kind::Any,
    }
}

/// How many nodes are evaluated at most, not counting the loops inside, which pay for themselves.
pub(super) fn size(node: &Node) -> usize {
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
