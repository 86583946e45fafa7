//! The functions that an expression may call, and the meter that bounds what it may cost.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use cel::common::types::{
    CelBool, CelInt, CelList, CelNull, CelString, DYN_TYPE, Kind, NULL_TYPE, STRING_TYPE, Type,
};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use regex::Regex;

/// The function name by which an empty meter is told from other failures.
pub(super) const OUT_OF_WORK: &str = "@meter";

/// The names by which compiled expressions reach the meter and their patterns; `@` cannot be written in CEL.
pub(super) const METER: &str = "@meter";
pub(super) const PATTERNS: &str = "@patterns";
pub(super) const CHARGE: &str = "@charge";
pub(super) const CHARGE_LOOP: &str = "@charge_loop";
pub(super) const MATCHES: &str = "@matches";

/// How many bytes of text weigh as much as one step.
const BYTES_PER_STEP: usize = 64;

/// How much work an evaluation may still do. A count of steps, not a clock: the same booking always gets the same answer.
#[derive(Debug)]
pub(super) struct Meter(AtomicU64);

impl Meter {
    pub(super) fn new(steps: u64) -> Self {
        Self(AtomicU64::new(steps))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn charge(&self, steps: impl FnOnce() -> u64) -> Result<(), ExecutionError> {
        let left = self.0.load(Ordering::Relaxed);
        let left = if left == 0 {
            0
        } else {
            left.saturating_sub(steps())
        };
        self.0.store(left, Ordering::Relaxed);
        if left == 0 {
            Err(ExecutionError::function_error(OUT_OF_WORK, ""))
        } else {
            Ok(())
        }
    }
}

/// The compiled patterns of an expression.
#[derive(Debug, Clone)]
pub(super) struct Patterns(pub(super) Arc<[Regex]>);

/// Makes a type of ours reachable from our functions; expressions cannot name or use it.
macro_rules! internal_value {
    ($name:ident, $type:ident, $text:literal, $clone:expr) => {
        static $type: Type = Type::new_unspecified_type($text);
        impl Val for $name {
            fn get_type(&self) -> &Type {
                &$type
            }
            fn cel_type() -> &'static Type {
                &$type
            }
            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                let clone: fn(&Self) -> Self = $clone;
                Box::new(clone(self))
            }
            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }
        impl StaticVal for $name {}
    };
}
internal_value!(Meter, METER_TYPE, "@meter", |meter| Meter::new(
    meter.0.load(Ordering::Relaxed)
));
internal_value!(Patterns, PATTERNS_TYPE, "@patterns", Patterns::clone);

/// The interpreter's environment: its standard library and what is offered besides. What of the standard library an
/// expression may use is decided by `check`.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib().with_optional_support(false);
    declare(&mut environment)
        .expect("the names and signatures differ from each other and from the standard library's");
    Arc::new(environment)
});

fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(CHARGE, CHARGE, vec![DYN_TYPE, DYN_TYPE], charge)?;
    env.add_overload(
        CHARGE_LOOP,
        CHARGE_LOOP,
        vec![DYN_TYPE, DYN_TYPE, DYN_TYPE],
        charge_loop,
    )?;
    env.add_overload(
        MATCHES,
        MATCHES,
        vec![DYN_TYPE, DYN_TYPE, DYN_TYPE],
        matches,
    )?;
    env.add_member_overload("lowerAscii", "text_lower", STRING_TYPE, vec![], |args| {
        on_text(&args, |text| text.to_ascii_lowercase())
    })?;
    env.add_member_overload("trim", "text_trim", STRING_TYPE, vec![], |args| {
        on_text(&args, |text| text.trim().to_owned())
    })?;
    // Null, which is what a missing field reads as, has no text: it contains nothing, and its size is 0.
    for function in ["contains", "startsWith", "endsWith"] {
        env.add_member_overload(
            function,
            &format!("null_{function}"),
            NULL_TYPE,
            vec![STRING_TYPE],
            no,
        )?;
    }
    for function in ["lowerAscii", "trim"] {
        env.add_member_overload(
            function,
            &format!("null_{function}"),
            NULL_TYPE,
            vec![],
            null,
        )?;
    }
    env.add_member_overload("size", "null_size", NULL_TYPE, vec![], zero)?;
    env.add_overload("size", "size_null", vec![NULL_TYPE], zero)?;
    // Not in this interpreter's standard library, though it is in CEL's.
    env.add_overload("string", "null_to_string", vec![NULL_TYPE], null)
}

