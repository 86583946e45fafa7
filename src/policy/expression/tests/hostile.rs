//! What hostile expressions and bookings cannot do.

use std::time::{Duration, Instant};

use super::super::{Expression, MAX_BYTES, Scope};
use super::{booking, now, raw};

/// Texts that would exhaust a recursive parser, and others that are as large as they may be.
fn hostile_texts() -> Vec<String> {
    let fill = |unit: &str| unit.repeat(MAX_BYTES / unit.len());
    let mut texts: Vec<String> = [
        "(", "[", "{", "!", "-", "!-", "a.", "a?", "a?b:", "a[", "a(", "f(", "1+", "1,", "a&&",
        "a||", "a==", "\"", "'", "\\", "'\\", "{a:", "a{b:", "[[],", "in ", "1.", "//", "a.b(",
        "has(", ".", "..", "?", ":", "`", "r'", "x.map(y,", "\u{0}", "é", "\n", "0x", "1e", "e+",
    ]
    .iter()
    .map(|unit| fill(unit))
    .collect();
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{1:", "1", "}"),
        ("a[", "1", "]"),
        ("size(", "1", ")"),
        ("(1 + ", "1", ")"),
    ] {
        for count in [10, 30, 60, 100, 500, 1900] {
            texts.push(format!(
                "{}{middle}{}",
                open.repeat(count),
                close.repeat(count)
            ));
        }
    }
    for (first, unit) in [
        ("1", " + 1"),
        ("true", " && true"),
        ("true", " || true && true"),
        ("[1]", ", 1"),
        ("channel", ".size()"),
        ("'a'", " + 'a'"),
        ("true", " ? true : true"),
        ("1", " == 1"),
    ] {
        for count in [10, 50, 60, 500] {
            texts.push(format!("{first}{}", unit.repeat(count)));
        }
    }
    texts.push(format!("1 in [{}1]", "1,".repeat(1_990)));
    texts.push(format!("channel in [{}'']", "'é',".repeat(790)));
    texts.push(format!("true{}", " || channel == 'a'".repeat(220)));
    texts.push(format!("{}'{}'", "!".repeat(40), "a".repeat(3_900)));
    texts.push("x".repeat(100_000));
    texts
}

#[test]
fn hostile_texts_are_refused_or_compiled_quickly_on_a_small_stack() {
    // Threads of the runtime have 2 MiB; half of it must do, even unoptimized.
    let worker = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        let mut slowest = (Duration::ZERO, String::new());
        for text in hostile_texts() {
            let started = Instant::now();
            if let Ok(expression) = Expression::compile(&text) {
                let _ = expression.evaluate(&Scope::new(&booking(), now()));
            }
            slowest = slowest.max((started.elapsed(), text.chars().take(40).collect()));
        }
        slowest
    });
    let (slowest, text) = worker.unwrap().join().unwrap();
    println!("slowest: {slowest:?} for {text}…");
    assert!(slowest < Duration::from_secs(5), "{text}… took {slowest:?}");
}

