//! Arbitrary texts and expressions.

use proptest::prelude::*;

use super::super::{Expression, ExpressionError, Scope, names};
use super::{booking, now};

/// Expressions of the grammar, right and wrong ones.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..names::NAMES.len()).prop_map(|index| names::NAMES[index].0.to_owned()),
        prop::sample::select(vec![
            "0",
            "-1",
            "9223372036854775807",
            "1.5",
            "1e308",
            "true",
            "null",
            "''",
            "'a'",
            "'é'",
            "[]",
            "[1, 'a', null]",
            "x",
            "y",
            "fields['4848ba2d-a80a-4f3c-b170-578d19899e2f']",
            "fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'].rooms",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operators = vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ];
        let functions = vec![
            "size",
            "contains",
            "startsWith",
            "endsWith",
            "lowerAscii",
            "trim",
            "has",
            "int",
            "double",
            "string",
        ];
        let loops = vec!["exists", "all", "exists_one", "map", "filter"];
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(operators),
                inner.clone()
            )
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (
                inner.clone(),
                prop::sample::select(functions.clone()),
                inner.clone()
            )
                .prop_map(|(a, f, b)| format!("{a}.{f}({b})")),
            (inner.clone(), prop::sample::select(functions)).prop_map(|(a, f)| format!("{f}({a})")),
            (
                inner.clone(),
                prop::sample::select(loops),
                prop::sample::select(vec!["x", "y"]),
                inner.clone()
            )
                .prop_map(|(a, f, x, b)| format!("{a}.{f}({x}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.prop_map(|a| format!("{a}.street")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_takes_the_compiler_down(text in ".{0,60}") {
        prop_assert_ne!(Expression::compile(&text).err(), Some(ExpressionError::ParserFailed));
    }

    #[test]
    fn no_tokens_take_the_compiler_down(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "!", "-", "+", "*", "/", "%", "&&", "||", "==", "!=", "<", "in", "'a'", "\"b\"",
            "r'\\'", "1", "2.5", "0x1f", "1u", "true", "null", "channel", "fields", "tagIds", "x", "has", "exists", "map", "size", "matches", " ",
        ]), 0..40),
    ) {
        let text = tokens.concat();
        let outcome = Expression::compile(&text).map(|expression| expression.evaluate(&Scope::new(&booking(), now())));
        prop_assert!(!matches!(outcome, Err(ExpressionError::ParserFailed) | Ok(Err(ExpressionError::EvaluatorFailed))), "{}", text);
    }

    #[test]
    fn evaluation_neither_fails_badly_nor_wavers(text in expressions()) {
        let booking = booking();
        if let Ok(expression) = Expression::compile(&text) {
            let first = expression.evaluate(&Scope::new(&booking, now()));
            prop_assert_ne!(&first, &Err(ExpressionError::EvaluatorFailed), "{}", text);
            prop_assert_eq!(first, expression.evaluate(&Scope::new(&booking, now())), "{}", text);
        }
    }
}
