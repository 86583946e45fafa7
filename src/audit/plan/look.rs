//! Which streams lead to a search's decisions, and how rare each is where the page begins.

use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::Scope;
use super::condition::Condition;
use super::stream::{LOOKED_AT, Prefix, Rest, Seen, Stream, Value};
use crate::audit::parameters::Order;
use crate::org::Org;

/// More values than this are not read one by one: a page of each would be more than the rows that a walk reads.
const MOST_PREFIXES: usize = 64;

/// The streams of a search, but for the one by dates; none if there is nothing to find.
pub(super) async fn streams(
    pool: &PgPool,
    org: &Org,
    conditions: &[Condition],
) -> Result<Option<Vec<Stream>>, sqlx::Error> {
    let mut streams = Vec::new();
    for condition in conditions {
        let column = match condition {
            Condition::Case(id) => ("d.case_id", Value::Id(*id)),
            Condition::Customer(id) => ("d.customer_record_id", Value::Id(*id)),
            Condition::Agent(email) => ("d.triggered_by_user_email", Value::Text(email.clone())),
            Condition::CuIndex(index) => ("d.cu_index", Value::Number(*index)),
            Condition::Policy(met) => {
                streams.push(Stream::of_policy(met));
                continue;
            }
            Condition::Reasons(hashes) => {
                let prefix = |hash: &i64| vec![("d.reason_hash", Value::Hash(*hash))];
                push_stream(&mut streams, hashes.iter().map(prefix), [condition]);
                continue;
            }
            _ => continue,
        };
        push_stream(&mut streams, [vec![column]], [condition]);
    }
    let Some(place) = place(pool, org, conditions).await? else {
        return Ok(None);
    };
    streams.extend(place);
    streams.extend(traits(pool, org, conditions).await?);
    Ok(Some(streams))
}

fn push_stream<'a>(
    streams: &mut Vec<Stream>,
    prefixes: impl IntoIterator<Item = Prefix>,
    covers: impl IntoIterator<Item = &'a Condition>,
) {
    let prefixes: Vec<Prefix> = prefixes.into_iter().collect();
    if prefixes.len() <= MOST_PREFIXES {
        let covers = covers.into_iter().cloned().collect();
        streams.push(Stream::of_index(prefixes, covers));
    }
}

macro_rules! asked {
    ($conditions:expr, $condition:path) => {
        ($conditions.iter()).find_map(|condition| match condition {
            $condition(value) => Some((condition, value.clone())),
            _ => None,
        })
    };
}

/// By service type, service and unit: a type has few services and a service few units, so what does not go together is seen at once.
/// None: it does not.
async fn place(
    pool: &PgPool,
    org: &Org,
    conditions: &[Condition],
) -> Result<Option<Vec<Stream>>, sqlx::Error> {
    let unit = asked!(conditions, Condition::Unit);
    let service = asked!(conditions, Condition::Service);
    let service_type = asked!(conditions, Condition::ServiceType);
    let mut streams = Vec::new();
    if let Some((condition, type_id)) = service_type {
        let mut services: Vec<Uuid> = sqlx::query_scalar(include_str!(
            "../../../sql/queries/list_services_of_type.sql"
        ))
        .bind(org.as_str())
        .bind(type_id)
        .fetch_all(pool)
        .await?;
        if let Some((_, wanted)) = service {
            services.retain(|found| *found == wanted);
        }
        if let Some((_, wanted)) = unit {
            let places = units(pool, org, &services).await?;
            services.retain(|found| places.contains(&(*found, wanted)));
        }
        if services.is_empty() {
            return Ok(None);
        }
        let prefix = |service: &Uuid| {
            let of_type = ("d.service_type_id", Value::Id(type_id));
            vec![of_type, ("d.service_id", Value::Id(*service))]
        };
        let covers = [condition]
            .into_iter()
            .chain(service.map(|(service, _)| service));
        push_stream(&mut streams, services.iter().map(prefix), covers);
    } else if let Some((condition, service_id)) = service {
        let mut units = units(pool, org, &[service_id]).await?;
        if let Some((_, wanted)) = unit {
            units.retain(|(_, unit)| *unit == wanted);
        }
        if units.is_empty() {
            return Ok(None);
        }
        let prefix = |(service, unit): &(Uuid, Uuid)| {
            let of_service = ("d.service_id", Value::Id(*service));
            vec![of_service, ("d.unit_id", Value::Id(*unit))]
        };
        let covers = [condition].into_iter().chain(unit.map(|(unit, _)| unit));
        push_stream(&mut streams, units.iter().map(prefix), covers);
    } else if let Some((condition, unit_id)) = unit {
        let prefix = vec![("d.unit_id", Value::Id(unit_id))];
        push_stream(&mut streams, [prefix], [condition]);
    }
    Ok(Some(streams))
}

