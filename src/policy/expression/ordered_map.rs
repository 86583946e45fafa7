//! JSON values as the interpreter sees them. Maps keep their keys sorted: the interpreter's own map is a hash map, and what
//! `fields.exists(…)` or `.map(…)` gives must not depend on its order.

use std::sync::{Arc, OnceLock};

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator, Sizer};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelNull, CelString, Kind, MAP_TYPE, Type,
};
use cel::common::value::{CowVal, Val};
use serde_json::value::RawValue;

/// The function name by which an unreadable case field is told from other failures.
pub(super) const UNREADABLE: &str = "@field";

/// A map with sorted text keys. A missing key reads as null, as a missing optional field of the webhook does.
#[derive(Debug, Clone)]
pub(super) struct OrderedMap<'a> {
    entries: Arc<[Entry<'a>]>,
    /// Keys are GUIDs: in lower case here, and looked up in any case.
    keys_are_guids: bool,
}

#[derive(Debug)]
struct Entry<'a> {
    key: CelString<'a>,
    value: Value<'a>,
}

#[derive(Debug)]
enum Value<'a> {
    Ready(Box<dyn Val>),
    /// Read when first asked for; none if it cannot be read.
    Text(&'a RawValue, OnceLock<Option<Box<dyn Val>>>),
}

impl<'a> OrderedMap<'a> {
    /// The case's fields.
    pub(super) fn of_fields(
        fields: impl IntoIterator<Item = (&'a String, &'a Box<RawValue>)>,
    ) -> Self {
        let mut entries: Vec<Entry<'a>> = fields
            .into_iter()
            .map(|(key, text)| Entry {
                key: match key.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    true => CelString::from(key.to_ascii_lowercase()),
                    false => CelString::from(key.as_str()),
                },
                value: Value::Text(text, OnceLock::new()),
            })
            .collect();
        entries.sort_by(|left, right| left.key.inner().cmp(right.key.inner()));
        entries.dedup_by(|later, earlier| later.key == earlier.key);
        Self {
            entries: entries.into(),
            keys_are_guids: true,
        }
    }

    fn find(&self, key: &dyn Val) -> Result<Option<&Entry<'a>>, ExecutionError> {
        let key = key.downcast_ref::<CelString>().ok_or_else(|| {
            ExecutionError::no_such_overload(
                "_[_]",
                vec!["map".to_owned(), key.get_type().name().to_owned()],
            )
        })?;
        let lower;
        let key = match self.keys_are_guids
            && key.inner().bytes().any(|byte| byte.is_ascii_uppercase())
        {
            true => {
                lower = key.inner().to_ascii_lowercase();
                lower.as_str()
            }
            false => key.inner(),
        };
        Ok(self
            .entries
            .binary_search_by(|entry| entry.key.inner().cmp(key))
            .ok()
            .map(|index| &self.entries[index]))
    }
}

impl Val for OrderedMap<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        let (Some(keys), Some(values), Some(sizer)) =
            (other.as_container(), other.as_indexer(), other.as_sizer())
        else {
            return false;
        };
        other.get_type().kind() == Kind::Map
            && *sizer.size().inner() == *self.size().inner()
            && self.entries.iter().all(|entry| {
                keys.contains(&entry.key) == Ok(true)
                    && match (self.get(&entry.key), values.get(&entry.key)) {
                        (Ok(left), Ok(right)) => left == right,
                        _ => false,
                    }
            })
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Container for OrderedMap<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        self.find(key).map(|entry| entry.is_some())
    }
}

impl Indexer for OrderedMap<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(entry) = self.find(key)? else {
            return Ok(CowVal::owned(CelNull));
        };
        let value = match &entry.value {
            Value::Ready(value) => value,
            Value::Text(text, read) => read
                .get_or_init(|| serde_json::from_str(text.get()).ok().map(from_json))
                .as_ref()
                .ok_or_else(|| ExecutionError::function_error(UNREADABLE, ""))?,
        };
        Ok(CowVal::Borrowed(value.as_ref()))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Sizer for OrderedMap<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.entries.len()).unwrap_or(i64::MAX))
    }
}

impl Iterable for OrderedMap<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys {
            entries: self.entries.iter(),
        })
    }
}

struct Keys<'b, 'a> {
    entries: std::slice::Iter<'b, Entry<'a>>,
}

impl<'b, 'a: 'v, 'v> Iterator<'b, 'v> for Keys<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.entries
            .next()
            .map(|entry| &entry.key as &(dyn Val + 'v))
    }
}

/// A whole number that fits is an integer; any other number a fraction.
fn from_json(value: serde_json::Value) -> Box<dyn Val> {
    match value {
        serde_json::Value::Null => Box::new(CelNull),
        serde_json::Value::Bool(value) => Box::new(CelBool::from(value)),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Box::new(CelInt::from(value)),
            (None, Some(value)) => Box::new(CelDouble::from(value)),
            (None, None) => Box::new(CelNull),
        },
        serde_json::Value::String(value) => Box::new(CelString::from(value)),
        serde_json::Value::Array(values) => Box::new(CelList::from(
            values.into_iter().map(from_json).collect::<Vec<_>>(),
        )),
        serde_json::Value::Object(members) => {
            let mut entries: Vec<Entry<'static>> = members
                .into_iter()
                .map(|(key, value)| Entry {
                    key: CelString::from(key),
                    value: Value::Ready(from_json(value)),
                })
                .collect();
            entries.sort_by(|left, right| left.key.inner().cmp(right.key.inner()));
            Box::new(OrderedMap {
                entries: entries.into(),
                keys_are_guids: false,
            })
        }
    }
}
