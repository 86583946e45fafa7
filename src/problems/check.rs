//! Compiles the expressions of all policies whenever any changed.

use std::collections::BTreeMap;

use sqlx::PgPool;

use crate::org::Org;
use crate::policy::expression::Expression;
use crate::telemetry::Metrics;

const EMPTY: &str = "it is empty; null means always";

/// The policy versions that were checked last.
#[derive(Debug, Default)]
pub(super) struct Check {
    checked: BTreeMap<String, i64>,
}

impl Check {
    /// Brings the reports up to date, if policies changed or failed since the last time.
    pub(super) async fn run(
        &mut self,
        pool: &PgPool,
        metrics: &Metrics,
        failed: bool,
    ) -> Result<(), sqlx::Error> {
        let sql = include_str!("../../sql/queries/list_policy_versions.sql");
        let versions: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(pool).await?;
        let versions: BTreeMap<_, _> = versions.into_iter().collect();
        let changed = versions != self.checked;
        if changed {
            report_expressions(pool).await?;
            sqlx::query(include_str!("../../sql/queries/forget_failures.sql"))
                .execute(pool)
                .await?;
        }
        if changed || failed {
            count(pool, versions.keys(), metrics).await?;
        }
        // What changed after the versions were read is checked next time.
        self.checked = versions;
        Ok(())
    }
}

async fn report_expressions(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sql = include_str!("../../sql/queries/list_expressions.sql");
    let expressions: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await?;
    let compiling = tokio::task::spawn_blocking(|| problems_of(expressions));
    let problems = compiling.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
    let (expressions, problems): (Vec<_>, Vec<_>) = problems.into_iter().unzip();

    let sql = include_str!("../../sql/queries/keep_expression_problems.sql");
    sqlx::query(sql).bind(&expressions).execute(pool).await?;
    let sql = include_str!("../../sql/queries/report_expression_problems.sql");
    let news: Vec<Vec<u8>> = sqlx::query_scalar(sql)
        .bind(&expressions)
        .bind(problems)
        .fetch_all(pool)
        .await?;
    if news.is_empty() {
        return Ok(());
    }
    let sql = include_str!("../../sql/queries/list_new_problems.sql");
    let policies: Vec<(String, String, i64, String, String)> =
        sqlx::query_as(sql).bind(news).fetch_all(pool).await?;
    for (org, kind, id, part, problem) in policies {
        tracing::warn!(%org, %kind, id, %part, %problem, "a policy's expression does not compile");
    }
    Ok(())
}

/// Those that do not compile, with what is wrong.
fn problems_of(expressions: Vec<String>) -> Vec<(String, String)> {
    let problem = |expression: String| {
        // Who meant no condition is not helped by what the parser would have liked to find.
        if expression.trim().is_empty() {
            return Some((expression, EMPTY.to_owned()));
        }
        let error = Expression::compile(&expression).err()?;
        Some((expression, error.to_string()))
    };
    expressions.into_iter().filter_map(problem).collect()
}

async fn count(
    pool: &PgPool,
    orgs: impl Iterator<Item = &String>,
    metrics: &Metrics,
) -> Result<(), sqlx::Error> {
    let counts: Vec<(String, i64)> =
        sqlx::query_as(include_str!("../../sql/queries/count_problems.sql"))
            .fetch_all(pool)
            .await?;
    let counts: BTreeMap<_, _> = counts.into_iter().collect();
    for name in orgs {
        if let Ok(org) = name.parse::<Org>() {
            metrics.policy_problems(&org, counts.get(name).copied().unwrap_or(0));
        }
    }
    Ok(())
}
