//! What query parameters may be, as the description of the API (OpenAPI) says it; `parameters` is what holds. A parameter with a schema
//! from here is described by that, not by its comment.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

fn text(format: KnownFormat) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.format(Some(SchemaFormat::KnownFormat(format)))
}

fn one_of(words: &[&str]) -> RefOr<Schema> {
    enumerated(words).into()
}

fn enumerated(words: &[&str]) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.enum_values(Some(words.iter().copied()))
}

pub(super) fn time() -> RefOr<Schema> {
    let either = OneOfBuilder::new();
    let either = either.item(text(KnownFormat::DateTime));
    RefOr::T(Schema::OneOf(either.item(text(KnownFormat::Date)).build()))
}

pub(super) fn words() -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.min_length(Some(1)).max_length(Some(500)).into()
}

pub(super) fn kind() -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.pattern(Some("^[a-z_]{1,63}$")).into()
}

pub(super) fn event_type() -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.pattern(Some("^[a-z_.]{1,63}$")).into()
}

pub(super) fn time_zone() -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = text.pattern(Some("^[A-Za-z0-9_/+-]{1,64}$"));
    let said = "An IANA name, exactly; UTC unless given. Not with `by=policy`.";
    text.description(Some(said)).into()
}

pub(super) fn outcome() -> RefOr<Schema> {
    one_of(&["approved", "modified", "cancelled"])
}

pub(super) fn booker() -> RefOr<Schema> {
    one_of(&["self-service", "agent"])
}

pub(super) fn verdict() -> RefOr<Schema> {
    one_of(&["applied", "allowed", "refused", "changed", "error"])
}

pub(super) fn mode() -> RefOr<Schema> {
    one_of(&["enforce", "shadow"])
}

pub(super) fn group() -> RefOr<Schema> {
    one_of(&[
        "outcome",
        "unitId",
        "serviceId",
        "channel",
        "bookedBy",
        "policy",
    ])
}

/// By which the two kinds of counts are told apart.
pub(super) fn decision_group() -> RefOr<Schema> {
    one_of(&["outcome", "unitId", "serviceId", "channel", "bookedBy"])
}

pub(super) fn policy_group() -> RefOr<Schema> {
    one_of(&["policy"])
}

pub(super) fn bucket() -> RefOr<Schema> {
    let said = "`day` unless given. Not with `by=policy`.";
    let buckets = enumerated(&["hour", "day", "week"]);
    buckets.description(Some(said)).into()
}

/// Of a search for decisions.
pub(crate) fn format() -> RefOr<Schema> {
    let said = "`json` (a page), or the whole search as a file, which takes no limit; unless given, the media type that `Accept` prefers.";
    let formats = enumerated(&["json", "ndjson", "csv"]);
    formats.description(Some(said)).into()
}

/// The formats of a search for events.
#[derive(Debug)]
pub(crate) enum EventsFormat {}

impl PartialSchema for EventsFormat {
    fn schema() -> RefOr<Schema> {
        one_of(&["json", "ndjson"])
    }
}

impl ToSchema for EventsFormat {}

/// An event's number, a time or a day.
#[derive(Debug)]
pub(crate) enum AsOf {}

impl PartialSchema for AsOf {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer);
        let either = OneOfBuilder::new().item(number.minimum(Some(1)));
        let either = either.item(text(KnownFormat::DateTime));
        RefOr::T(Schema::OneOf(either.item(text(KnownFormat::Date)).build()))
    }
}

impl ToSchema for AsOf {}
