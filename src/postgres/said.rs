//! What went wrong with the database, as a person is told.

/// The database's own words. `sqlx` adds a line number that is one of Postgres' source.
#[must_use]
pub fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

/// Whether the database is there and lets this login not in: `invalid_catalog_name`, class 28 (invalid authorization), and
/// `insufficient_privilege` to connect (PostgreSQL manual, appendix A). Trying again does not help.
#[must_use]
pub fn is_refusal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "3D000" || code == "42501" || code.starts_with("28"))
}

/// Whether the connection was lost: the database goes down, comes up, or has no room (SQLSTATE classes 57P, 08 and 53).
#[must_use]
pub fn is_gone(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        Some(error) => error.code().is_some_and(|code| {
            ["57P", "08", "53"]
                .iter()
                .any(|class| code.starts_with(class))
        }),
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)),
    }
}
