//! How many places, and how many minutes, are in each bucket.

use chrono::NaiveDate;
use uuid::Uuid;

use super::bucket::{Bucket, Period};
use super::hash::FastMap;
use super::place::Place;

/// A count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Places.
    pub appointments: i64,
    /// The sum of their durations.
    pub minutes: i64,
}

impl Tally {
    /// Without one place that was counted.
    #[must_use]
    pub fn without(self, place: &Place) -> Self {
        Self {
            appointments: self.appointments - 1,
            minutes: self.minutes - i64::from(place.duration),
        }
    }

    /// With one place more.
    #[must_use]
    pub fn with(self, place: &Place) -> Self {
        Self {
            appointments: self.appointments + 1,
            minutes: self.minutes + i64::from(place.duration),
        }
    }
}

/// Known counts, kept true as places come and go.
///
/// Never iterated in a way that an answer could depend on: a hash map's order is not part of any decision.
#[derive(Debug, Clone, Default)]
pub struct Tallies {
    // By service (or, for buckets that span services, by unit) and first day, so that a place touches only the buckets it could be in.
    // Few under each: comparing them one by one is quicker than hashing a bucket, and takes a tenth of the memory.
    by_anchor: FastMap<Anchor, Vec<(Bucket, Tally)>>,
    len: usize,
}

type Anchor = (Uuid, NaiveDate);

fn anchor(bucket: &Bucket) -> Anchor {
    let id = bucket.service_id.or(bucket.unit_id).unwrap_or_default();
    (id, bucket.from)
}

/// Under which anchors the buckets of a place are: its day's, its week's and its month's, of its service and of its unit. Each once.
fn anchors(place: &Place) -> impl Iterator<Item = Anchor> {
    let [day, week, month] =
        [Period::Day, Period::Week, Period::Month].map(|period| period.days(place.date).0);
    let week = Some(week).filter(|week| *week != day);
    let month = Some(month).filter(|month| *month != day && Some(*month) != week);
    let days = [Some(day), week, month].into_iter().flatten();
    let (service, unit) = (place.service_id, place.unit_id);
    let unit = Some(unit).filter(|unit| *unit != service);
    days.flat_map(move |from| {
        let ids = std::iter::once(service).chain(unit);
        ids.map(move |id| (id, from))
    })
}

impl Tallies {
    /// How many buckets are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The count of a bucket, if known.
    #[must_use]
    pub fn get(&self, bucket: &Bucket) -> Option<Tally> {
        let buckets = self.by_anchor.get(&anchor(bucket))?;
        let found = buckets.iter().find(|(known, _)| known == bucket);
        found.map(|(_, tally)| *tally)
    }

    /// Learns the count of a bucket.
    pub fn learn(&mut self, bucket: Bucket, tally: Tally) {
        let buckets = self.by_anchor.entry(anchor(&bucket)).or_default();
        match buckets.iter_mut().find(|(known, _)| *known == bucket) {
            Some((_, known)) => *known = tally,
            None => {
                // Most anchors have one or two, and there are many anchors: no room is kept for others.
                buckets.reserve_exact(1 + buckets.len() / 2);
                buckets.push((bucket, tally));
                self.len += 1;
            }
        }
    }

    /// A place was taken.
    pub fn take(&mut self, place: &Place) {
        self.touch(place, |tally| tally.with(place));
    }

    /// A place was freed.
    pub fn free(&mut self, place: &Place) {
        self.touch(place, |tally| tally.without(place));
    }

    fn touch(&mut self, place: &Place, change: impl Fn(Tally) -> Tally) {
        for anchor in anchors(place) {
            if let Some(buckets) = self.by_anchor.get_mut(&anchor) {
                for (bucket, tally) in buckets {
                    if bucket.contains(place) {
                        *tally = change(*tally);
                    }
                }
            }
        }
    }
}
