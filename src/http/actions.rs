//! Calls of the webhook other than those that are decided or recorded. Cubu makes all of them to one base URL, and the names of some are
//! inferred: one that is spelled otherwise than we think must not be acknowledged as if it were decided.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::problems::{Problem, ProblemKind};
use crate::cubu::after::After;
use crate::org::Org;

const BEFORE_BOOK: &str = "beforeBookAppointment";

/// The call after the start of work, the one that does not begin with `after`.
const START_WORK: &str = "startWork";

/// A name is logged up to here: whoever may call could send any.
const LONGEST_NAME: usize = 64;

/// How many names are kept, so that each is logged once.
const MOST_NAMES: usize = 100;

/// What is to be done with a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OtherAction {
    /// One of the calls after something happened: nothing depends on it.
    Acknowledged,
    /// Cubu waits for a decision, or means a call of this name.
    Misspelled(&'static str),
    /// A name that we do not know.
    Unknown,
}

impl OtherAction {
    pub(super) fn of(name: &str) -> Self {
        let known = [BEFORE_BOOK, After::Booked.action(), After::Closed.action()];
        let but_for_case = (known.into_iter()).find(|known| known.eq_ignore_ascii_case(name));
        match but_for_case {
            Some(known) => Self::Misspelled(known),
            None if begins_with(name, "before") => Self::Misspelled(BEFORE_BOOK),
            None if begins_with(name, "after") || name == START_WORK => Self::Acknowledged,
            None => Self::Unknown,
        }
    }
}

fn begins_with(name: &str, word: &str) -> bool {
    (name.get(..word.len())).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Nothing is decided or recorded at the address of this call; `meant` is what there is.
pub(super) fn misspelled(org: &Org, meant: &'static str) -> Problem {
    let prefix = if *org == Org::default_org() {
        String::new()
    } else {
        format!("/{org}")
    };
    let detail = format!(
        "no action has this name, and upper and lower case matter: is it {prefix}/service/actions/{meant} that is meant?"
    );
    Problem::new(ProblemKind::UnknownRoute, detail)
}

/// The unknown names so far.
#[derive(Debug, Default)]
pub(super) struct UnknownActions(Mutex<BTreeSet<(Org, String)>>);

impl UnknownActions {
    /// Logs a name if it is new: perhaps Cubu waits for an answer to it.
    pub(super) fn note(&self, org: &Org, name: &str) {
        let Some(count) = self.remember(org, name) else {
            return;
        };
        let action: String = name.chars().take(LONGEST_NAME).collect();
        tracing::warn!(
            %org,
            ?action,
            "an unknown action is acknowledged, and nothing is done; is it one that bookwarden should decide?"
        );
        if count == MOST_NAMES {
            tracing::warn!("no more unknown actions are logged");
        }
    }

    /// How many there are with this one; none if it is not new, or one too many.
    fn remember(&self, org: &Org, name: &str) -> Option<usize> {
        let name = name.chars().take(LONGEST_NAME).collect();
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = names.len() < MOST_NAMES && names.insert((org.clone(), name));
        is_new.then_some(names.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_a_decision_is_acknowledged() {
        for name in ["afterResolve", "afterCheckIn", "afterFoo", "startWork"] {
            assert_eq!(OtherAction::of(name), OtherAction::Acknowledged, "{name}");
        }
        for (name, meant) in [
            ("beforebookappointment", BEFORE_BOOK),
            ("BeforeBookAppointment", BEFORE_BOOK),
            ("beforeBookAppointments", BEFORE_BOOK),
            ("beforeFoo", BEFORE_BOOK),
            ("BEFORE", BEFORE_BOOK),
            ("AfterBookAppointment", "afterBookAppointment"),
            ("afterclose", "afterClose"),
        ] {
            assert_eq!(OtherAction::of(name), OtherAction::Misspelled(meant));
        }
        for name in ["foo", "befor", "", "bookAppointment", "béfore", "startwork"] {
            assert_eq!(OtherAction::of(name), OtherAction::Unknown, "{name}");
        }
    }

    #[test]
    fn the_right_address_is_the_organizations_own() {
        let clinic = "clinic".parse().expect("a name");
        for (org, address) in [
            (Org::default_org(), " /service/actions/afterClose "),
            (clinic, " /clinic/service/actions/afterClose "),
        ] {
            let problem = misspelled(&org, "afterClose");
            assert!(problem.detail.contains(address), "{}", problem.detail);
        }
    }

    #[test]
    fn each_name_is_new_once_and_not_more_are_kept_than_there_is_room_for() {
        let (unknown, org) = (UnknownActions::default(), Org::default_org());
        assert_eq!(unknown.remember(&org, "foo"), Some(1));
        assert_eq!(unknown.remember(&org, "foo"), None);
        let clinic = "clinic".parse().expect("a name");
        assert_eq!(unknown.remember(&clinic, "foo"), Some(2));
        let long = "x".repeat(LONGEST_NAME);
        assert_eq!(unknown.remember(&org, &format!("{long}1")), Some(3));
        assert_eq!(unknown.remember(&org, &format!("{long}2")), None);
        let new = (0..1000).filter(|name| unknown.remember(&org, &name.to_string()).is_some());
        assert_eq!(new.count(), MOST_NAMES - 3);
    }
}
