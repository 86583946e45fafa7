//! Policies as they were, and how they came to be so: all from the ledger's policy events.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{FromRow, PgPool};

use super::AuditError;
use super::cursor::{Cursor, CursorError};
use super::decision::in_microseconds;
use super::filter::digest;
use super::follow::newest;
use super::parameters::{self, ParameterFault};
use crate::org::Org;

/// The policy event that made a policy what it was: who, when, in which transaction, why.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Its number.
    pub event_id: i64,
    /// When.
    #[serde(serialize_with = "in_microseconds")]
    pub recorded_at: DateTime<Utc>,
    /// `policy.created`, `policy.updated` or `policy.deleted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub r#type: Option<String>,
    /// `user`, `role`, `application`, `address`, `transaction`, `reason`. Null once erased.
    #[schema(value_type = Option<Object>)]
    pub changed_by: Option<Box<RawValue>>,
}

/// A policy at some point of the ledger.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyState {
    /// Its table.
    pub kind: String,
    /// Its row's id.
    pub id: i64,
    /// The row; null if there was none.
    #[schema(value_type = Option<Object>)]
    pub row: Option<Box<RawValue>>,
    /// What made it so.
    pub change: Change,
}

/// A page of policies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPage {
    /// The newest event that is considered, the same for all pages.
    pub as_of: i64,
    /// The policies, by kind and id.
    pub items: Vec<PolicyState>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// When to look at: a ledger number or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AsOf {
    /// After this event; of one that is yet to come: now.
    Event(i64),
    /// At this time; none: now.
    Time(Option<DateTime<Utc>>),
}

impl AsOf {
    /// The value of the parameter `asOf`.
    ///
    /// # Errors
    /// When it is neither a number nor a time.
    pub fn parse(value: &str) -> Result<Self, ParameterFault> {
        if let Ok(Some(seq)) = parameters::id(value) {
            return Ok(Self::Event(seq));
        }
        let message =
            "must be an event's number, a date or an RFC 3339 time such as 2027-03-09T08:50:00Z";
        parameters::time(value)
            .map(Self::Time)
            .map_err(|_| ParameterFault::new("asOf", message))
    }
}

/// What a cursor says of a search for all policy tables: no name of one.
const ALL_KINDS: &str = "*";

/// A search for policies as they were.
#[derive(Debug, Clone)]
pub struct PolicySearch {
    /// When.
    pub as_of: AsOf,
    /// Only this policy table.
    pub kind: Option<String>,
    /// At most so many.
    pub limit: u16,
    going_on: Option<GoingOn>,
}

/// Where an earlier page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GoingOn {
    /// A digest of when the first page was asked for.
    of_as_of: String,
    /// The event that the first page looked at.
    seq: i64,
    kind: String,
    id: i64,
}

impl PolicySearch {
    /// All policies of now.
    #[must_use]
    pub fn new(limit: u16) -> Self {
        Self {
            as_of: AsOf::Time(None),
            kind: None,
            limit,
            going_on: None,
        }
    }

    /// Goes on where an earlier page ended. The cursor knows its search: what is asked for besides must be the same, or left out.
    ///
    /// # Errors
    /// When the text is no cursor of this search.
    pub fn go_on(&mut self, cursor: &str) -> Result<(), CursorError> {
        let (place, id) = Cursor::read(cursor)?;
        let [of_as_of, of_kind, seq, kind] = place.split(' ').collect::<Vec<_>>()[..] else {
            return Err(CursorError::Malformed);
        };
        let read = |kind| parameters::kind(kind).map_err(|_| CursorError::Malformed);
        let of_kind = match of_kind {
            ALL_KINDS => None,
            kind => read(kind)?,
        };
        let is_other_time = self.as_of != AsOf::Time(None) && digest(&self.as_of) != of_as_of;
        if is_other_time || self.kind.is_some() && self.kind != of_kind {
            return Err(CursorError::OtherFilters);
        }
        self.kind = of_kind;
        let seq = seq.parse().map_err(|_| CursorError::Malformed)?;
        let kind = read(kind)?.ok_or(CursorError::Malformed)?;
        self.going_on = Some(GoingOn {
            of_as_of: of_as_of.to_owned(),
            seq,
            kind,
            id,
        });
        Ok(())
    }

    fn cursor(&self, seq: i64, last: &AsOfRow) -> String {
        let of_as_of = match &self.going_on {
            Some(going_on) => going_on.of_as_of.clone(),
            None => digest(&self.as_of),
        };
        let of_kind = self.kind.as_deref().unwrap_or(ALL_KINDS);
        let place = format!("{of_as_of} {of_kind} {seq} {}", last.policy_kind);
        Cursor::after(last.policy_id, place).encode()
    }
}

