//! Reads in one statement what a batch has to know: its cases, blocklist rows, its customers' places, and how full its buckets are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::cases::{Case, Held};
use super::counts::CountedBucket;
use super::customer_places::CustomerPlaces;
use super::memory::{Effects, PlaceChange};
use super::others::Change;
use crate::cubu::request::BookedBy;
use crate::ledger::digest::{Digest, GENESIS};
use crate::ledger::head::Head;
use crate::org::Org;
use crate::policy::bucket::Bucket;
use crate::policy::customer_blocklist::{BlockedCustomer, BlocklistKey};
use crate::policy::facts::{CustomerSpan, Needs};
use crate::policy::place::Place;
use crate::policy::row::Policy;
use crate::policy::tallies::Tally;

/// What is looked up.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Cases, each with the digest of the request; none where only the place is asked for.
    pub(super) requests: BTreeSet<(Uuid, Option<Digest>)>,
    keys: BTreeSet<BlocklistKey>,
    spans: BTreeMap<Uuid, CustomerSpan>,
    /// What is to be counted.
    pub(super) buckets: HashSet<Bucket>,
}

impl Wanted {
    /// Adds what one booking needs, but for its buckets.
    pub(super) fn add(&mut self, needs: &Needs) {
        self.keys.extend(needs.blocklist_keys.iter().cloned());
        if let Some(span) = needs.customer_span {
            let covering = self.spans.entry(span.customer).or_insert(span);
            *covering = covering.covering(span);
        }
    }

    /// Whether it is about one of the cases, or of the customers whose places are looked at: then it changes more than counts.
    pub(super) fn concerns(&self, change: &Change) -> bool {
        let place = change.place.as_ref().map(|change| &change.place);
        let customer = place.and_then(|place| place.customer_record_id);
        customer.is_some_and(|customer| self.spans.contains_key(&customer))
            || self
                .requests
                .iter()
                .any(|(case_id, _)| *case_id == change.case_id)
    }

    /// Whether all that the other looks up is looked up here, too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let covered = |span: &CustomerSpan| {
            let known = self.spans.get(&span.customer);
            known.is_some_and(|known| known.covering(*span) == *known)
        };
        other.keys.is_subset(&self.keys)
            && other.buckets.is_subset(&self.buckets)
            && other.spans.values().all(covered)
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The database's clock.
    pub(super) now: DateTime<Utc>,
    /// The newest event when it was looked up.
    pub(super) last_seq: i64,
    last_chain: Digest,
    pub(super) cases: HashMap<Uuid, Case>,
    pub(super) blocked: Blocked,
    pub(super) customer_places: CustomerPlaces,
    pub(super) tallies: Vec<(Bucket, Tally)>,
}

/// Blocklist rows by the key under which they were found.
#[derive(Debug, Default)]
pub(super) struct Blocked(HashMap<BlocklistKey, BTreeMap<i64, Arc<Policy<BlockedCustomer>>>>);

impl Blocked {
    /// The rows under any of these keys, by id.
    pub(super) fn under(&self, keys: &[BlocklistKey]) -> Vec<Arc<Policy<BlockedCustomer>>> {
        let mut rows: Vec<_> = keys
            .iter()
            .filter_map(|key| self.0.get(key))
            .flat_map(BTreeMap::values)
            .collect();
        rows.sort_unstable_by_key(|row| row.header.id);
        rows.dedup_by_key(|row| row.header.id);
        rows.into_iter().cloned().collect()
    }
}

#[derive(FromRow)]
struct FactRow {
    part: i32,
    item: Option<i64>,
    case_id: Option<Uuid>,
    decision_seq: Option<i64>,
    unit_id: Option<Uuid>,
    service_id: Option<Uuid>,
    service_category_id: Option<Uuid>,
    service_type_id: Option<Uuid>,
    cu_index: Option<i32>,
    date: Option<NaiveDate>,
    start_minute: Option<i32>,
    duration: Option<i32>,
    starts_at: Option<DateTime<Utc>>,
    channel: Option<String>,
    booked_by: Option<String>,
    customer_record_id: Option<Uuid>,
    answer_seq: Option<i64>,
    at: Option<DateTime<Utc>>,
    text: Option<String>,
    appointments: Option<i64>,
    minutes: Option<i64>,
}

const HEAD: i32 = 0;
const CASE: i32 = 1;
const BLOCKED: i32 = 2;
const CUSTOMER_PLACE: i32 = 3;
const COUNT: i32 = 4;

/// The selects of `read_facts.sql` that may have nothing to look up: all but the first two.
const OPTIONAL: usize = 5;

