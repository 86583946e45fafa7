//! An organization's policies in force, as a fold of its policy events.

use std::collections::BTreeMap;

use serde::Deserialize;
use uuid::Uuid;

use super::blackouts::Blackout;
use super::booking_windows::BookingWindow;
use super::capacity_caps::CapacityCap;
use super::change::PolicyChange;
use super::customer_limits::CustomerLimit;
use super::hash::FastMap;
use super::kind::Kind;
use super::place::Place;
use super::row::{Policy, RowError, Terms};
use super::rules::Rule;

/// How a whole organization's policies act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganizationMode {
    /// As each policy says.
    Enforce,
    /// As if every policy were in shadow: the kill switch.
    Shadow,
}

/// `policy.organizations`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Organization {
    /// The kill switch.
    pub mode: OrganizationMode,
    /// How long a refused request gets the stored answer, in seconds.
    pub retry_window_seconds: u32,
}

impl Default for Organization {
    /// As the table's defaults.
    fn default() -> Self {
        Self {
            mode: OrganizationMode::Enforce,
            retry_window_seconds: 60,
        }
    }
}

/// Policies of one kind, found by the place they concern.
///
/// A policy lives in exactly one of three rooms: its service's, else its unit's, else the common one; so a booking looks only at
/// policies that could concern it, and a hundred thousand of other services cost it nothing.
#[derive(Debug)]
pub struct Scoped<T> {
    by_service: FastMap<Uuid, BTreeMap<i64, Box<Policy<T>>>>,
    by_unit: FastMap<Uuid, BTreeMap<i64, Box<Policy<T>>>>,
    common: BTreeMap<i64, Box<Policy<T>>>,
    rooms: FastMap<i64, Room>,
}

#[derive(Debug, Clone, Copy)]
enum Room {
    Service(Uuid),
    Unit(Uuid),
    Common,
}

impl<T> Default for Scoped<T> {
    fn default() -> Self {
        Self {
            by_service: FastMap::default(),
            by_unit: FastMap::default(),
            common: BTreeMap::new(),
            rooms: FastMap::default(),
        }
    }
}

impl<T: Terms> Scoped<T> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// Those that could concern a place, by id.
    #[must_use]
    pub fn near(&self, place: &Place) -> Vec<&Policy<T>> {
        let rooms = [
            self.by_service.get(&place.service_id),
            self.by_unit.get(&place.unit_id),
            Some(&self.common),
        ];
        let rooms = rooms.into_iter().flatten();
        let mut found = Vec::with_capacity(rooms.clone().map(BTreeMap::len).sum());
        found.extend(rooms.flat_map(BTreeMap::values).map(AsRef::as_ref));
        found.sort_unstable_by_key(|policy: &&Policy<T>| policy.header.id);
        found
    }

    /// Puts a row in, in place of the one with its id.
    pub fn insert(&mut self, policy: Policy<T>) {
        let id = policy.header.id;
        self.remove(id);
        let scope = &policy.header.scope;
        let (room, policies) = match (scope.service_id, scope.unit_id) {
            (Some(service), _) => (
                Room::Service(service),
                self.by_service.entry(service).or_default(),
            ),
            (None, Some(unit)) => (Room::Unit(unit), self.by_unit.entry(unit).or_default()),
            (None, None) => (Room::Common, &mut self.common),
        };
        policies.insert(id, Box::new(policy));
        self.rooms.insert(id, room);
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: i64) {
        fn leave<T>(rooms: &mut FastMap<Uuid, BTreeMap<i64, Box<Policy<T>>>>, key: Uuid, id: i64) {
            if let Some(policies) = rooms.get_mut(&key) {
                policies.remove(&id);
                if policies.is_empty() {
                    rooms.remove(&key);
                }
            }
        }
        match self.rooms.remove(&id) {
            Some(Room::Service(service)) => leave(&mut self.by_service, service, id),
            Some(Room::Unit(unit)) => leave(&mut self.by_unit, unit, id),
            Some(Room::Common) => {
                self.common.remove(&id);
            }
            None => {}
        }
    }

    fn apply(&mut self, change: &PolicyChange<'_>) -> Result<(), RowError> {
        self.remove(change.id);
        if let Some(row) = change.new {
            self.insert(Policy::from_row(row)?);
        }
        Ok(())
    }
}

/// The policies of one organization that are kept in memory. The blocklist is not: its rows come as facts.
#[derive(Debug, Default)]
pub struct PolicySet {
    /// Number of the newest policy event that is folded in.
    pub version: i64,
    /// The organization's own settings.
    pub organization: Organization,
    /// `policy.rules`
    pub rules: Scoped<Rule>,
    /// `policy.blackouts`
    pub blackouts: Scoped<Blackout>,
    /// `policy.booking_windows`
    pub booking_windows: Scoped<BookingWindow>,
    /// `policy.customer_limits`
    pub customer_limits: Scoped<CustomerLimit>,
    /// `policy.capacity_caps`
    pub capacity_caps: Scoped<CapacityCap>,
}

impl PolicySet {
    /// Folds one change in. A row that cannot be read leaves its policy out; the error names it.
    pub fn apply(&mut self, change: &PolicyChange<'_>) -> Result<(), RowError> {
        match change.kind {
            Kind::Organizations => {
                self.organization = match change.new {
                    Some(row) => serde_json::from_str(row).map_err(|source| RowError {
                        kind: Kind::Organizations,
                        source,
                    })?,
                    None => Organization::default(),
                };
                Ok(())
            }
            Kind::Rules => self.rules.apply(change),
            Kind::CustomerBlocklist => Ok(()),
            Kind::Blackouts => self.blackouts.apply(change),
            Kind::BookingWindows => self.booking_windows.apply(change),
            Kind::CustomerLimits => self.customer_limits.apply(change),
            Kind::CapacityCaps => self.capacity_caps.apply(change),
        }
    }
}
