//! What can be wrong with the configuration.

/// What is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A key without a default is not set.
    #[error("{key} is not set; for example {key}='{example}'")]
    Missing {
        /// The key.
        key: &'static str,
        /// A value that works.
        example: &'static str,
    },
    /// A value does not fit. The value itself is not shown: it may be a secret.
    #[error("the value of {key} {problem}; for example {key}='{example}'")]
    Invalid {
        /// The key.
        key: &'static str,
        /// What is wrong with the value.
        problem: String,
        /// A value that works.
        example: &'static str,
    },
    /// A `BOOKWARDEN_` variable that is no key: most likely a typing error that would go unnoticed.
    #[error(
        "the environment variable {key} is not a setting of bookwarden; did you mean {nearest}? (`bookwarden serve --help` lists all)"
    )]
    Unknown {
        /// The variable.
        key: String,
        /// The key that looks most like it.
        nearest: &'static str,
    },
}
