//! A token bucket: how many rejections are recorded, so that a stranger cannot fill the disk.

use tokio::time::Instant;

/// So many at once, and so many a second after that.
#[derive(Debug)]
pub(super) struct Throttle {
    per_second: f64,
    burst: f64,
    tokens: f64,
    refilled_at: Instant,
    dropped: u64,
}

impl Throttle {
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second: per_second.into(),
            burst: burst.into(),
            tokens: burst.into(),
            refilled_at: Instant::now(),
            dropped: 0,
        }
    }

    /// Whether one more may be recorded, with how many were not since the last that was; none: nor is this one.
    pub(super) fn admit(&mut self) -> Option<u64> {
        let elapsed = self.refilled_at.elapsed();
        self.refilled_at += elapsed;
        self.tokens = (self.tokens + elapsed.as_secs_f64() * self.per_second).min(self.burst);
        if self.tokens < 1.0 {
            self.dropped += 1;
            return None;
        }
        self.tokens -= 1.0;
        Some(std::mem::take(&mut self.dropped))
    }

    /// One that was admitted with such a count could not be recorded after all.
    pub(super) fn give_back(&mut self, dropped_before: u64) {
        self.dropped += dropped_before + 1;
    }
}
