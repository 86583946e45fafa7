//! Which policies are otherwise than they were, and how: by SQL that is run and rolled back, or by what has been changed since.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use sqlx::{FromRow, PgConnection};

use super::{Period, SimulationError};
use crate::org::Org;
use crate::policy::change::{ChangeError, changes};
use crate::policy::kind::Kind;

/// Who waits for a policy that somebody else is changing has to ask that one; who has gone need not be waited for.
const BEGIN: &str = "
    begin;
    set local lock_timeout = '2s';
    set local statement_timeout = '5min';
    set local idle_in_transaction_session_timeout = '10s';
    set local client_connection_check_interval = '1s'";

/// PL/pgSQL runs several statements at once, and none that would end the transaction (PostgreSQL manual, "Executing Dynamic Commands").
const RUN: &str = "do $$ begin execute current_setting('bookwarden.simulated'); end $$";

/// Policies as they are to be, by kind and id. None: there is no such policy.
#[derive(Debug, Default)]
pub struct Change(BTreeMap<(Kind, i64), Option<Box<str>>>);

#[derive(FromRow)]
struct Staged {
    org: String,
    kind: String,
    payload: String,
    attachment: Option<String>,
}

#[derive(FromRow)]
struct PolicyEvent {
    seq: i64,
    kind: String,
    payload: Option<String>,
    attachment: Option<String>,
}

impl Change {
    /// What SQL would change. It runs in a transaction that is rolled back; the capture notes what it changes, as always.
    ///
    /// # Errors
    /// When it fails, or changes no policy of the organization.
    pub async fn of_sql(
        connection: &mut PgConnection,
        org: &Org,
        sql: &str,
    ) -> Result<Self, SimulationError> {
        sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
        let change = Self::run(connection, org, sql).await;
        let ended = sqlx::raw_sql("rollback").execute(connection).await;
        let change = change?;
        ended?;
        Ok(change)
    }

    async fn run(
        connection: &mut PgConnection,
        org: &Org,
        sql: &str,
    ) -> Result<Self, SimulationError> {
        let sql = without_transaction(sql);
        sqlx::query("select set_config('bookwarden.simulated', $1, true)")
            .bind(&sql)
            .execute(&mut *connection)
            .await?;
        sqlx::raw_sql(RUN)
            .execute(&mut *connection)
            .await
            .map_err(|error| of_statement(error, &sql))?;
        // Whose rights the file has taken on need not reach as far.
        sqlx::raw_sql("reset role")
            .execute(&mut *connection)
            .await?;
        let mut change = Self::default();
        let mut others = BTreeSet::new();
        let statement = include_str!("../../../sql/queries/read_staged_changes.sql");
        let mut rows = sqlx::query_as::<_, Staged>(statement).fetch(connection);
        while let Some(staged) = rows.try_next().await? {
            if staged.org != org.as_str() {
                others.insert(staged.org);
                continue;
            }
            let attachment = staged.attachment.as_deref();
            change
                .add(&staged.kind, &staged.payload, attachment)
                .map_err(|error| SimulationError::Statement {
                    line: None,
                    said: error.to_string(),
                })?;
        }
        if change.0.is_empty() {
            return Err(SimulationError::NoChange {
                org: org.clone(),
                others: others.into_iter().collect(),
            });
        }
        Ok(change)
    }

    /// What was changed from an event on: policies as they are now.
    ///
    /// # Errors
    /// When the database fails, nothing was changed, or it is not known what.
    pub async fn since(
        connection: &mut PgConnection,
        period: &Period,
    ) -> Result<Self, SimulationError> {
        let mut change = Self::default();
        let statement = include_str!("../../../sql/queries/read_policy_events.sql");
        let mut events = sqlx::query_as::<_, PolicyEvent>(statement)
            .bind(period.org.as_str())
            .bind(period.from)
            .fetch(connection);
        while let Some(event) = events.try_next().await? {
            let unknown = |reason: String| SimulationError::Unknown {
                seq: event.seq,
                reason,
            };
            let Some(payload) = &event.payload else {
                return Err(unknown("its content was erased".to_owned()));
            };
            change
                .add(&event.kind, payload, event.attachment.as_deref())
                .map_err(|error| unknown(error.to_string()))?;
        }
        if change.0.is_empty() {
            return Err(SimulationError::NothingSince {
                org: period.org.clone(),
                from: period.from,
            });
        }
        Ok(change)
    }

