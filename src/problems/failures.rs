//! Failures on bookings, each policy's at most once a minute: a broken policy may fail on every booking there is.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::Instant;

use super::Failure;
use crate::org::Org;
use crate::policy::kind::Kind;

const ONCE_IN: Duration = Duration::from_secs(60);

/// Policies whose last report is remembered; more, and all are forgotten: then some are reported sooner.
const MOST_REMEMBERED: usize = 10_000;

/// When each failing policy was last reported.
#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<(Org, Kind, i64), Instant>);

impl Failures {
    pub(super) async fn report(
        &mut self,
        pool: &PgPool,
        failure: &Failure,
    ) -> Result<(), sqlx::Error> {
        let Failure {
            org,
            kind,
            id,
            problem,
            policy_version,
        } = failure;
        let policy = (org.clone(), *kind, *id);
        let last = self.0.get(&policy);
        if last.is_some_and(|reported| reported.elapsed() < ONCE_IN) {
            return Ok(());
        }
        if self.0.len() >= MOST_REMEMBERED {
            self.0.clear();
        }
        tracing::warn!(%org, %kind, id, problem, "a policy's expression failed");
        let reported = sqlx::query(include_str!("../../sql/queries/report_failure.sql"))
            .bind(org.as_str())
            .bind(kind.table())
            .bind(id)
            .bind(problem)
            .bind(policy_version)
            .execute(pool)
            .await?;
        if reported.rows_affected() > 0 {
            self.0.insert(policy, Instant::now());
        }
        Ok(())
    }
}
