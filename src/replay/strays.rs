//! Rows that belong to no ledger.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection};

use super::compare::{CompareError, MOST_TRIES, PAUSE, locked_shortly, of_table};
use super::database::heads;
use super::difference::Differences;
use super::reading::in_snapshot;
use super::run::ReplayError;
use crate::org::Org;
use crate::policy::kind::Kind;

/// Rows of organizations that have no ledger at all, and attachments that no event names.
pub(super) async fn find_strays(
    connection: &mut PgConnection,
    org: Option<&Org>,
    differences: &mut Differences,
) -> Result<(), ReplayError> {
    let mut tries = 0;
    loop {
        let found = in_snapshot(connection, async |connection| strays(connection, org).await).await;
        match found {
            Err(CompareError::Stale) if tries < MOST_TRIES => tries += 1,
            other => {
                differences.add(other?);
                return Ok(());
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn strays(
    connection: &mut PgConnection,
    org: Option<&Org>,
) -> Result<Differences, CompareError> {
    let mut differences = Differences::default();
    // Before the tables: an organization that comes later is not seen in either.
    let heads = heads(connection).await?;
    let orgs: Vec<String> = heads.into_iter().map(|head| head.org).collect();
    find(
        connection,
        "ledger.attachments",
        AssertSqlSafe(include_str!("../../sql/queries/list_stray_attachments.sql").to_owned()),
        &orgs,
        &mut differences,
    )
    .await?;
    if org.is_none() {
        let statement = include_str!("../../sql/queries/list_stray_reservations.sql");
        let statement = AssertSqlSafe(statement.to_owned());
        find(
            connection,
            "ledger.reservations",
            statement,
            &orgs,
            &mut differences,
        )
        .await?;
        let statement = include_str!("../../sql/queries/list_stray_policy_hits.sql");
        let statement = AssertSqlSafe(statement.to_owned());
        find(
            connection,
            "ledger.policy_hits",
            statement,
            &orgs,
            &mut differences,
        )
        .await?;
        let statement = include_str!("../../sql/queries/list_stray_decision_counts.sql");
        let statement = AssertSqlSafe(statement.to_owned());
        find(
            connection,
            "ledger.decision_counts",
            statement,
            &orgs,
            &mut differences,
        )
        .await?;
        for kind in Kind::ALL {
            let statement = of_table(
                include_str!("../../sql/queries/list_stray_policies.sql"),
                kind,
            );
            let table = format!("policy.{kind}");
            locked_shortly(connection, async |connection| {
                Ok(find(connection, &table, statement, &orgs, &mut differences).await?)
            })
            .await?;
        }
    }
    Ok(differences)
}

async fn find(
    connection: &mut PgConnection,
    table: &str,
    statement: AssertSqlSafe<String>,
    orgs: &[String],
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    let mut rows = sqlx::query_as::<_, (String, String, String)>(statement)
        .bind(orgs)
        .fetch(connection);
    while let Some((org, key, row)) = rows.try_next().await? {
        differences.rows += 1;
        differences.tell(table, &org, key, None, Some(row));
    }
    Ok(())
}