    /// Adds what an event says, or would say. A kind that this version does not know decides nothing.
    pub(in crate::replay) fn add(
        &mut self,
        kind: &str,
        payload: &str,
        attachment: Option<&str>,
    ) -> Result<(), ChangeError> {
        let Some(kind) = Kind::of_table(kind) else {
            return Ok(());
        };
        for change in changes(kind, payload, attachment)? {
            self.0.insert((kind, change.id), change.new.map(Box::from));
        }
        Ok(())
    }

    /// How many policies.
    #[must_use]
    pub fn policies(&self) -> usize {
        self.0.len()
    }

    /// Whether a policy is held otherwise than it was.
    pub(super) fn holds(&self, kind: Kind, id: i64) -> bool {
        self.0.contains_key(&(kind, id))
    }

    /// The policies, each as it is to be.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Kind, i64, Option<&str>)> {
        let rows = self.0.iter();
        rows.map(|((kind, id), row)| (*kind, *id, row.as_deref()))
    }
}

/// A file for psql may begin and commit its transaction. Here there is one, and it is not committed: the line that begins it and the one
/// that ends it are left empty, so that the others keep their numbers. Nor is there a mark of the encoding, which psql passes over.
fn without_transaction(sql: &str) -> String {
    const BEGINS: [&str; 4] = [
        "begin;",
        "begin work;",
        "begin transaction;",
        "start transaction;",
    ];
    const ENDS: [&str; 4] = ["commit;", "commit work;", "commit transaction;", "end;"];
    let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql);
    let mut lines: Vec<&str> = sql.split_inclusive('\n').collect();
    let statement = |line: &str| {
        let statement = line.split("--").next().unwrap_or_default();
        statement.trim().to_ascii_lowercase()
    };
    let says = |line: &&str| !statement(line).is_empty();
    for (at, words) in [
        (lines.iter().position(says), BEGINS),
        (lines.iter().rposition(says), ENDS),
    ] {
        if let Some(at) = at.filter(|at| words.contains(&&*statement(lines[*at]))) {
            lines[at] = if lines[at].ends_with('\n') { "\n" } else { "" };
        }
    }
    lines.concat()
}

/// What the database says of the SQL, where, and what to do.
fn of_statement(error: sqlx::Error, sql: &str) -> SimulationError {
    let Some(database) = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
    else {
        return error.into();
    };
    // Else it is a place in one of our own functions.
    let line = match database.position() {
        Some(PgErrorPosition::Internal { position, query }) if query == sql => Some(
            1 + sql
                .chars()
                .take(position.saturating_sub(1))
                .filter(|character| *character == '\n')
                .count(),
        ),
        _ => None,
    };
    let advice = database.hint().or(match database.code() {
        // feature_not_supported, syntax_error
        "0A000" | "42601" => Some(
            "Give plain SQL, without psql's commands; of begin; and commit; one each, on the first and the last line, or none",
        ),
        _ => None,
    });
    let parts = [Some(database.message()), database.detail(), advice];
    let parts = parts.into_iter().flatten();
    let parts: Vec<_> = parts.map(|part| part.trim_end_matches('.')).collect();
    SimulationError::Statement {
        line,
        said: parts.join(". "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_begin_and_commit_are_left_empty_and_no_others() {
        let inside = "set local x = 'a\r\n\ncommit;\nb';\ndo $$ begin null; end $$;\n";
        for (begins, ends) in [
            ("-- why\n\nBEGIN;\n", "commit;"),
            ("\u{feff}begin; -- all of it\n", "COMMIT WORK;\n-- done\n"),
            ("start transaction;\n", "  end;\n\n"),
        ] {
            let run = without_transaction(&format!("{begins}{inside}{ends}"));
            assert!(run.contains(inside), "{run}");
            let lines = |text: &str| text.split('\n').count();
            assert_eq!(lines(&run), lines(begins) + lines(inside) + lines(ends) - 2);
            for word in ["BEGIN;", "COMMIT WORK", "start", "  end;", "\u{feff}"] {
                assert!(!run.contains(word), "{word}: {run}");
            }
        }
        for sql in ["", "\n", "delete from policy.rules", inside] {
            assert_eq!(without_transaction(sql), sql);
        }
    }
}