#[test]
fn worst_cases_cost_milliseconds() {
    let mut large = booking();
    let list = |item: &str, count: usize| raw(&format!("[{}]", vec![item; count].join(",")));
    // A sequence that does not repeat: the states of a lazily built automaton do not pay off on it.
    let mut state = 1u32;
    let noise: String = (0..200_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 31 == 0 { 'a' } else { 'b' }
        })
        .collect();
    large.fields = [
        ("short noise", raw(&format!("\"{}\"", &noise[..990]))),
        ("noise", raw(&format!("\"{noise}\""))),
        ("text", raw(&format!("\"{}\"", "ab".repeat(100_000)))),
        ("word", raw(&format!("\"{}\"", "01".repeat(500)))),
        ("numbers", list("1", 100_000)),
        ("some", list("1", 130)),
        ("texts", list("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", 2_000)),
        ("lists", list("[1,1,1,1,1,1,1,1]", 1_500)),
        ("objects", list("{\"a\":1,\"b\":2}", 1_500)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let scope = Scope::new(&large, now());
    let mut doubling = "[fields['some']]".to_owned();
    for number in 0..20 {
        doubling += &format!(".map(x{number}, x{number} + x{number})");
    }
    let mut doubled_text = "[channel]".to_owned();
    for number in 0..20 {
        doubled_text += &format!(".map(x{number}, x{number} + x{number})");
    }
    doubling += ".size() == 1";
    doubled_text += ".size() == 1";
    for text in [
        "fields['text'] == null",
        "fields['numbers'] == null",
        "fields['numbers'].exists(x, x == 2)",
        "fields['some'].all(x, fields['some'].all(y, x == y))",
        "fields['some'].exists(x, fields['some'].exists(y, fields['some'].exists(z, z > 1)))",
        "fields['texts'].exists(x, x.contains('b'))",
        "fields['texts'].exists(x, x + x == '')",
        "fields['lists'].exists(x, [x, x] == [])",
        "fields['objects'].exists(x, x.a > 1 || x.b > 2)",
        "fields['objects'].map(x, x.a).size() == 1500",
        "fields['some'].exists(x, fields['text'].contains('c'))",
        "fields['some'].exists(x, fields['text'].lowerAscii() == fields['text'])",
        "fields['some'].exists(x, size(fields['text']) == x)",
        "fields['some'].exists(x, fields['text'] < x)",
        "fields['some'].exists(x, fields['text'] - x == 1)",
        "fields['some'].exists(x, x.a)",
        "fields['some'].exists(x, fields[fields['text']] == 1)",
        "fields['some'].exists(x, fields['word'].matches('[01]*1[01]{100}$'))",
        "fields['some'].exists(x, fields['word'].matches(r'(\\w*\\d)*\\w\\w\\w!'))",
        "fields['word'].matches(r'(\\w*\\d)*\\w\\w\\w!')",
        "fields['word'].matches('[01]*1[01]{100}[!-/]')",
        "fields['short noise'].matches('[ab]*a[ab]{20}[!-/]')",
        "fields['short noise'].matches('a[ab]{70}[!-/]')",
        "fields['some'].exists(x, fields['short noise'].matches('a[ab]{400}[!-/]'))",
        "fields['some'].exists(x, fields['short noise'].matches('a[ab]{70}[!-/]'))",
        "fields['some'].exists(x, fields['short noise'].matches('a[ab]{20}[!-/]'))",
        "fields['noise'].matches('[ab]*a[ab]{200}[!-/]')",
        "fields['noise'].matches('([ab]*a[ab]{40}){4}[!-/]')",
        "fields['noise'].matches('a[ab]{400}[!-/]')",
        "fields['noise'].matches('(.*.*.*.{10}){2}[!-/]')",
        "fields['noise'].matches('(a|b|ab|ba|.)*(a?){30}(b?){30}[!-/]')",
        "fields['text'].matches('(.*.*.*.{10}){2}[!-/]')",
        "fields['text'].matches('(a|b|ab|ba|.)*(a?){30}(b?){30}[!-/]')",
        "fields['word'].matches('(a|0|1|ab|ba|.)*(.?){20}(1?){30}[!-/]')",
        "fields['text'].matches('([ab]*a[ab]{20})*(a|b)*(ab|ba|aa)*[!-/]')",
        &doubling,
        &doubled_text,
        &format!("true{}", " && !fields['text'].contains('c')".repeat(110)),
        &format!("true{}", " && channel != status".repeat(170)),
        &format!("false{}", " || channel == 'Video'".repeat(170)),
    ] {
        let expression =
            Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let _ = expression.evaluate(&scope);
        let started = Instant::now();
        let outcome = expression.evaluate(&scope);
        let elapsed = started.elapsed();
        println!(
            "{elapsed:>12.1?} {} {outcome:?}",
            text.chars().take(90).collect::<String>()
        );
        assert!(
            elapsed < Duration::from_millis(500),
            "{text} took {elapsed:?}"
        );
    }
}
