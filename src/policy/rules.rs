//! `policy.rules`: what changes a booking, or cancels it, before the guards look at it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::explanation::{self, Verdict};
use super::hearing::{Conditions, Record};
use super::kind::Kind;
use super::place::Place;
use super::row::{Condition, Mode, Policy, Terms};
use super::set::PolicySet;
use super::subject::Subject;
use crate::cubu::request::Booking;
use crate::json::{Members, write_word};

/// When a rule runs, and what it does.
#[derive(Debug, Deserialize)]
#[allow(
    missing_docs,
    reason = "the columns' own comments stand in migrations/V4__policy_kinds.sql"
)]
pub struct Rule {
    pub condition: Option<Condition>,
    pub priority: i32,
    pub cancel: bool,
    pub set_fields: Option<BTreeMap<Uuid, Box<RawValue>>>,
    pub remove_fields: Option<Vec<Uuid>>,
    pub add_tags: Option<Vec<Uuid>>,
    pub remove_tags: Option<Vec<Uuid>>,
    pub set_customer_record_id: Option<Uuid>,
    pub remove_customer: bool,
    pub use_customer_contact_info: bool,
    pub set_contact_phone_number: Option<String>,
    pub set_contact_email: Option<String>,
    pub set_service_type_id: Option<Uuid>,
    pub set_channel: Option<String>,
    pub set_prevent_self_check_in: Option<bool>,
}

impl Terms for Rule {
    const KIND: Kind = Kind::Rules;
}

/// What a rule changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The keys of the answer that it changed: none if everything was already so, or if it cancels.
    pub changes: Vec<&'static str>,
}

impl Compared {
    pub(super) fn write(&self, members: &mut Members<'_>) {
        members.list("changes", &self.changes, |change, out| {
            write_word(out, change);
        });
    }
}

impl Rule {
    /// What it makes of a booking, and the keys of the answer that it changes.
    #[must_use]
    pub fn applied<'a>(&self, subject: &Subject<'a>) -> (Subject<'a>, Vec<&'static str>) {
        let mut next = subject.clone();
        let none = BTreeMap::new();
        let changes = [
            (
                "fields",
                next.set_fields(self.set_fields.as_ref().unwrap_or(&none))
                    | next.remove_fields(self.remove_fields.as_deref().unwrap_or_default()),
            ),
            (
                "tagIds",
                next.change_tags(
                    self.add_tags.as_deref().unwrap_or_default(),
                    self.remove_tags.as_deref().unwrap_or_default(),
                ),
            ),
            (
                "removeCustomer",
                self.remove_customer && next.link_customer(None),
            ),
            (
                "customerRecordId",
                self.set_customer_record_id.is_some()
                    && next.link_customer(self.set_customer_record_id),
            ),
            (
                "useCustomerContactInfo",
                self.use_customer_contact_info && next.use_customers_contact_details(),
            ),
            (
                "contactPhoneNumber",
                next.set_phone_number(self.set_contact_phone_number.as_deref()),
            ),
            (
                "contactEmail",
                next.set_email(self.set_contact_email.as_deref()),
            ),
            (
                "serviceTypeId",
                next.set_service_type(self.set_service_type_id),
            ),
            ("channel", next.set_channel(self.set_channel.as_deref())),
            (
                "preventSelfCheckIn",
                next.prevent_self_check_in(self.set_prevent_self_check_in),
            ),
        ];
        let changes = changes
            .into_iter()
            .filter_map(|(key, changed)| changed.then_some(key));
        (next, changes.collect())
    }
}

/// Runs the rules over a booking, by priority and id, each over what the ones before it left. Answers what they made of it, and of the
/// place that it asks for.
pub(super) fn run<'a>(
    booking: &'a Booking,
    policies: &'a PolicySet,
    now: DateTime<Utc>,
    record: &mut Record<'a>,
) -> (Subject<'a>, Place) {
    let mut place = Place::of(booking);
    // No rule changes where a booking is or for which service, so these are all that could ever concern it.
    let mut rules = policies.rules.near(&place);
    rules.retain(|rule| rule.header.is_active(now));
    rules.sort_by_key(|rule| (rule.terms.priority, rule.header.id));
    let mut rules = rules.into_iter();

    let mut subject = Subject::new(booking);
    loop {
        // As long as nothing changes, one reading of the booking serves every condition.
        let mut conditions = Conditions::new(subject.booking(), now);
        let changed = rules.by_ref().find_map(|rule| {
            let in_scope = rule.header.scope.contains(&place);
            in_scope
                .then(|| rule.run(&subject, &mut conditions, record))
                .flatten()
        });
        match changed {
            Some(changed) => subject = changed,
            None => return (subject, place),
        }
        place = Place::of(subject.booking());
    }
}

impl Policy<Rule> {
    /// Runs it, and answers the booking that the next rule sees if this one changed anything.
    fn run<'a>(
        &self,
        subject: &Subject<'a>,
        conditions: &mut Conditions<'_>,
        record: &mut Record<'_>,
    ) -> Option<Subject<'a>> {
        let asked = [
            self.header.applies_when.as_deref(),
            self.terms.condition.as_ref(),
        ];
        match conditions.hold(asked) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                record.note_error(Kind::Rules, &self.header, &error);
                return None;
            }
        }
        let (next, changes) = self.terms.applied(subject);
        let verdict = match (self.terms.cancel, changes.is_empty()) {
            (true, _) => Verdict::Refused,
            (false, true) => Verdict::Allowed,
            (false, false) => Verdict::Changed,
        };
        let mode = record.note(
            Kind::Rules,
            &self.header,
            verdict,
            explanation::Compared::Rule(Compared { changes }),
        );
        (verdict == Verdict::Changed && mode == Mode::Enforce).then_some(next)
    }
}
