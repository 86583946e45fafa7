//! A decision's explanation, for the description of the API: `policy::explanation` writes it, and what was written goes out as it is.

#![allow(
    dead_code,
    reason = "nothing here is made: it says what is written member by member"
)]

use chrono::NaiveDate;
use utoipa::ToSchema;
use uuid::Uuid;

use super::explain::Holder;
use super::policies::Change;

/// A policy that applied: what it found, and what it compared, which depends on its kind and on what of it is set. A member that does not
/// apply is absent.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ExplainedPolicy {
    /// Its table.
    kind: String,
    /// Its row's id.
    id: i64,
    name: Option<String>,
    /// The mode in which it was evaluated: `shadow` also if its organization was in shadow mode.
    mode: Mode,
    /// A policy in shadow mode says what it would have done.
    verdict: Verdict,

    /// `capacity_caps`: the places that were counted.
    #[schema(required = false)]
    bucket: CountedPlaces,
    /// Appointments, this case's own aside. `capacity_caps`: in the bucket. `customer_limits`: the customer's others in the period.
    #[schema(required = false)]
    used: i64,
    /// `capacity_caps`, `customer_limits`: the most appointments that there may be.
    #[schema(required = false)]
    max: i64,
    /// `capacity_caps`: minutes in the bucket, this case's own aside.
    #[schema(required = false)]
    used_minutes: i64,
    /// `capacity_caps`: the most minutes that there may be.
    #[schema(required = false)]
    max_minutes: i64,

    /// `customer_blocklist`: what matched, the customer or a field of the case.
    #[schema(required = false)]
    matched: Matched,
    /// `customer_blocklist`: the field that matched.
    #[schema(required = false)]
    field_type_id: Uuid,

    /// `customer_limits`: in which time appointments were counted.
    #[schema(required = false)]
    period: LimitPeriod,
    /// `customer_limits`: the least minutes between two appointments.
    #[schema(required = false)]
    gap_minutes: i64,
    /// `customer_limits` with a gap or without overlaps: whole minutes between this appointment and the customer's nearest other one, negative
    /// if they overlap. Absent if there is none within 16 days and the gap's.
    #[schema(required = false)]
    nearest_minutes: i64,
    /// `customer_limits`: the case of that nearest appointment; absent together with `nearestMinutes`.
    #[schema(required = false)]
    nearest_case_id: Uuid,
    /// `customer_limits`: whose appointments. Only in the first version of a decision's payload.
    #[schema(required = false)]
    customer_record_id: Uuid,

    /// `blackouts`: the closed date.
    #[schema(required = false)]
    closed_date: NaiveDate,
    /// `blackouts`: closed from this minute of that date on.
    #[schema(required = false)]
    from_minute: i32,
    /// `blackouts`: open again from this minute of that date on; 1440 is its end.
    #[schema(required = false)]
    to_minute: i32,

    /// `booking_windows`: whole minutes from the decision to the appointment's start.
    #[schema(required = false)]
    minutes_until_start: i64,
    /// `booking_windows`: the least of them.
    #[schema(required = false)]
    min_notice_minutes: i32,
    /// `booking_windows`: days from the decision's date, where the appointment is, to the appointment's.
    #[schema(required = false)]
    days_until_date: i64,
    /// `booking_windows`: the most of them.
    #[schema(required = false)]
    max_days_ahead: i32,

    /// `rules`: the keys of the answer that it changed; none if all was so already, or if it cancels.
    #[schema(required = false)]
    changes: Vec<String>,

    /// Of verdict `error`, instead of what was compared: what was wrong with its expression, for its author.
    #[schema(required = false)]
    error: String,

    /// Only in the answer of one decision: the policy's row as it was then; null once erased.
    #[schema(required = false, value_type = Option<Object>)]
    row: Option<serde_json::Value>,
    /// Only in the answer of one decision: what had made the row so.
    #[schema(required = false)]
    change: Option<Change>,
    /// Only in the answer of one decision, of `capacity_caps` that refuse or would: the decisions that held the places, oldest first, at most 200.
    #[schema(required = false)]
    held_by: Vec<Holder>,
    /// Together with `heldBy`: whether there are more. `used` says how many.
    #[schema(required = false)]
    held_by_is_cut: bool,
}

/// The places that a cap counted: those that have all of this.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CountedPlaces {
    /// In this unit.
    #[schema(required = false)]
    unit_id: Uuid,
    /// Of this service.
    #[schema(required = false)]
    service_id: Uuid,
    /// Of this service category.
    #[schema(required = false)]
    service_category_id: Uuid,
    /// Of this service type.
    #[schema(required = false)]
    service_type_id: Uuid,
    /// In calendars with this index.
    #[schema(required = false)]
    cu_index: i32,
    /// Of this channel.
    #[schema(required = false)]
    channel: String,
    /// By whom booked.
    #[schema(required = false)]
    booked_by: Booker,
    /// The first date.
    from: NaiveDate,
    /// The date after the last.
    until: NaiveDate,
    /// Starting at or after this minute of the day.
    #[schema(required = false)]
    from_minute: i32,
    /// Starting before this minute of the day.
    #[schema(required = false)]
    to_minute: i32,
    /// On these ISO weekdays: 1 is Monday.
    #[schema(required = false)]
    weekdays: Vec<i16>,
}

/// Whether a policy may change anything.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
enum Mode {
    Enforce,
    Shadow,
}

/// What a policy found.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
enum Verdict {
    Allowed,
    Refused,
    Changed,
    Error,
}

/// What of a booking is a blocked customer's.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
enum Matched {
    CustomerRecordId,
    Field,
}

/// In which time a customer's appointments are counted.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
enum LimitPeriod {
    Day,
    Week,
    Month,
    Upcoming,
}

/// Who booked.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "kebab-case")]
enum Booker {
    SelfService,
    Agent,
}
