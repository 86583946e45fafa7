//! Which streams lead to a search's decisions, and how rare each is where the page begins.

use chrono::NaiveDate;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::Scope;
use super::condition::Condition;
use super::stream::{LOOKED_AT, Prefix, Rest, Stream, Value};
use crate::audit::parameters::Order;

/// More values than this are not merged: planning each costs some 30 µs.
const MOST_PREFIXES: usize = 64;

/// More dates than this are not looked at.
const MOST_DATES: i64 = 1_000;

/// The streams of a search, the rarest first; none if there is nothing to find. The scope may shrink to where all of it must be.
pub(super) async fn streams(
    pool: &PgPool,
    scope: &mut Scope<'_>,
    conditions: &[Condition],
    limit: i64,
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
                let prefix = |hash: &i64| {
                    vec![(
                        "d.cancellation_reason is not null and hashtextextended(d.cancellation_reason, 0)",
                        Value::Hash(*hash),
                    )]
                };
                push_stream(&mut streams, hashes.iter().map(prefix), [condition]);
                continue;
            }
            _ => continue,
        };
        push_stream(&mut streams, [vec![column]], [condition]);
    }
    let Some(place) = place(pool, scope, conditions).await? else {
        return Ok(None);
    };
    streams.extend(place);
    streams.extend(traits(pool, scope, conditions).await?);
    if let Some(Condition::Dates(from, until)) = conditions
        .iter()
        .find(|condition| matches!(condition, Condition::Dates(..)))
    {
        let dates = Dates::find(pool, scope, (*from, *until)).await?;
        if dates.are_all && dates.found.is_empty() {
            return Ok(None);
        }
        let is_alone = conditions.len() == 1;
        streams.extend(dates.stream(scope, is_alone.then_some(limit), (*from, *until)));
    }
    if conditions.len() > 1 {
        look(pool, scope, &mut streams).await?;
        streams.sort_by(|one, other| one.entries(scope).total_cmp(&other.entries(scope)));
    }
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
    scope: &Scope<'_>,
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
        .bind(scope.org.as_str())
        .bind(type_id)
        .fetch_all(pool)
        .await?;
        if let Some((_, wanted)) = service {
            services.retain(|found| *found == wanted);
        }
        if let Some((_, wanted)) = unit {
            let places = units(pool, scope, &services).await?;
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
        let mut units = units(pool, scope, &[service_id]).await?;
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
    scope: &Scope<'_>,
    services: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    sqlx::query_as(include_str!(
        "../../../sql/queries/list_units_of_services.sql"
    ))
    .bind(scope.org.as_str())
    .bind(services)
    .fetch_all(pool)
    .await
}

/// By channel, outcome and booker: few values each, so one index has them all.
async fn traits(
    pool: &PgPool,
    scope: &Scope<'_>,
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
                    .bind(scope.org.as_str())
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

/// The appointment dates of a range, each with its first and its last decision.
struct Dates {
    found: Vec<(NaiveDate, i64, i64)>,
    are_all: bool,
}

impl Dates {
    async fn find(
        pool: &PgPool,
        scope: &Scope<'_>,
        (from, until): (Option<NaiveDate>, Option<NaiveDate>),
    ) -> Result<Self, sqlx::Error> {
        let sql = include_str!("../../../sql/queries/find_dates.sql");
        let dates: Vec<(NaiveDate, Option<i64>, Option<i64>)> = sqlx::query_as(sql)
            .persistent(false)
            .bind(scope.org.as_str())
            .bind(from)
            .bind(until)
            .bind(scope.range.start)
            .bind(scope.range.end)
            .bind(MOST_DATES)
            .fetch_all(pool)
            .await?;
        let are_all = i64::try_from(dates.len()).is_ok_and(|dates| dates < MOST_DATES);
        let found = (dates.into_iter())
            .filter_map(|(date, first, last)| Some((date, first?, last?)))
            .collect();
        Ok(Self { found, are_all })
    }

    /// All of them lie between the first and the last decision. A page of nothing but dates is in the dates whose ends come first: as
    /// many as the page has decisions.
    fn stream(
        mut self,
        scope: &mut Scope<'_>,
        page: Option<i64>,
        (from, until): (Option<NaiveDate>, Option<NaiveDate>),
    ) -> Option<Stream> {
        if !self.are_all {
            return None;
        }
        let first = self.found.iter().map(|(_, first, _)| *first).min()?;
        let last = self.found.iter().map(|(_, _, last)| *last).max()?;
        scope.range = first..last.saturating_add(1);
        if let Some(page) = page.and_then(|page| usize::try_from(page).ok()) {
            self.found
                .sort_by_key(|(_, first, last)| match scope.order {
                    Order::Newest => -last,
                    Order::Oldest => *first,
                });
            self.found.truncate(page);
        }
        let mut streams = Vec::new();
        let prefix =
            |(date, ..): &(NaiveDate, i64, i64)| vec![("d.appointment_date", Value::Date(*date))];
        let dates = Condition::Dates(from, until);
        push_stream(&mut streams, self.found.iter().map(prefix), [&dates]);
        streams.pop()
    }
}

/// Looks at the streams where the page begins.
async fn look(
    pool: &PgPool,
    scope: &mut Scope<'_>,
    streams: &mut [Stream],
) -> Result<(), sqlx::Error> {
    let mut query =
        QueryBuilder::<Postgres>::new("select -1, last_seq, 0, 0 from ledger.heads where org = ");
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
            stream.was_seen(entries, events);
        }
    }
    Ok(())
}