type Returned<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// `@charge(meter, value)`: the value, once its weight is paid.
fn charge<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Returned<'b, 'v> {
    let value = args
        .pop()
        .ok_or_else(ExecutionError::missing_argument_or_target)?;
    meter(&args)?.charge(|| weight(value.as_ref()))?;
    Ok(value)
}

/// `@charge_loop(meter, steps of the body, range)`: the range, once the whole loop is paid.
fn charge_loop<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Returned<'b, 'v> {
    let range = args
        .pop()
        .ok_or_else(ExecutionError::missing_argument_or_target)?;
    let body = args
        .get(1)
        .and_then(|steps| steps.downcast_ref::<CelInt>())
        .map_or(1, |steps| steps.inner().unsigned_abs());
    meter(&args)?.charge(|| {
        let mut steps = 1u64;
        if let Some(range) = range.as_iterable() {
            let mut items = range.iter();
            while let Some(item) = items.next() {
                steps = steps.saturating_add(body).saturating_add(weight(item));
            }
        }
        steps
    })?;
    Ok(range)
}

/// `@matches(patterns, index, text)`: `text.matches('…')`.
fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Returned<'b, 'v> {
    let [patterns, index, value] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let pattern = index
        .downcast_ref::<CelInt>()
        .and_then(|index| usize::try_from(*index.inner()).ok())
        .zip(patterns.downcast_ref::<Patterns>())
        .and_then(|(index, patterns)| patterns.0.get(index));
    match (pattern, value.downcast_ref::<CelString>()) {
        (Some(pattern), Some(text)) => {
            Ok(CowVal::owned(CelBool::from(pattern.is_match(text.inner()))))
        }
        (Some(_), None) if value.downcast_ref::<CelNull>().is_some() => no(args),
        _ => Err(ExecutionError::no_such_member_overload(
            "matches",
            vec![
                value.get_type().name().to_owned(),
                STRING_TYPE.name().to_owned(),
            ],
        )),
    }
}

fn on_text<'b, 'v>(args: &[CowVal<'b, 'v>], change: fn(&str) -> String) -> Returned<'b, 'v> {
    let text = args
        .first()
        .and_then(|text| text.downcast_ref::<CelString>())
        .ok_or_else(ExecutionError::missing_argument_or_target)?;
    Ok(CowVal::owned(CelString::from(change(text.inner()))))
}

fn no<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Returned<'b, 'v> {
    Ok(CowVal::owned(CelBool::from(false)))
}

fn null<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Returned<'b, 'v> {
    Ok(CowVal::owned(CelNull))
}

fn zero<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Returned<'b, 'v> {
    Ok(CowVal::owned(CelInt::from(0)))
}

fn meter<'m>(args: &'m [CowVal<'_, '_>]) -> Result<&'m Meter, ExecutionError> {
    args.first()
        .and_then(|meter| meter.downcast_ref::<Meter>())
        .ok_or_else(ExecutionError::missing_argument_or_target)
}

/// What it costs to copy, compare or read a value once.
fn weight(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return 1 + (text.inner().len() / BYTES_PER_STEP) as u64;
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list
            .inner()
            .iter()
            .fold(1, |steps, item| steps.saturating_add(weight(item.as_ref())));
    }
    let mut steps = 1u64;
    if value.get_type().kind() == Kind::Map
        && let (Some(keys), Some(values)) = (value.as_iterable(), value.as_indexer())
    {
        let mut keys = keys.iter();
        while let Some(key) = keys.next() {
            steps = steps.saturating_add(weight(key));
            steps = steps.saturating_add(values.get(key).map_or(1, |value| weight(value.as_ref())));
        }
    }
    steps
}
