//! The filters of a search for decisions: from query parameters to typed conditions. What they become in SQL is in `plan`.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::described;
use super::parameters::{self, Order, ParameterFault};

/// Which decisions, and in which order: all conditions hold. Written as JSON, it is the same for the same search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Decided at or after this time (RFC 3339) or day (its midnight, UTC).
    #[param(required = false, inline, value_type = described::Time)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Decided before this time or day.
    #[param(required = false, inline, value_type = described::Time)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Appointment on or after this date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_from: Option<NaiveDate>,
    /// Appointment before this date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_until: Option<NaiveDate>,
    /// The Cubu case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<Uuid>,
    /// The customer, as decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_record_id: Option<Uuid>,
    /// The unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<Uuid>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<Uuid>,
    /// The service type, as decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type_id: Option<Uuid>,
    /// The calendar's index.
    #[param(minimum = 0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cu_index: Option<i32>,
    /// The channel, as decided.
    #[param(required = false, inline, value_type = described::Words)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// `approved`, `modified` or `cancelled`.
    #[param(required = false, inline, value_type = described::Outcome)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// `self-service` or `agent`.
    #[param(required = false, inline, value_type = described::Booker)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked_by: Option<&'static str>,
    /// The agent's e-mail, whole.
    #[param(required = false, inline, value_type = described::Words)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triggered_by_user_email: Option<String>,
    /// A part of the cancellation reason, whatever its case.
    #[param(required = false, inline, value_type = described::Words)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A policy that the decision met: its table; together with policyId.
    #[param(required = false, inline, value_type = described::PolicyKind)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_kind: Option<String>,
    /// A policy that the decision met: its id; together with policyKind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<i64>,
    /// What that policy found: `applied` (anything), `allowed`, `refused`, `changed` or `error`.
    #[param(required = false, inline, value_type = described::Verdict)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_verdict: Option<&'static str>,
    /// The mode in which it was evaluated: `enforce` or `shadow`.
    #[param(required = false, inline, value_type = described::Mode)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_mode: Option<&'static str>,
    /// `newest` first, unless `oldest`.
    #[param(required = false, inline)]
    pub order: Order,
}

impl Filter {
    /// Takes a query parameter. `false`: no filter has this name.
    ///
    /// # Errors
    /// When the filter has this name and cannot take this value.
    pub fn add(&mut self, name: &str, value: &str) -> Result<bool, ParameterFault> {
        self.set(name, value)
            .map_err(|message| ParameterFault::new(name, message))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<bool, &'static str> {
        use parameters::{date, guid, index, kind, order, policy_id, text, time, word};
        match name {
            "from" => self.from = time(value)?,
            "until" => self.until = time(value)?,
            "appointmentFrom" => self.appointment_from = date(value)?,
            "appointmentUntil" => self.appointment_until = date(value)?,
            "caseId" => self.case_id = guid(value)?,
            "customerRecordId" => self.customer_record_id = guid(value)?,
            "unitId" => self.unit_id = guid(value)?,
            "serviceId" => self.service_id = guid(value)?,
            "serviceTypeId" => self.service_type_id = guid(value)?,
            "cuIndex" => self.cu_index = index(value)?,
            "channel" => self.channel = text(value)?,
            "outcome" => {
                let outcomes = ["approved", "modified", "cancelled"];
                self.outcome = word(value, &outcomes, "must be approved, modified or cancelled")?;
            }
            "bookedBy" => {
                let bookers = ["self-service", "agent"];
                self.booked_by = word(value, &bookers, "must be self-service or agent")?;
            }
            "triggeredByUserEmail" => self.triggered_by_user_email = text(value)?,
            "reason" => self.reason = text(value)?,
            "policyKind" => self.policy_kind = kind(value)?,
            "policyId" => self.policy_id = policy_id(value)?,
            "policyVerdict" => {
                let verdicts = ["applied", "allowed", "refused", "changed", "error"];
                let message = "must be applied, allowed, refused, changed or error";
                self.policy_verdict = word(value, &verdicts, message)?;
            }
            "policyMode" => {
                self.policy_mode =
                    word(value, &["enforce", "shadow"], "must be enforce or shadow")?;
            }
            "order" => self.order = order(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What is wrong with the parameters together.
    ///
    /// # Errors
    /// When some need others.
    pub fn check(&self) -> Result<(), Vec<ParameterFault>> {
        let mut faults = Vec::new();
        let mut need = |holds: bool, name, message| {
            if !holds {
                faults.push(ParameterFault::new(name, message));
            }
        };
        let names_policy = self.policy_kind.is_some() && self.policy_id.is_some();
        need(
            names_policy || self.policy_kind.is_none(),
            "policyKind",
            "needs policyId: a policy is a kind and an id",
        );
        need(
            names_policy || self.policy_id.is_none(),
            "policyId",
            "needs policyKind: a policy is a kind and an id",
        );
        need(
            names_policy || self.policy_verdict.is_none(),
            "policyVerdict",
            "needs policyKind and policyId",
        );
        need(
            names_policy || self.policy_mode.is_none(),
            "policyMode",
            "needs policyKind and policyId",
        );
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// Tells searches apart: a cursor goes on with the filters and the order that it began with.
    pub(super) fn digest(&self) -> String {
        digest(self)
    }
}

/// Short, and the same for the same search.
pub(super) fn digest(filter: &impl Serialize) -> String {
    let text = serde_json::to_string(filter).expect("texts and numbers are always JSON");
    hex::encode(&Sha256::digest(text)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(parameters: &[(&str, &str)]) -> Filter {
        let mut filter = Filter::default();
        for (name, value) in parameters {
            assert_eq!(filter.add(name, value), Ok(true), "{name}={value}");
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
        assert_ne!(
            filter(&[]).digest(),
            filter(&[("order", "oldest")]).digest()
        );
    }

    #[test]
    fn bad_values_and_unknown_names() {
        let mut filter = Filter::default();
        for (name, value) in [
            ("caseId", "x"),
            ("outcome", "Approved"),
            ("cuIndex", "-1"),
            ("from", "yesterday"),
            ("policyKind", "Robert'); drop table"),
            ("channel", "\0"),
            ("order", "random"),
        ] {
            assert_eq!(filter.add(name, value).unwrap_err().name, name);
        }
        assert_eq!(filter.add("cuindex", "1"), Ok(false));
    }

    #[test]
    fn a_policy_is_a_kind_and_an_id() {
        let faults = filter(&[("policyId", "1"), ("policyVerdict", "refused")]).check();
        let names: Vec<_> = faults
            .unwrap_err()
            .into_iter()
            .map(|fault| fault.name)
            .collect();
        assert_eq!(names, ["policyId", "policyVerdict"]);
        let whole = filter(&[
            ("policyKind", "rules"),
            ("policyId", "1"),
            ("policyMode", "shadow"),
        ]);
        assert_eq!(whole.check(), Ok(()));
    }
}
