//! The filters of a search: from a query parameter to a condition, in one place. A new filter is a variant of [`Condition`],
//! with an arm in each of its three functions.

use sha2::{Digest, Sha256};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Booked as asked.
    Approved,
    /// Booked with changes.
    Modified,
    /// Refused.
    Cancelled,
}

impl Outcome {
    /// As the ledger writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Modified => "modified",
            Self::Cancelled => "cancelled",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Approved, Self::Modified, Self::Cancelled]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// What is wrong with one query parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterFault {
    /// The parameter's name as it came.
    pub name: String,
    /// What is wrong, such as `must be a GUID`.
    pub message: &'static str,
}

impl ParameterFault {
    /// Builds one.
    #[must_use]
    pub fn new(name: &str, message: &'static str) -> Self {
        // A name is repeated to the caller, so it is bounded.
        let name = name.chars().take(100).collect();
        Self { name, message }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    Case(Uuid),
    Outcome(Outcome),
}

impl Condition {
    /// None: no filter has this name.
    fn parse(name: &str, value: &str) -> Option<Result<Self, &'static str>> {
        Some(match name {
            "caseId" => Uuid::try_parse(value)
                .map(Self::Case)
                .map_err(|_| "must be a GUID"),
            "outcome" => Outcome::parse(value)
                .map(Self::Outcome)
                .ok_or("must be approved, modified or cancelled"),
            _ => return None,
        })
    }

    /// As a parameter would say it, in one form only.
    fn canonical(&self) -> String {
        match self {
            Self::Case(id) => format!("caseId={id}"),
            Self::Outcome(outcome) => format!("outcome={}", outcome.as_str()),
        }
    }

    fn push_to(&self, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Case(id) => query.push(" and decided.case_id = ").push_bind(*id),
            Self::Outcome(outcome) => {
                (query.push(" and decided.outcome = ")).push_bind(outcome.as_str())
            }
        };
    }
}

/// Which decisions: all conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
}

impl Filter {
    /// Takes a query parameter. `false`: no filter has this name.
    ///
    /// # Errors
    /// When the filter has this name and cannot take this value.
    pub fn add(&mut self, name: &str, value: &str) -> Result<bool, ParameterFault> {
        match Condition::parse(name, value) {
            Some(Ok(condition)) => self.conditions.push(condition),
            Some(Err(message)) => return Err(ParameterFault::new(name, message)),
            None => return Ok(false),
        }
        self.conditions.sort_unstable();
        Ok(true)
    }

    /// Adds the conditions to a query over `decided`.
    pub(super) fn push_to(&self, query: &mut QueryBuilder<Postgres>) {
        for condition in &self.conditions {
            condition.push_to(query);
        }
    }

    /// Tells filters apart: a cursor goes on with the filters that it began with.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for condition in &self.conditions {
            digest.update(condition.canonical());
            digest.update([0]);
        }
        hex::encode(&digest.finalize()[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(parameters: &[(&str, &str)]) -> Filter {
        let mut filter = Filter::default();
        for (name, value) in parameters {
            assert_eq!(filter.add(name, value), Ok(true));
        }
        filter
    }

    const CASE: &str = "4e510ed0-ef6f-4441-a1d3-c29d2f752e57";

    #[test]
    fn order_and_case_make_no_other_filter() {
        let one = filter(&[("caseId", CASE), ("outcome", "approved")]);
        let upper = CASE.to_uppercase();
        let other = filter(&[("outcome", "approved"), ("caseId", &upper)]);
        assert_eq!(one.digest(), other.digest());
        assert_ne!(one.digest(), filter(&[("caseId", CASE)]).digest());
    }

    #[test]
    fn values_are_bound_never_written() {
        let mut query = QueryBuilder::new("");
        filter(&[("outcome", "cancelled"), ("caseId", CASE)]).push_to(&mut query);
        assert_eq!(
            query.into_string(),
            " and decided.case_id = $1 and decided.outcome = $2"
        );
    }

    #[test]
    fn bad_values_and_unknown_names() {
        let mut filter = Filter::default();
        assert_eq!(filter.add("caseId", "x").unwrap_err().name, "caseId");
        assert_eq!(
            filter.add("outcome", "Approved").unwrap_err().name,
            "outcome"
        );
        assert_eq!(filter.add("cuIndex", "1"), Ok(false));
    }
}