#[derive(Debug, FromRow)]
struct StateRow {
    item: i64,
    seq: i64,
    recorded_at: DateTime<Utc>,
    r#type: String,
    changed_by: Option<String>,
    policy: Option<String>,
}

#[derive(Debug, FromRow)]
pub(super) struct AsOfRow {
    policy_kind: String,
    pub(super) policy_id: i64,
    pub(super) policy: String,
    pub(super) changed_seq: i64,
    changed_at: DateTime<Utc>,
    changed_by: Option<String>,
}

/// Null as the ledger writes it is no row.
pub(super) fn json(
    org: &Org,
    seq: i64,
    text: Option<String>,
) -> Result<Option<Box<RawValue>>, AuditError> {
    let text = text.filter(|text| text != "null");
    let json = text.map(RawValue::from_string).transpose();
    json.map_err(|source| AuditError::Unreadable {
        org: org.to_string(),
        seq,
        source,
    })
}

/// These policies (kind and id) as they were after an event, in the order asked; none for one that the ledger does not know.
pub(super) async fn states(
    pool: &PgPool,
    org: &Org,
    policies: &[(String, i64)],
    seq: i64,
) -> Result<Vec<Option<PolicyState>>, AuditError> {
    let rows: Vec<StateRow> =
        sqlx::query_as(include_str!("../../sql/queries/read_policy_states.sql"))
            .bind(org.as_str())
            .bind(
                policies
                    .iter()
                    .map(|(kind, _)| kind.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(policies.iter().map(|(_, id)| *id).collect::<Vec<_>>())
            .bind(seq)
            .fetch_all(pool)
            .await?;
    let mut states: Vec<_> = policies.iter().map(|_| None).collect();
    for row in rows {
        let position = usize::try_from(row.item - 1).unwrap_or(usize::MAX);
        if let (Some((kind, id)), Some(state)) = (policies.get(position), states.get_mut(position))
        {
            *state = Some(PolicyState {
                kind: kind.clone(),
                id: *id,
                row: json(org, row.seq, row.policy)?,
                change: Change {
                    event_id: row.seq,
                    recorded_at: row.recorded_at,
                    r#type: Some(row.r#type),
                    changed_by: json(org, row.seq, row.changed_by)?,
                },
            });
        }
    }
    Ok(states)
}

/// A page of the policies as they were, by kind and id.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn policies_as_of(
    pool: &PgPool,
    org: &Org,
    search: &PolicySearch,
) -> Result<PolicyPage, AuditError> {
    let (seq, after) = match &search.going_on {
        Some(GoingOn { seq, kind, id, .. }) => (*seq, (kind.as_str(), *id)),
        None => (newest_of(pool, org, search.as_of).await?, ("", 0)),
    };
    let limit = usize::from(search.limit);
    // One more than asked for tells whether there is a next page.
    let one_more = i64::from(search.limit) + 1;
    let mut rows = next_as_of(pool, org, seq, search.kind.as_deref(), after, one_more).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = (rows.last())
        .filter(|_| has_more)
        .map(|last| search.cursor(seq, last));
    let items = (rows.into_iter())
        .map(|row| {
            Ok(PolicyState {
                row: json(org, row.changed_seq, Some(row.policy))?,
                change: Change {
                    event_id: row.changed_seq,
                    recorded_at: row.changed_at,
                    r#type: None,
                    changed_by: json(org, row.changed_seq, row.changed_by)?,
                },
                kind: row.policy_kind,
                id: row.policy_id,
            })
        })
        .collect::<Result<_, AuditError>>()?;
    Ok(PolicyPage {
        as_of: seq,
        items,
        next_cursor,
    })
}

/// The newest event up to then. No event that is yet to come, or what is recorded between two pages would be in the second.
async fn newest_of(pool: &PgPool, org: &Org, as_of: AsOf) -> Result<i64, AuditError> {
    match as_of {
        AsOf::Event(seq) => Ok(newest(pool, org).await?.min(seq)),
        AsOf::Time(time) => {
            let seq: Option<i64> =
                sqlx::query_scalar(include_str!("../../sql/queries/read_as_of.sql"))
                    .bind(org.as_str())
                    .bind(time)
                    .fetch_one(pool)
                    .await?;
            Ok(seq.unwrap_or(0))
        }
    }
}

/// The next policies behind a kind and id, as they were after an event; at most so many.
pub(super) async fn next_as_of(
    pool: &PgPool,
    org: &Org,
    seq: i64,
    kind: Option<&str>,
    (after_kind, after_id): (&str, i64),
    limit: i64,
) -> Result<Vec<AsOfRow>, sqlx::Error> {
    sqlx::query_as(include_str!("../../sql/queries/read_policies_as_of.sql"))
        .bind(org.as_str())
        .bind(seq)
        .bind(kind)
        .bind(after_kind)
        .bind(after_id)
        .bind(limit)
        .fetch_all(pool)
        .await
}