/// `read_facts.sql` with those of its selects that have something to look up. Postgres starts each select of a statement for every
/// execution, whether it has or not, and a batch of one booking pays for that alone. There are few combinations, each planned once a
/// connection.
fn statement(wanted: [bool; OPTIONAL]) -> &'static str {
    static STATEMENTS: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..1 << OPTIONAL).map(with_selects).collect());
    let bit = |(number, is_wanted): (usize, bool)| usize::from(is_wanted) << number;
    &STATEMENTS[wanted.into_iter().enumerate().map(bit).sum::<usize>()]
}

fn with_selects(wanted: usize) -> String {
    const UNION: &str = "\nunion all\n";
    let selects = include_str!("../../sql/queries/read_facts.sql").split(UNION);
    let is_wanted = |number: usize| number < 2 || wanted >> (number - 2) & 1 == 1;
    let wanted = (selects.enumerate()).filter(|(number, _)| is_wanted(*number));
    let selects: Vec<&str> = wanted.map(|(_, select)| select).collect();
    selects.join(UNION)
}

/// Looks it all up.
pub(super) async fn read(
    connection: &mut PgConnection,
    org: &Org,
    wanted: &Wanted,
) -> Result<Found, sqlx::Error> {
    let Wanted {
        requests,
        keys,
        spans,
        buckets,
    } = wanted;
    let requests: Vec<_> = requests.iter().copied().collect();
    let buckets: Vec<&Bucket> = buckets.iter().collect();
    let (mut customers, mut field_type_ids, mut match_keys) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        match key {
            BlocklistKey::Customer(customer) => customers.push(*customer),
            BlocklistKey::Field(field_type_id, value) => {
                field_type_ids.push(*field_type_id);
                match_keys.push(value.as_str());
            }
        }
    }
    let (case_ids, digests): (Vec<_>, Vec<_>) = requests
        .iter()
        .map(|(case_id, digest)| (*case_id, digest.as_ref().map(Digest::as_slice)))
        .unzip();
    let statement = statement([
        !customers.is_empty(),
        !field_type_ids.is_empty(),
        !spans.is_empty(),
        buckets.iter().any(|bucket| bucket.service_id.is_some()),
        buckets.iter().any(|bucket| bucket.service_id.is_none()),
    ]);
    let rows: Vec<FactRow> = sqlx::query_as(statement)
        .bind(org.as_str())
        .bind(case_ids)
        .bind(digests)
        .bind(customers)
        .bind(field_type_ids)
        .bind(match_keys)
        .bind(spans.keys().copied().collect::<Vec<_>>())
        .bind(spans.values().map(|span| span.from).collect::<Vec<_>>())
        .bind(spans.values().map(|span| span.until).collect::<Vec<_>>())
        .bind(
            (buckets.iter().copied())
                .map(CountedBucket::from)
                .collect::<Vec<_>>(),
        )
        .fetch_all(connection)
        .await?;

    let mut found = Found {
        now: DateTime::UNIX_EPOCH,
        last_seq: 0,
        last_chain: GENESIS,
        cases: HashMap::with_capacity(requests.len()),
        blocked: Blocked::default(),
        customer_places: CustomerPlaces::default(),
        tallies: Vec::with_capacity(buckets.len()),
    };
    for row in rows {
        found.take(org, &requests, &buckets, row)?;
    }
    Ok(found)
}

impl Found {
    /// Whether it was looked up when this was the head.
    pub(super) fn is_as_of(&self, head: &Head) -> bool {
        self.last_seq == head.last_seq && self.last_chain == head.last_chain
    }

    /// Adds what a batch did that was not committed yet when this was looked up.
    pub(super) fn add(&mut self, wanted: &Wanted, effects: &Effects) {
        for (case_id, _) in &wanted.requests {
            if let Some(later) = effects.cases.get(case_id) {
                self.cases.entry(*case_id).or_default().become_later(later);
            }
        }
        for change in &effects.changes {
            self.count(change);
            let (case_id, place) = (change.case_id, &change.place);
            let is_wanted = |customer| wanted.spans.contains_key(&customer);
            if place.customer_record_id.is_some_and(is_wanted) {
                if change.is_taken {
                    self.customer_places.take(case_id, place);
                } else {
                    self.customer_places.free(case_id, place);
                }
            }
        }
    }

    /// Keeps the counts true.
    pub(super) fn count(&mut self, change: &PlaceChange) {
        let place = &change.place;
        for (bucket, tally) in &mut self.tallies {
            if bucket.contains(place) {
                *tally = if change.is_taken {
                    tally.with(place)
                } else {
                    tally.without(place)
                };
            }
        }
    }

