//! Why a batch was not recorded, and what that means for it.

use super::command::DecideError;

/// Why a batch failed. Nothing of it was recorded, unless the connection was lost while committing.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    #[error("no such organization")]
    UnknownOrg,
    /// There is no connection to be had.
    #[error("the database is away: {0}")]
    Away(#[source] sqlx::Error),
    #[error("the database did not answer in time")]
    TooSlow,
    #[error("the ledger's head moved although it was locked")]
    HeadMoved,
    #[error("more had to be looked up than was, although the ledger's head was locked")]
    Incomplete,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<&BatchError> for DecideError {
    fn from(error: &BatchError) -> Self {
        match error {
            BatchError::UnknownOrg => Self::UnknownOrg,
            _ if error.refuses_content() => {
                Self::Refused("the database refused its content".to_owned())
            }
            BatchError::Away(_)
            | BatchError::TooSlow
            | BatchError::HeadMoved
            | BatchError::Incomplete
            | BatchError::Database(_) => Self::Unavailable,
        }
    }
}

impl BatchError {
    /// The connection, not the statement, failed. SQLSTATE 57P01–57P03: the server is going down or coming up.
    pub(super) fn is_broken_connection(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
            _ => self.has_state(&["57P"]),
        }
    }

    /// SQLSTATE 40001 (serialization failure), 40P01 (deadlock), 55P03 (lock not available) and 25P03 (the transaction was idle for too
    /// long): nothing is wrong with the batch, and nothing of it was recorded.
    pub(super) fn was_in_the_way(&self) -> bool {
        self.has_state(&["40001", "40P01", "55P03", "25P03"])
    }

    /// SQLSTATE classes 22 (data exception), 23 (integrity constraint violation) and 54 (program limit exceeded).
    pub(super) fn refuses_content(&self) -> bool {
        self.has_state(&["22", "23", "54"])
    }

    fn has_state(&self, beginnings: &[&str]) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return false;
        };
        (error.code())
            .is_some_and(|code| (beginnings.iter()).any(|beginning| code.starts_with(beginning)))
    }
}

/// Whether the database could be reached at all.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reach {
    There,
    Away,
}
