use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;

fn from(vars: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::from_vars(
        vars.iter()
            .map(|&(name, value)| (name.into(), value.into())),
    )
}

#[test]
fn the_defaults_stand_without_any_variable() {
    let settings = from(&[]).expect("all defaults are valid");
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.queue_limit, 2048);
    assert_eq!(settings.decision_timeout, Duration::from_secs(5));
    assert_eq!(settings.log_format, LogFormat::Human);
    assert!(settings.http_workers >= 1);
    assert!(matches!(
        settings.require_database_url(),
        Err(SettingsError::Missing {
            key: "DATABASE_URL",
            ..
        })
    ));
}

#[test]
fn every_example_is_valid() {
    for key in KEYS {
        from(&[(key.name, key.example)]).expect(key.name);
    }
}

#[test]
fn a_bad_value_is_answered_with_key_problem_and_example() {
    for (name, value, part) in [
        (
            "BOOKWARDEN_LISTEN",
            "8080",
            "for example BOOKWARDEN_LISTEN='0.0.0.0:8080'",
        ),
        (
            "BOOKWARDEN_BATCH_LIMIT",
            "0",
            "is not between 1 and 10000 (bookings)",
        ),
        ("BOOKWARDEN_POOL_SIZE", "ten", "invalid digit"),
        ("BOOKWARDEN_LOG", "a=b=c", "BOOKWARDEN_LOG"),
        ("BOOKWARDEN_LOG", "verbose", "a word is no level"),
        ("BOOKWARDEN_LOG", "sqlx=off,none", "a word is no level"),
        ("BOOKWARDEN_LOG_FORMAT", "xml", "is neither human nor json"),
        (
            "DATABASE_URL",
            "mysql://me:hidden@host/db",
            "does not start with postgres://",
        ),
    ] {
        let message = from(&[(name, value)]).expect_err(name).to_string();
        assert!(
            message.contains(name) && message.contains(part),
            "{message}"
        );
        assert!(!message.contains("hidden"), "{message}");
    }
}

#[test]
fn levels_and_levels_by_module_are_filters() {
    for value in [
        "warn",
        "OFF",
        "info,bookwarden::decider=debug",
        "bookwarden::decider",
        "[request]=trace",
        "3",
    ] {
        from(&[("BOOKWARDEN_LOG", value)]).expect(value);
    }
}

#[test]
fn a_mistyped_key_is_an_error_that_names_the_nearest() {
    let error = from(&[("BOOKWARDEN_QUEUE_LIMITS", "5")]).expect_err("no such key");
    assert_eq!(
        error,
        SettingsError::Unknown {
            key: "BOOKWARDEN_QUEUE_LIMITS".into(),
            nearest: "BOOKWARDEN_QUEUE_LIMIT"
        }
    );
}

#[test]
fn the_database_password_is_not_printed() {
    let settings = from(&[("DATABASE_URL", "postgres://me:hidden@host/db")]).expect("a valid URL");
    assert!(!format!("{settings:?}").contains("hidden"));
}

#[test]
fn the_documentation_lists_exactly_these_keys() {
    let documented: Vec<&str> = include_str!("../../docs/configuration.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let rows: Vec<String> = KEYS.iter().map(documentation_row).collect();
    assert_eq!(documented, rows, "\n{}\n", rows.join("\n"));
}

fn documentation_row(key: &Key) -> String {
    let default = if key.default.is_empty() {
        String::new()
    } else {
        format!("`{}`", key.default)
    };
    format!(
        "| `{}` | {default} | {} | {} |",
        key.name, key.unit, key.doc
    )
}

#[test]
fn the_documentation_names_no_key_that_does_not_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = ["README.md", "docker-compose.yml", "Dockerfile"]
        .map(|file| root.join(file))
        .to_vec();
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root.join(folder)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        files.extend(paths.filter(|path| path.is_file()));
    }
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        for (at, _) in text.match_indices("BOOKWARDEN_") {
            let name = &text[at..];
            let end = name.find(|letter| !is_of_a_name(letter));
            let name = &name[..end.unwrap_or(name.len())];
            let is_prefix = name == "BOOKWARDEN_";
            let is_key = is_prefix || KEYS.iter().any(|key| key.name == name);
            assert!(is_key, "{} names {name}", file.display());
            found += 1;
        }
    }
    assert!(found > KEYS.len());
}