    fn take(
        &mut self,
        org: &Org,
        requests: &[(Uuid, Option<Digest>)],
        buckets: &[&Bucket],
        row: FactRow,
    ) -> Result<(), sqlx::Error> {
        match row.part {
            HEAD => {
                self.now = row.at.unwrap_or(self.now);
                self.last_seq = row.item.unwrap_or_default();
                hex::decode_to_slice(row.text.unwrap_or_default(), &mut self.last_chain)
                    .map_err(|error| sqlx::Error::Decode(error.into()))?;
            }
            CASE => self.take_case(requests, row)?,
            BLOCKED => self.blocked.take(org, row),
            CUSTOMER_PLACE => {
                if let (Some(case_id), Some(place)) = (row.case_id, row.place()) {
                    self.customer_places.take(case_id, &place);
                }
            }
            COUNT => {
                if let Some(bucket) = row.position().and_then(|at| buckets.get(at)) {
                    self.tallies.push(((*bucket).clone(), row.tally()));
                }
            }
            part => {
                let unknown = format!("read_facts.sql has no part {part}");
                return Err(sqlx::Error::Decode(unknown.into()));
            }
        }
        Ok(())
    }

    fn take_case(
        &mut self,
        requests: &[(Uuid, Option<Digest>)],
        row: FactRow,
    ) -> Result<(), sqlx::Error> {
        let request = row.position().and_then(|at| requests.get(at));
        let Some((case_id, digest)) = request else {
            return Ok(());
        };
        let case = self.cases.entry(*case_id).or_default();
        if let (Some(digest), Some(seq), Some(at), Some(payload)) =
            (digest, row.answer_seq, row.at, &row.text)
        {
            let is_held = row.decision_seq == Some(seq);
            case.remember(*digest, seq, at, payload, is_held)?;
        }
        if case.held.is_none() {
            case.held = row.held();
        }
        Ok(())
    }
}

impl Blocked {
    fn take(&mut self, org: &Org, row: FactRow) {
        let (id, text) = (row.item.unwrap_or_default(), row.text.unwrap_or_default());
        match Policy::<BlockedCustomer>::from_row(&text) {
            Ok(policy) => {
                if let Some(key) = BlocklistKey::of_row(&policy.terms) {
                    let under_key = self.0.entry(key).or_default();
                    under_key.insert(id, Arc::new(policy));
                }
            }
            Err(error) => tracing::error!(%org, id, %error, "a policy is left out"),
        }
    }
}

impl FactRow {
    /// In the array that was bound; ordinality counts from 1.
    fn position(&self) -> Option<usize> {
        self.item.and_then(|item| usize::try_from(item - 1).ok())
    }

    fn tally(&self) -> Tally {
        Tally {
            appointments: self.appointments.unwrap_or_default(),
            minutes: self.minutes.unwrap_or_default(),
        }
    }

    fn held(self) -> Option<Held> {
        Some(Held {
            decision_seq: self.decision_seq?,
            place: self.place()?,
        })
    }

    fn place(self) -> Option<Place> {
        Some(Place {
            unit_id: self.unit_id?,
            service_id: self.service_id?,
            service_category_id: self.service_category_id,
            service_type_id: self.service_type_id,
            cu_index: self.cu_index?,
            date: self.date?,
            start: self.start_minute?,
            duration: self.duration?,
            starts_at: self.starts_at?,
            channel: self.channel,
            booked_by: BookedBy::from_word(&self.booked_by?)?,
            customer_record_id: self.customer_record_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_not_taken_for_that_of_another_ledger() {
        let head = |last_seq, last_chain| Head {
            last_seq,
            last_chain,
            policy_version: 0,
            now: DateTime::UNIX_EPOCH,
        };
        let found = Found {
            now: DateTime::UNIX_EPOCH,
            last_seq: 7,
            last_chain: [7; 32],
            cases: HashMap::new(),
            blocked: Blocked::default(),
            customer_places: CustomerPlaces::default(),
            tallies: Vec::new(),
        };
        assert!(found.is_as_of(&head(7, [7; 32])));
        assert!(!found.is_as_of(&head(7, [8; 32])));
        assert!(!found.is_as_of(&head(8, [7; 32])));
    }

    #[test]
    fn a_statement_has_the_selects_that_are_wanted() {
        let all = include_str!("../../sql/queries/read_facts.sql");
        assert_eq!(statement([true; OPTIONAL]), all);
        // What tells each of them from all others, in the order in which they are asked for.
        let only_in = [
            "unnest($4::uuid[])",
            "unnest($5::uuid[], $6::text[])",
            "unnest($7::uuid[], $8::date[], $9::date[])",
            "where b.service_id is not null",
            "where b.service_id is null",
        ];
        let always = ["from ledger.heads h", "unnest($2::uuid[], $3::bytea[])"];
        for bits in 0..1 << OPTIONAL {
            let wanted: [bool; OPTIONAL] = std::array::from_fn(|number| bits >> number & 1 == 1);
            let statement = statement(wanted);
            assert!(always.iter().all(|text| statement.contains(text)));
            let found = only_in.map(|text| statement.contains(text));
            assert_eq!(found, wanted, "{statement}");
        }
    }
}
