//! Reading single values out of the environment's variables.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::{DATABASE_URL, KEYS, Key, SettingsError};

const PREFIX: &str = "BOOKWARDEN_";

/// The variables that are ours.
pub(super) struct Vars(BTreeMap<String, String>);

fn refuse_unknown(vars: &BTreeMap<String, String>) -> Result<(), SettingsError> {
    let Some(unknown) = vars
        .keys()
        .find(|name| KEYS.iter().all(|key| key.name != name.as_str()))
    else {
        return Ok(());
    };
    let likeness = |key: &&Key| (strsim::jaro_winkler(key.name, unknown) * 1000.0) as u32;
    let nearest = KEYS
        .iter()
        .max_by_key(likeness)
        .map_or(DATABASE_URL.name, |key| key.name);
    Err(SettingsError::Unknown {
        key: unknown.clone(),
        nearest,
    })
}

impl Vars {
    /// Keeps the variables that are ours and refuses those that only look so. An empty value counts as not set.
    pub(super) fn read(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let ours: BTreeMap<String, String> = vars
            .into_iter()
            .filter(|(name, value)| {
                !value.is_empty() && (name.starts_with(PREFIX) || name == DATABASE_URL.name)
            })
            .collect();
        refuse_unknown(&ours)?;
        Ok(Self(ours))
    }

    pub(super) fn optional<T: FromStr<Err: fmt::Display>>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, SettingsError> {
        self.0
            .get(key.name)
            .map(String::as_str)
            .or_else(|| Some(key.default).filter(|default| !default.is_empty()))
            .map(|text| {
                text.parse()
                    .map_err(|error: T::Err| invalid(key, error.to_string()))
            })
            .transpose()
    }

    pub(super) fn value<T: FromStr<Err: fmt::Display>>(
        &self,
        key: &Key,
    ) -> Result<T, SettingsError> {
        self.optional(key)?.ok_or(SettingsError::Missing {
            key: key.name,
            example: key.example,
        })
    }

    pub(super) fn optional_number<T>(
        &self,
        key: &Key,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>, SettingsError>
    where
        T: FromStr<Err: fmt::Display> + PartialOrd + fmt::Display,
    {
        match self.optional(key)? {
            Some(number) if !range.contains(&number) => {
                let (least, most) = range.into_inner();
                Err(invalid(
                    key,
                    format!("is not between {least} and {most} ({})", key.unit),
                ))
            }
            number => Ok(number),
        }
    }

    pub(super) fn number<T>(&self, key: &Key, range: RangeInclusive<T>) -> Result<T, SettingsError>
    where
        T: FromStr<Err: fmt::Display> + PartialOrd + fmt::Display,
    {
        self.optional_number(key, range)?
            .ok_or(SettingsError::Missing {
                key: key.name,
                example: key.example,
            })
    }

    pub(super) fn milliseconds(&self, key: &Key) -> Result<Duration, SettingsError> {
        self.number(key, 1..=600_000).map(Duration::from_millis)
    }

    pub(super) fn filter(&self, key: &Key) -> Result<String, SettingsError> {
        let text: String = self.value(key)?;
        EnvFilter::try_new(&text).map_err(|error| invalid(key, error.to_string()))?;
        if text.split(',').any(is_stray) {
            let problem = "a word is no level: off, error, warn, info, debug, trace; a module takes one, like sqlx=warn";
            return Err(invalid(key, problem.to_owned()));
        }
        Ok(text)
    }
}

/// A word that is no level. `EnvFilter` takes it for the name of a module to be logged, and logs nothing else.
fn is_stray(part: &str) -> bool {
    let is_of_a_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_word = !part.is_empty() && part.chars().all(is_of_a_word);
    is_word && part.parse::<LevelFilter>().is_err()
}

fn invalid(key: &Key, problem: String) -> SettingsError {
    SettingsError::Invalid {
        key: key.name,
        problem: if problem.starts_with("is ") || problem.starts_with("does ") {
            problem
        } else {
            format!("does not fit ({problem})")
        },
        example: key.example,
    }
}
