//! Replays ledgers and compares the live tables with what they make of them.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::PgConnection;

use super::database::{self, Extras};
use super::difference::Differences;
use super::report::Summary;
use super::run::{ReplayError, Scope, Watch};
use super::strays::find_strays;

/// What a verification found.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The replay of the ledgers.
    pub ledger: Summary,
    /// Where the live tables are not what the ledgers make of them.
    pub differences: Differences,
}

impl Verified {
    /// Whether the ledgers hold and the tables are what they make of them.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.ledger.holds() && self.differences.count == 0
    }
}

/// Replays the ledgers of an organization, or of all, and compares the live tables with them; read only.
///
/// # Errors
/// When the database fails, or there is no such organization.
pub async fn verify(
    connection: &mut PgConnection,
    scope: Scope,
    watch: &mut dyn Watch,
) -> Result<Verified, ReplayError> {
    let mut differences = Differences::default();
    let extras = Extras {
        differences: Some(&mut differences),
        ..Extras::default()
    };
    let ledger =
        database::replay(connection, scope.clone(), BTreeMap::new(), extras, watch).await?;
    find_strays(connection, scope.org.as_ref(), &mut differences).await?;
    Ok(Verified {
        ledger,
        differences,
    })
}
