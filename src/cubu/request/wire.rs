//! The shape of the body. Every field is optional here, so that all missing ones can be named at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scalars::{Date, Guid, LocalTime, Text, UpTo, UtcTime};

/// A week: more than any working day that starts past midnight needs.
const MAX_MINUTES: i32 = 10_080;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBooking {
    pub(super) case_id: Option<Guid>,
    pub(super) parent_case_id: Option<Guid>,
    pub(super) reference_date: Option<Text>,
    pub(super) unit_id: Option<Guid>,
    pub(super) service_id: Option<Guid>,
    pub(super) service_category_id: Option<Guid>,
    pub(super) service_type_id: Option<Guid>,
    pub(super) status: Option<Text>,
    pub(super) channel: Option<Text>,
    pub(super) language: Option<Text>,
    pub(super) ticket: Option<Object<WireTicket>>,
    pub(super) fields: Option<Fields>,
    pub(super) tag_ids: Option<Vec<Guid>>,
    pub(super) customer_record_id: Option<Guid>,
    pub(super) triggered_by_user_id: Option<Guid>,
    pub(super) triggered_by_user_email: Option<Text>,
    pub(super) appointment: Option<Object<WireAppointment>>,
}

#[derive(Deserialize)]
pub(super) struct WireTicket {
    pub(super) prefix: Option<Text>,
    pub(super) number: Option<i64>,
    pub(super) suffix: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireAppointment {
    pub(super) date: Option<Date>,
    pub(super) cu_index: Option<UpTo<{ i32::MAX }>>,
    pub(super) start: Option<UpTo<MAX_MINUTES>>,
    pub(super) time_local: Option<LocalTime>,
    pub(super) time_utc: Option<UtcTime>,
    pub(super) time_zone_id: Option<Text>,
    pub(super) duration: Option<UpTo<MAX_MINUTES>>,
    pub(super) prevent_self_check_in: Option<bool>,
}

/// A JSON object: serde's derive alone would also take an array, by position.
pub(super) struct Object<T>(pub(super) T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// The case's fields. A key given twice is refused: which of the two Cubu would keep is not ours to guess.
pub(super) struct Fields(pub(super) BTreeMap<String, Box<RawValue>>);

/// Before the position of a key that was there before. The key itself may be anything, so it is not repeated.
pub(super) const REPEATED_KEY: &str = "repeated key ";

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            let position = fields.len() + 1;
            match fields.entry(key) {
                Entry::Vacant(entry) => entry.insert(value),
                Entry::Occupied(_) => {
                    return Err(A::Error::custom(format_args!("{REPEATED_KEY}{position}")));
                }
            };
        }
        Ok(Fields(fields))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}
