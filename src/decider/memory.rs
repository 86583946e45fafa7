//! What a writer knows between batches. All of it is only a memory of the database; any doubt, and it is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use super::cases::Case;
use super::others::{self, Changes, Since};
use super::policies::Policies;
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::place::Place;
use crate::policy::tallies::Tallies;

/// More known counts than this are forgotten together: a bound on memory.
const MOST_TALLIES: usize = 100_000;

/// What is known as of a head.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) policies: Policies,
    pub(super) tallies: Tallies,
    /// What the newest batch did: whoever looks up while it is still under way does not find it.
    pub(super) newest: Option<Arc<Effects>>,
    /// Whether another process writes bookings, too.
    pub(super) has_company: bool,
    // The head as of which the tallies are known, and when that was.
    head: Option<(Head, Instant)>,
    // How many of the events after it are policy events that `policies` knows of.
    new_policy_events: i64,
}

/// What a batch did.
#[derive(Debug)]
pub(super) struct Effects {
    /// The head that it follows.
    pub(super) follows: Head,
    /// What is known of its cases after it.
    pub(super) cases: HashMap<Uuid, Case>,
    /// Places in the order in which they were freed and taken.
    pub(super) changes: Vec<PlaceChange>,
}

/// One place freed or taken.
#[derive(Debug)]
pub(super) struct PlaceChange {
    pub(super) case_id: Uuid,
    pub(super) place: Place,
    pub(super) is_taken: bool,
}

impl PlaceChange {
    fn count_in(&self, tallies: &mut Tallies) {
        if self.is_taken {
            tallies.take(&self.place);
        } else {
            tallies.free(&self.place);
        }
    }

    fn undo_in(&self, tallies: &mut Tallies) {
        if self.is_taken {
            tallies.free(&self.place);
        } else {
            tallies.take(&self.place);
        }
    }
}

/// Where the head is expected, and since when.
pub(super) type KnownHead = (Head, Instant);

impl Memory {
    /// Forgets everything if what is known is of another ledger than this locked head's: a ledger only grows, unless the database was
    /// restored, or failed over to one that lacks the newest commits.
    pub(super) fn forget_unless_grown_to(&mut self, head: &Head) {
        let is_known_head_gone = self.head.as_ref().is_some_and(|(known, _)| {
            head.last_seq < known.last_seq
                || (head.last_seq == known.last_seq && head.last_chain != known.last_chain)
        });
        if is_known_head_gone || head.policy_version < self.policies.set.version {
            *self = Self::default();
        }
    }

    /// Whether the policies are known as of this head.
    pub(super) fn knows_policies_of(&self, head: &Head) -> bool {
        self.policies.are_at(head)
    }

    /// Brings the policies up to a head, locked or given up again. Where the head is known, [`catch_up`](Self::catch_up) looks whether the
    /// ledger is still the same; else the policies themselves have to.
    pub(super) async fn catch_up_policies(
        &mut self,
        connection: &mut PgConnection,
        org: &Org,
        head: &Head,
    ) -> Result<(), sqlx::Error> {
        let caught_up = (self.policies)
            .catch_up(connection, org, head, self.head.is_some())
            .await;
        self.new_policy_events += caught_up?;
        Ok(())
    }

    /// Where the head is if nobody else moved it, with what the time should be by now.
    pub(super) fn known_head(&self) -> Option<Head> {
        self.last_head().filter(|_| !self.has_company)
    }

    /// The same if others do move it: where it was after this process's last batch.
    pub(super) fn head_in_company(&self) -> Option<Head> {
        self.last_head().filter(|_| self.has_company)
    }

    fn last_head(&self) -> Option<Head> {
        let (head, at) = self.head.as_ref()?;
        let mut head = head.clone();
        head.now += TimeDelta::from_std(at.elapsed()).unwrap_or_default();
        self.policies.are_at(&head).then_some(head)
    }

    /// Takes out where the head is: until there is a new one, nothing is known to be as of it.
    pub(super) fn take_head(&mut self) -> Option<KnownHead> {
        self.head.take()
    }

    /// Puts it back.
    pub(super) fn restore_head(&mut self, known: Option<KnownHead>) {
        self.head = known;
    }

    /// The head as of which everything is known from now on.
    pub(super) fn move_head(&mut self, head: Head) {
        self.head = Some((head, Instant::now()));
        if self.tallies.len() > MOST_TALLIES {
            self.tallies.clear();
        }
    }

