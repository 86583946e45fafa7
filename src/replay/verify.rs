//! Compares the live tables with the fold of the ledger, row by row, in the one snapshot in which the ledger was read.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

use super::database::{self, Extras};
use super::places::Reservation;
use super::report::{Summary, around_difference};
use super::row::without_nulls;
use super::run::{ReplayError, Scope, Watch};
use super::state::State;
use crate::org::Org;
use crate::policy::kind::Kind;

/// So many differences are told one by one; the rest are counted.
const MOST_TOLD: usize = 1_000;

/// A row that the ledger and a table do not agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table, with its schema.
    pub table: String,
    /// The organization.
    pub org: String,
    /// The row: a policy's id, a reservation's case.
    pub key: String,
    /// The row as the ledger has it, without its nulls. None: by the ledger there is no such row.
    pub ledger: Option<String>,
    /// The row as it stands in the table, without its nulls. None: there is none.
    pub table_row: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |row: &Option<String>| row.clone().unwrap_or_else(|| "no row".to_owned());
        let Self {
            table, org, key, ..
        } = self;
        write!(
            f,
            "{table} {key} of {org}\n  by the ledger: {}\n  in the table:  {}",
            shown(&self.ledger),
            shown(&self.table_row)
        )
    }
}

/// The differences: the first ones, and how many there are.
#[derive(Debug, Default, Serialize)]
pub struct Differences {
    /// How many rows differ.
    pub count: u64,
    /// How many rows were compared.
    pub rows: u64,
    /// The first thousand.
    pub told: Vec<Difference>,
}

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

/// Replays the ledgers of an organization, or of all, and compares the live tables with them: one read-only snapshot.
///
/// # Errors
/// When the database fails, or there is no such organization.
pub async fn verify(
    connection: &mut PgConnection,
    org: Option<Org>,
    watch: &mut dyn Watch,
) -> Result<Verified, ReplayError> {
    let mut differences = Differences::default();
    let extras = Extras {
        differences: Some(&mut differences),
        ..Extras::default()
    };
    let scope = Scope {
        org,
        ..Scope::default()
    };
    let ledger = database::replay(connection, scope, BTreeMap::new(), extras, watch).await?;
    Ok(Verified {
        ledger,
        differences,
    })
}

/// Compares one organization's tables with its state, which is used up on the way: what is left in the end, no table has.
pub(super) async fn compare(
    connection: &mut PgConnection,
    org: &str,
    mut state: State,
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    for kind in Kind::ALL {
        compare_policies(
            connection,
            org,
            kind,
            state.rows.remove(&kind).unwrap_or_default(),
            differences,
        )
        .await?;
    }
    compare_reservations(connection, org, state, differences).await?;
    compare_policy_hits(connection, org, differences).await
}

/// The projection holds nothing but what decisions' explanations say, which the replay has derived: so Postgres compares the two.
async fn compare_policy_hits(
    connection: &mut PgConnection,
    org: &str,
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    let statement = include_str!("../../sql/queries/compare_policy_hits.sql");
    let mut rows = sqlx::query_as::<_, (String, Option<String>, Option<String>)>(statement)
        .bind(org)
        .fetch(connection);
    while let Some((key, ledger, table_row)) = rows.try_next().await? {
        differences.tell("ledger.policy_hits", org, key, ledger, table_row);
    }
    Ok(())
}

async fn compare_policies(
    connection: &mut PgConnection,
    org: &str,
    kind: Kind,
    mut folded: BTreeMap<i64, Box<str>>,
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    let table = format!("policy.{kind}");
    let statement = of_table(include_str!("../../sql/queries/read_policy_rows.sql"), kind);
    let mut rows = sqlx::query_as::<_, (i64, String)>(statement)
        .bind(org)
        .fetch(connection);
    while let Some((id, row)) = rows.try_next().await? {
        differences.rows += 1;
        let row = without_nulls(&row).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let known = folded.remove(&id);
        if known.as_deref() != Some(&row) {
            differences.tell(&table, org, id, known.map(String::from), Some(row));
        }
    }
    for (id, row) in folded {
        differences.tell(&table, org, id, Some(row.into()), None);
    }
    Ok(())
}

async fn compare_reservations(
    connection: &mut PgConnection,
    org: &str,
    mut state: State,
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    const TABLE: &str = "ledger.reservations";
    let statement = include_str!("../../sql/queries/read_reservations.sql");
    let mut rows = sqlx::query_as::<_, Reservation>(statement)
        .bind(org)
        .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        differences.rows += 1;
        let known = state
            .places
            .free(row.case_id)
            .map(|held| Reservation::new(row.case_id, &held));
        if known.as_ref() != Some(&row) {
            differences.tell(
                TABLE,
                org,
                row.case_id,
                known.as_ref().map(shown),
                Some(shown(&row)),
            );
        }
    }
    for case_id in state.places.cases() {
        let held = state
            .places
            .held(case_id)
            .map(|held| Reservation::new(case_id, held));
        differences.tell(TABLE, org, case_id, held.as_ref().map(shown), None);
    }
    Ok(())
}

fn shown(row: &Reservation) -> String {
    let text = serde_json::to_string(row).unwrap_or_default();
    without_nulls(&text).unwrap_or(text)
}

/// The names are our own, from a closed set.
fn of_table(statement: &str, kind: Kind) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement.replace("policy_table", kind.table()))
}

impl Differences {
    fn tell(
        &mut self,
        table: &str,
        org: &str,
        key: impl ToString,
        ledger: Option<String>,
        table_row: Option<String>,
    ) {
        self.count += 1;
        if self.told.len() < MOST_TOLD {
            let (ledger, table_row) = match (ledger, table_row) {
                (Some(ledger), Some(row)) => {
                    let (ledger, row) = around_difference(&ledger, &row);
                    (Some(ledger), Some(row))
                }
                one_side => one_side,
            };
            self.told.push(Difference {
                table: table.to_owned(),
                org: org.to_owned(),
                key: key.to_string(),
                ledger,
                table_row,
            });
        }
    }

    /// Rows of organizations that have no ledger at all.
    pub(super) async fn find_strays(
        &mut self,
        connection: &mut PgConnection,
        orgs: &[String],
    ) -> Result<(), sqlx::Error> {
        let statement = include_str!("../../sql/queries/list_stray_reservations.sql");
        self.find_strays_with(
            connection,
            "ledger.reservations",
            AssertSqlSafe(statement.to_owned()),
            orgs,
        )
        .await?;
        for kind in Kind::ALL {
            let statement = of_table(
                include_str!("../../sql/queries/list_stray_policies.sql"),
                kind,
            );
            self.find_strays_with(connection, &format!("policy.{kind}"), statement, orgs)
                .await?;
        }
        Ok(())
    }

    async fn find_strays_with(
        &mut self,
        connection: &mut PgConnection,
        table: &str,
        statement: AssertSqlSafe<String>,
        orgs: &[String],
    ) -> Result<(), sqlx::Error> {
        let mut rows = sqlx::query_as::<_, (String, String, String)>(statement)
            .bind(orgs)
            .fetch(connection);
        while let Some((org, key, row)) = rows.try_next().await? {
            self.rows += 1;
            self.tell(table, &org, key, None, Some(row));
        }
        Ok(())
    }
}
