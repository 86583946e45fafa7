//! The time zones by whose clock decisions are counted.

use std::collections::HashSet;

use sqlx::PgPool;
use tokio::sync::OnceCell;

/// What the database takes for a zone is more than the names: of a POSIX text such as `UTC+2` it counts the hours backwards, and it finds
/// one in any word with a number behind it. Its list of names is dear to read, and changes with its files only.
static NAMES: OnceCell<HashSet<String>> = OnceCell::const_new();

/// Whether a zone has this name.
pub(super) async fn is_known(pool: &PgPool, name: &str) -> Result<bool, sqlx::Error> {
    if name == super::UTC {
        return Ok(true);
    }
    let read = || async {
        let names: Vec<String> =
            sqlx::query_scalar(include_str!("../../../sql/queries/list_time_zones.sql"))
                .persistent(false)
                .fetch_all(pool)
                .await?;
        Ok::<_, sqlx::Error>(names.into_iter().collect())
    };
    Ok(NAMES.get_or_try_init(read).await?.contains(name))
}
