//! What an administrator does to the policies while bookings come in: every shape that a change can have.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::failure::Failure;

/// One transaction each, in turn. `$N` stands for the number of the turn, `$ORG` for an organization.
const CHANGES: &[&str] = &[
    // Single rows.
    "update policy.capacity_caps set max_appointments = 4 + $N % 5 where org = '$ORG' and name = 'tight ' || $N % 300",
    "insert into policy.rules (org, name, unit_id, condition, add_tags, priority) values ('$ORG', 'turn $N', ('04170000-0000-4000-8000-' || lpad(to_hex($N % 100), 12, '0'))::uuid, 'ticket.number == 100 + $N % 900', '{7d000000-0000-4000-8000-00000000000a}', $N % 200)",
    "delete from policy.rules where id = (select min(id) from policy.rules where org = '$ORG' and name like 'turn %')",
    // Shadow, enforced, and off.
    "update policy.capacity_caps set mode = (array['shadow', 'enforce', 'off'])[1 + $N % 3] where org = '$ORG' and name in ('one a slot', 'unit by week', 'mornings')",
    "update policy.customer_limits set mode = case mode when 'shadow' then 'enforce' else 'shadow' end where org = '$ORG'",
    // In bulk: beyond 100 rows a statement.
    "insert into policy.customer_blocklist (org, field_type_id, field_value) select '$ORG', '4848ba2d-a80a-4f3c-b170-578d19899e2f', '+972' || lpad(($N * 1000 + n)::text, 9, '0') from generate_series(1, 300) n",
    "update policy.capacity_caps set max_appointments = 3 + $N % 7, note = 'turn $N' where org = '$ORG' and name like 'tight %'",
    "delete from policy.customer_blocklist where org = '$ORG' and field_value like '+972%' and id % 3 = 0",
    // The kill switch, and back; the retry window.
    "set local bookwarden.reason = 'all may'; update policy.organizations set mode = 'shadow' where org = '$ORG'",
    "update policy.organizations set mode = 'enforce', retry_window_seconds = 5 * ($N % 13) where org = '$ORG'",
    // Emptied and filled again.
    "set local lock_timeout = '2s'; truncate policy.blackouts; insert into policy.blackouts (org, name, mode, weekdays, from_minute, to_minute, applies_when, on_error) select o.org, v.* from policy.organizations o, (values ('Sunday', 'enforce', '{7}'::smallint[], null::integer, null::integer, null, 'ignore'), ('lunch', 'shadow', null, 720, 780, null, 'ignore'), ('fails at run time', 'enforce', '{1,2,3,4,5,6,7}', 900, 905, 'fields[\"4848ba2d-a80a-4f3c-b170-578d19899e2f\"] > 3', 'cancel')) as v",
    // Several kinds and both organizations at once.
    "update policy.booking_windows set max_days_ahead = 40 + $N % 20 where name = 'nearer for video'; update policy.blackouts set to_minute = 770 + $N % 20 where name = 'lunch'; update policy.rules set on_error = 'cancel' where name = 'fails at run time' and $N % 4 = 0; update policy.rules set on_error = 'ignore' where name = 'fails at run time' and $N % 4 <> 0",
];

/// Makes one change. What runs into a lock or a limit that the service sets on purpose is left out, as an administrator would try later.
pub async fn change(connection: &mut PgConnection, turn: u64) -> Result<(), Failure> {
    let index = turn as usize % CHANGES.len();
    // Each change in one organization and, a round later, in the other.
    let org = if (turn / CHANGES.len() as u64).is_multiple_of(2) {
        "default"
    } else {
        "org-0"
    };
    if turn % 16 == 15 {
        return copy(connection, org, turn).await;
    }
    let statements = CHANGES.get(index).copied().unwrap_or_default();
    let text = statements
        .replace("$N", &turn.to_string())
        .replace("$ORG", org);
    let mut transaction = connection.begin().await?;
    let done = sqlx::raw_sql(AssertSqlSafe(text))
        .execute(&mut *transaction)
        .await;
    match done {
        Ok(_) => match transaction.commit().await {
            Ok(()) => Ok(()),
            Err(error) => later(error),
        },
        Err(error) => {
            transaction.rollback().await?;
            later(error)
        }
    }
}

fn later(error: sqlx::Error) -> Result<(), Failure> {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const CANCELED: &str = "57014";
    const DEADLOCK: &str = "40P01";
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(String::from));
    match code.as_deref() {
        Some(LOCK_NOT_AVAILABLE | CANCELED | DEADLOCK) => {
            eprintln!("an administrator has to try again: {error}");
            std::thread::sleep(Duration::from_millis(100));
            Ok(())
        }
        _ => Err(error.into()),
    }
}

/// COPY of more rows than one piece of a large change holds.
async fn copy(connection: &mut PgConnection, org: &str, turn: u64) -> Result<(), Failure> {
    let mut copy = connection
        .copy_in_raw(
            "copy policy.customer_blocklist (org, name, field_type_id, field_value) from stdin",
        )
        .await?;
    let rows: String = (0..1_500)
        .map(|n| {
            format!("{org}\tturn {turn}\tcd439a62-c78a-413f-bb42-cc4dd720375c\tsomebody.{turn}.{n}@example.com\n")
        })
        .collect();
    copy.send(rows.into_bytes()).await?;
    copy.finish().await?;
    Ok(())
}
