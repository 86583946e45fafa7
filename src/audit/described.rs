//! What query parameters may be, as the description of the API (OpenAPI) says it; `parameters` is what holds.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Types that only describe: utoipa takes a schema from a function, too, but then leaves the parameter's comment out.
macro_rules! described {
    ($($(#[$comment:meta])* $name:ident = $schema:expr;)*) => {
        $(
            $(#[$comment])*
            #[derive(Debug)]
            pub(crate) enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $schema
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

described! {
    /// A time, or a day.
    Time = RefOr::T(Schema::OneOf(time_or_day(OneOfBuilder::new()).build()));
    /// Any text that is searched for.
    Words = text().min_length(Some(1)).max_length(Some(500)).into();
    /// A policy table's name, also one that this version does not know.
    PolicyKind = text().pattern(Some("^[a-z_]{1,63}$")).into();
    /// An event's type, also one that this version does not know.
    EventType = text().pattern(Some("^[a-z_.]{1,63}$")).into();
    /// An IANA name.
    TimeZone = text().pattern(Some("^[A-Za-z0-9_/+-]{1,64}$")).into();
    /// What came of a booking.
    Outcome = one_of(&["approved", "modified", "cancelled"]);
    /// Who books.
    Booker = one_of(&["self-service", "agent"]);
    /// What a policy found.
    Verdict = one_of(&["applied", "allowed", "refused", "changed", "error"]);
    /// How a policy was evaluated.
    Mode = one_of(&["enforce", "shadow"]);
    /// What decisions are counted by.
    Group = one_of(&["outcome", "unitId", "serviceId", "channel", "bookedBy", "policy"]);
    /// How long a count's time is.
    Bucket = one_of(&["hour", "day", "week"]);
    /// Of a search for decisions.
    Format = one_of(&["json", "ndjson", "csv"]);
    /// Of a search for events.
    EventsFormat = one_of(&["json", "ndjson"]);
    /// An event's number, a time or a day.
    AsOf = RefOr::T(Schema::OneOf(
        time_or_day(OneOfBuilder::new().item(number().minimum(Some(1)))).build(),
    ));
}

/// By which the two kinds of counts are told apart.
pub(super) fn decision_group() -> RefOr<Schema> {
    one_of(&["outcome", "unitId", "serviceId", "channel", "bookedBy"])
}

pub(super) fn policy_group() -> RefOr<Schema> {
    one_of(&["policy"])
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

fn one_of(words: &[&str]) -> RefOr<Schema> {
    text().enum_values(Some(words.iter().copied())).into()
}

fn time_or_day(one_of: OneOfBuilder) -> OneOfBuilder {
    let formats = [KnownFormat::DateTime, KnownFormat::Date];
    formats.into_iter().fold(one_of, |one_of, format| {
        one_of.item(text().format(Some(SchemaFormat::KnownFormat(format))))
    })
}
