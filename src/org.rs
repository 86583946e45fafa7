//! The tenant's name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An organization: 1–63 lower-case letters, digits and hyphens, starting with a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Org(Arc<str>);

impl Org {
    /// The organization of the addresses that name none.
    #[must_use]
    pub fn default_org() -> Self {
        Self("default".into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not an organization's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an organization's name has 1 to 63 lower-case letters, digits or hyphens and starts with a letter or digit"
)]
pub struct OrgError;

impl FromStr for Org {
    type Err = OrgError;

    fn from_str(name: &str) -> Result<Self, OrgError> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let all_allowed = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if starts_well && all_allowed && name.len() <= 63 {
            Ok(Self(name.into()))
        } else {
            Err(OrgError)
        }
    }
}

impl fmt::Display for Org {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