    /// The head is where it was, if that is known: what was decided after it, oldest first, has not been recorded.
    pub(super) fn step_back(&mut self, known: Option<KnownHead>, unrecorded: &[Arc<Effects>]) {
        self.newest = None;
        if known.is_some() {
            for effects in unrecorded.iter().rev() {
                for change in effects.changes.iter().rev() {
                    change.undo_in(&mut self.tallies);
                }
            }
        } else {
            // They may or may not know of places that were never taken.
            self.tallies.clear();
        }
        self.head = known;
    }

    /// Catches up with a head that is locked. Answers what others have changed, if it can be told.
    pub(super) async fn catch_up(
        &mut self,
        connection: &mut PgConnection,
        org: &Org,
        head: &Head,
    ) -> Result<Option<Changes>, sqlx::Error> {
        let since = match &self.head {
            Some((known, _)) if known.last_seq < head.last_seq => {
                others::since(connection, org, known, head).await?
            }
            Some((known, _)) => Since::Known(Changes {
                known_seq: known.last_seq,
                changes: Vec::new(),
            }),
            None => Since::Unclear,
        };
        if matches!(since, Since::OtherLedger) {
            *self = Self::default();
        }
        self.catch_up_policies(connection, org, head).await?;
        // From here on nothing can fail: the counts are as of this head, or forgotten.
        let known_seq = self.head.as_ref().map(|(known, _)| known.last_seq);
        let changes = match since {
            Since::Known(changes) => {
                for change in &changes.changes {
                    if let Some(place) = &change.place {
                        place.count_in(&mut self.tallies);
                    }
                }
                Some(changes)
            }
            Since::Unclear | Since::OtherLedger => {
                self.tallies.clear();
                None
            }
        };
        self.has_company =
            known_seq.is_some_and(|seq| head.last_seq != seq + self.new_policy_events);
        self.new_policy_events = 0;
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};

    use super::*;
    use crate::cubu::request::BookedBy;
    use crate::ledger::digest::GENESIS;
    use crate::policy::bucket::Bucket;
    use crate::policy::tallies::Tally;

    fn place(duration: i32) -> Place {
        Place {
            unit_id: Uuid::from_u128(1),
            service_id: Uuid::from_u128(2),
            service_category_id: None,
            service_type_id: None,
            cu_index: 3,
            date: NaiveDate::from_ymd_opt(2026, 11, 30).expect("a date"),
            start: 600,
            duration,
            starts_at: DateTime::UNIX_EPOCH,
            channel: None,
            booked_by: BookedBy::SelfService,
            customer_record_id: None,
        }
    }

    fn bucket() -> Bucket {
        let date = place(0).date;
        Bucket {
            unit_id: None,
            service_id: Some(place(0).service_id),
            service_category_id: None,
            service_type_id: None,
            cu_index: None,
            channel: None,
            booked_by: None,
            from: date,
            until: date.succ_opt().expect("a date"),
            from_minute: None,
            to_minute: None,
            weekdays: None,
        }
    }

    fn head(last_seq: i64) -> Head {
        Head {
            last_seq,
            last_chain: GENESIS,
            policy_version: 0,
            now: DateTime::UNIX_EPOCH,
        }
    }

    /// A memory of a count, with what batches did that were decided since, and those.
    fn decided() -> (Memory, Tally, Vec<Arc<Effects>>) {
        let mut memory = Memory::default();
        let counted = Tally {
            appointments: 5,
            minutes: 100,
        };
        memory.tallies.learn(bucket(), counted);
        let change = |duration, is_taken| PlaceChange {
            case_id: Uuid::nil(),
            place: place(duration),
            is_taken,
        };
        let batches = [
            vec![change(20, true), change(15, true)],
            vec![change(20, false), change(25, true)],
        ];
        let effects = batches.map(|changes| {
            for change in &changes {
                change.count_in(&mut memory.tallies);
            }
            Arc::new(Effects {
                follows: head(1),
                cases: HashMap::new(),
                changes,
            })
        });
        memory.newest = Some(Arc::clone(&effects[1]));
        (memory, counted, effects.into())
    }

    #[test]
    fn what_was_not_recorded_is_not_counted_and_all_else_is_still_known() {
        let (mut memory, counted, effects) = decided();
        assert_ne!(memory.tallies.get(&bucket()), Some(counted));
        memory.step_back(Some((head(1), Instant::now())), &effects);
        assert_eq!(memory.tallies.get(&bucket()), Some(counted));
        assert!(memory.newest.is_none());
    }

    #[test]
    fn counts_are_forgotten_if_nobody_knows_what_was_recorded() {
        let (mut memory, _, effects) = decided();
        memory.step_back(None, &effects);
        assert!(memory.tallies.is_empty());
    }
}