/// Services and their units.
async fn units(
    pool: &PgPool,
    org: &Org,
    services: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    sqlx::query_as(include_str!(
        "../../../sql/queries/list_units_of_services.sql"
    ))
    .bind(org.as_str())
    .bind(services)
    .fetch_all(pool)
    .await
}

/// By channel, outcome and booker: few values each, so one index has them all.
async fn traits(
    pool: &PgPool,
    org: &Org,
    conditions: &[Condition],
) -> Result<Option<Stream>, sqlx::Error> {
    let channel = asked!(conditions, Condition::Channel);
    let outcome = asked!(conditions, Condition::Outcome);
    let booker = asked!(conditions, Condition::BookedBy);
    let covers: Vec<&Condition> = [
        channel.as_ref().map(|(condition, _)| *condition),
        outcome.map(|(condition, _)| condition),
        booker.map(|(condition, _)| condition),
    ]
    .into_iter()
    .flatten()
    .collect();
    if covers.is_empty() {
        return Ok(None);
    }
    let channels: Vec<Value> = match &channel {
        Some((_, channel)) => vec![Value::Text(channel.clone())],
        None => {
            let found: Vec<Option<String>> =
                sqlx::query_scalar(include_str!("../../../sql/queries/list_channels.sql"))
                    .bind(org.as_str())
                    .fetch_all(pool)
                    .await?;
            let found = found.into_iter();
            found
                .map(|channel| channel.map_or(Value::Null, Value::Text))
                .collect()
        }
    };
    let outcomes = outcome.map_or(vec!["approved", "modified", "cancelled"], |(_, one)| {
        vec![one]
    });
    let bookers = booker.map_or(vec!["agent", "self-service"], |(_, one)| vec![one]);
    let mut prefixes = Vec::new();
    for channel in channels {
        for outcome in &outcomes {
            for booker in &bookers {
                prefixes.push(vec![
                    ("d.channel", channel.clone()),
                    ("d.outcome", Value::Text((*outcome).to_owned())),
                    ("d.booked_by", Value::Text((*booker).to_owned())),
                ]);
            }
        }
    }
    let mut streams = Vec::new();
    push_stream(&mut streams, prefixes, covers);
    Ok(streams.pop())
}

/// Looks at the streams where the page begins, and puts the rarest first. The ledger's head is seen with them, and ends the scope.
pub(super) async fn look(
    pool: &PgPool,
    scope: &mut Scope<'_>,
    streams: &mut [Stream],
) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select -1, last_seq, 0::bigint, 0::bigint from ledger.heads where org = ",
    );
    query.push_bind(scope.org.as_str().to_owned());
    for (number, stream) in (0_i32..).zip(streams.iter()) {
        query.push(" union all select ").push(number);
        query.push(
            ", count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) from (select seq from (",
        );
        stream.push(&mut query, scope, Rest::Elsewhere, Some(LOOKED_AT));
        (query.push(") as entries order by seq")).push(scope.order.as_sql());
        query
            .push(" limit ")
            .push_bind(LOOKED_AT)
            .push(") as looked_at");
    }
    let rows: Vec<(i32, i64, i64, i64)> = query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await?;
    for (number, entries, ..) in rows.iter().filter(|row| row.0 < 0) {
        debug_assert_eq!(*number, -1);
        scope.range.end = scope.range.end.min(entries.saturating_add(1));
    }
    for (number, entries, lowest, highest) in rows {
        let Ok(number) = usize::try_from(number) else {
            continue;
        };
        let events = match scope.order {
            Order::Newest => scope.range.end.saturating_sub(lowest),
            Order::Oldest => highest.saturating_sub(scope.range.start) + 1,
        };
        if let Some(stream) = streams.get_mut(number) {
            stream.was_seen(Some(Seen { entries, events }));
        }
    }
    streams.sort_by(|one, other| one.entries(scope).total_cmp(&other.entries(scope)));
    Ok(())
}
