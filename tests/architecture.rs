//! Keeps the arrows pointing down: which module of the library may use which, read from `use` lines and paths.

#![allow(missing_docs, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of `src/lib.rs`, and the modules of the crate that its files may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("org", &[]),
    ("json", &[]),
    ("cubu", &["json"]),
    ("policy", &["cubu", "json"]),
    ("telemetry", &["org"]),
    ("settings", &["telemetry"]),
    ("ledger", &["cubu", "json", "org", "policy"]),
    ("access", &["cubu", "ledger", "org"]),
    ("audit", &["access", "cubu", "ledger", "org", "policy"]),
    ("replay", &["cubu", "ledger", "org", "policy"]),
    ("problems", &["org", "policy", "telemetry"]),
    ("counts", &["ledger", "org", "telemetry"]),
    (
        "decider",
        &["cubu", "ledger", "org", "policy", "problems", "telemetry"],
    ),
    (
        "http",
        &[
            "access",
            "audit",
            "cubu",
            "decider",
            "ledger",
            "org",
            "telemetry",
        ],
    ),
    ("postgres", &["settings"]),
];

/// The top: nobody names it, and it may name all.
const TOP: &str = "cli";

/// What the core must not name: IO, time and randomness. Its functions get facts and the time as arguments.
const NO_IO: &[&str] = &[
    "sqlx",
    "tokio",
    "actix_web",
    "futures_util",
    "ureq",
    "getrandom",
    "rand",
    "rustix",
    "tracing",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "new_v4",
];
const PURE: &[&str] = &["org", "json", "cubu", "policy"];

struct Source {
    path: PathBuf,
    module: String,
    code: String,
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every file under `src`, without comments and without what follows `#[cfg(test)] mod … {`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    paths
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&root).expect("below src");
            let first = inside.components().next()?.as_os_str().to_str()?;
            let module = first.trim_end_matches(".rs").to_owned();
            let is_test = inside.components().any(|part| {
                let name = part.as_os_str();
                name == "tests" || name == "tests.rs"
            });
            let text = fs::read_to_string(&path).expect("a readable file");
            (!is_test && module != "main" && module != "lib").then(|| Source {
                code: code_of(&text),
                module,
                path,
            })
        })
        .collect()
}

fn code_of(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line.starts_with("mod tests {") {
            break;
        }
        let line = line.split("//").next().unwrap_or_default();
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// The modules that `crate::…` paths of the code begin with; also those of `use crate::{a::…, b}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut is_first = true;
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        modules.insert(std::mem::take(&mut word));
                        is_first = true;
                    }
                    ':' => is_first = false,
                    other if depth == 0 && is_first && !other.is_whitespace() => word.push(other),
                    _ => {}
                }
            }
            modules.insert(word);
        } else {
            let word: String = rest
                .chars()
                .take_while(|character| character.is_alphanumeric() || *character == '_')
                .collect();
            modules.insert(word);
        }
    }
    modules.remove("");
    modules
}

/// `name` as a path's beginning or whole part, not within another word.
fn names(code: &str, name: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_word) && !code[at + name.len()..].starts_with(is_word)
    })
}

#[test]
fn each_module_uses_only_those_below_it() {
    let mut faults = Vec::new();
    for source in sources() {
        if source.module == TOP {
            continue;
        }
        let row = MAY_USE.iter().find(|(module, _)| *module == source.module);
        let (_, allowed) = row.unwrap_or_else(|| {
            panic!(
                "{} is in no row of MAY_USE: say what it may use",
                source.module
            )
        });
        for used in named(&source.code) {
            if used != source.module && !allowed.contains(&used.as_str()) {
                faults.push(format!("{} uses crate::{used}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    for (at, (module, allowed)) in MAY_USE.iter().enumerate() {
        for used in *allowed {
            assert!(
                MAY_USE[..at].iter().any(|(above, _)| above == used),
                "{module} stands before {used}, which it uses"
            );
        }
    }
}

#[test]
fn the_core_does_no_io() {
    let mut faults = Vec::new();
    for source in sources() {
        if !PURE.contains(&source.module.as_str()) {
            continue;
        }
        for name in NO_IO {
            if names(&source.code, name) {
                faults.push(format!("{} names {name}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_permission_is_used() {
    let sources = sources();
    let mut unused = Vec::new();
    for (module, allowed) in MAY_USE {
        let used: BTreeSet<String> = (sources.iter())
            .filter(|source| source.module == *module)
            .flat_map(|source| named(&source.code))
            .collect();
        let never = allowed.iter().filter(|name| !used.contains(**name));
        unused.extend(never.map(|name| format!("{module} does not use {name}")));
    }
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

#[test]
fn only_the_server_and_the_commands_name_the_web_framework() {
    for source in sources() {
        assert!(
            ["http", TOP].contains(&source.module.as_str()) || !names(&source.code, "actix_web"),
            "{} names actix_web",
            source.path.display()
        );
    }
}

#[test]
fn the_server_has_no_sql() {
    for source in sources() {
        let has_sql = (["sqlx::query", "sqlx::raw_sql", "QueryBuilder"].iter())
            .any(|name| source.code.contains(name));
        assert!(
            source.module != "http" || !has_sql,
            "{} has SQL",
            source.path.display()
        );
    }
}

#[test]
fn nothing_prints_with_macros_that_panic_where_nobody_reads() {
    for source in sources() {
        for name in ["print!(", "println!(", "dbg!("] {
            assert!(
                !source.code.contains(name),
                "{} has {name}: src/cli/print.rs has what does not panic",
                source.path.display()
            );
        }
    }
}

#[test]
fn the_reader_of_use_lines_reads_all_their_shapes() {
    let code = "use crate::org::Org;\nuse crate::{audit::Page, ledger::{head, digest}, policy};\nlet x = crate::http::limits();";
    let found: Vec<String> = named(code).into_iter().collect();
    assert_eq!(found, ["audit", "http", "ledger", "org", "policy"]);
    assert!(names("use std::fs;", "std::fs") && !names("use my_tokio::x;", "tokio"));
}
