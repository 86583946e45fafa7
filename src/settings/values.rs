//! Values with a form of their own.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// A database's address with its password: shown by nothing that prints for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password: for connecting, and for the owner's eyes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// How to connect.
    pub fn connect_options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.0.parse()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("does not start with postgres://".into());
        }
        url.parse::<PgConnectOptions>()
            .map_err(|error| error.to_string())?;
        Ok(Self(url.into()))
    }
}
