//! How policies are heard: whether their conditions hold, and what is noted of each.

use chrono::{DateTime, Utc};

use super::explanation::{Compared, Explained, Verdict};
use super::expression::{ExpressionError, Scope as ExpressionScope};
use super::kind::Kind;
use super::message::pick_message;
use super::row::{Condition, Header, Mode, OnError};
use super::set::OrganizationMode;
use crate::cubu::request::Booking;

/// Evaluates conditions over one state of a booking, which is read once for all of them.
pub(super) struct Conditions<'b> {
    booking: &'b Booking,
    now: DateTime<Utc>,
    scope: Option<ExpressionScope<'b>>,
}

impl<'b> Conditions<'b> {
    pub(super) fn new(booking: &'b Booking, now: DateTime<Utc>) -> Self {
        Self {
            booking,
            now,
            scope: None,
        }
    }

    /// Whether all of those that there are hold.
    pub(super) fn hold<'c>(
        &mut self,
        conditions: impl IntoIterator<Item = Option<&'c Condition>>,
    ) -> Result<bool, ExpressionError> {
        for condition in conditions.into_iter().flatten() {
            let expression = condition.expression().map_err(Clone::clone)?;
            let new_scope = || ExpressionScope::new(self.booking, self.now);
            if !expression.evaluate(self.scope.get_or_insert_with(new_scope))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the policies found, and the reason of the first that cancels.
#[derive(Debug)]
pub(super) struct Record<'a> {
    organization_mode: OrganizationMode,
    language: Option<&'a str>,
    pub(super) explained: Vec<Explained>,
    pub(super) reason: Option<String>,
}

impl<'a> Record<'a> {
    pub(super) fn new(organization_mode: OrganizationMode, language: Option<&'a str>) -> Self {
        Self {
            organization_mode,
            language,
            explained: Vec::new(),
            reason: None,
        }
    }

    /// Notes what a policy found. Answers the mode in which it acts.
    pub(super) fn note(
        &mut self,
        kind: Kind,
        header: &Header,
        verdict: Verdict,
        compared: Compared,
    ) -> Mode {
        let mode = match self.organization_mode {
            OrganizationMode::Enforce => header.mode,
            OrganizationMode::Shadow => Mode::Shadow,
        };
        let cancels = match verdict {
            Verdict::Refused => true,
            Verdict::Error => header.on_error == OnError::Cancel,
            Verdict::Allowed | Verdict::Changed => false,
        };
        if cancels && mode == Mode::Enforce && self.reason.is_none() {
            let message = pick_message(
                header.message.as_deref(),
                &header.translations,
                self.language,
                kind.default_message(),
            );
            self.reason = Some(message.to_owned());
        }
        self.explained.push(Explained {
            kind,
            id: header.id,
            name: header.name.clone(),
            mode,
            verdict,
            compared,
        });
        mode
    }

    /// Notes that a policy's expression failed.
    pub(super) fn note_error(&mut self, kind: Kind, header: &Header, error: &ExpressionError) {
        let error = error.in_brief();
        self.note(kind, header, Verdict::Error, Compared::Error { error });
    }
}
