//! refinery speaks to Postgres through our one client. Mirrors its own driver: every call is one transaction.

use refinery_core::Migration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The connection that refinery migrates over.
pub(super) struct RefineryConnection<'a>(pub(super) &'a mut PgConnection);

impl AsyncTransaction for RefineryConnection<'_> {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        let mut count = 0;
        for query in queries {
            // Safe: the texts are our embedded migrations and refinery's own bookkeeping.
            sqlx::raw_sql(AssertSqlSafe(query.to_owned()))
                .execute(&mut *transaction)
                .await?;
            count += 1;
        }
        transaction.commit().await?;
        Ok(count)
    }
}

type AppliedRow = (i32, String, String, String);

impl AsyncQuery<Vec<Migration>> for RefineryConnection<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, sqlx::Error> {
        let rows: Vec<AppliedRow> = sqlx::query_as(AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut *self.0)
            .await?;
        rows.into_iter().map(applied).collect()
    }
}

fn applied((version, name, applied_on, checksum): AppliedRow) -> Result<Migration, sqlx::Error> {
    let applied_on = OffsetDateTime::parse(&applied_on, &Rfc3339)
        .map_err(|error| sqlx::Error::Decode(error.into()))?;
    let checksum = checksum
        .parse()
        .map_err(|error: std::num::ParseIntError| sqlx::Error::Decode(error.into()))?;
    Ok(Migration::applied(version, name, applied_on, checksum))
}

impl AsyncMigrate for RefineryConnection<'_> {}
