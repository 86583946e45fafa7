//! Metrics, in Prometheus' text format. Labels are bounded: `org` is only ever an organization that exists, the rest are fixed words.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::lines;
use crate::org::Org;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OrgLabel {
    org: OrgName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    org: OrgName,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyErrorLabels {
    org: OrgName,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

/// Shares the organization's text instead of copying it for every look-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OrgName(Org);

impl EncodeLabelValue for OrgName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.as_str().encode(encoder)
    }
}

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Family<DecisionLabels, Counter>,
    repeats: Family<OrgLabel, Counter>,
    decision_duration: Histogram,
    batch_size: Histogram,
    queue_depth: Family<OrgLabel, Gauge>,
    rejected: Family<ReasonLabel, Counter>,
    rejections_dropped: Counter,
    http_requests: Family<RequestLabels, Counter>,
    policy_errors: Family<PolicyErrorLabels, Counter>,
    policy_problems: Family<OrgLabel, Gauge>,
    uncounted_events: Family<OrgLabel, Gauge>,
    log_lines_lost: Counter,
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("bookwarden"),
            decisions: Family::default(),
            repeats: Family::default(),
            // 0.5 ms to 8 s.
            decision_duration: Histogram::new(exponential_buckets(0.0005, 2.0, 15)),
            // 1 to 1024 bookings.
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            queue_depth: Family::default(),
            rejected: Family::default(),
            rejections_dropped: Counter::default(),
            http_requests: Family::default(),
            policy_errors: Family::default(),
            policy_problems: Family::default(),
            uncounted_events: Family::default(),
            log_lines_lost: lines::lost(),
        };
        metrics.register();
        metrics
    }

    /// The encoder adds `_total` to a counter's name.
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("decisions", "Decisions made", self.decisions.clone());
        registry.register(
            "repeats",
            "Requests answered with a stored decision",
            self.repeats.clone(),
        );
        registry.register(
            "decision_duration_seconds",
            "From a booking's arrival to its answer",
            self.decision_duration.clone(),
        );
        registry.register(
            "batch_size",
            "Requests recorded together",
            self.batch_size.clone(),
        );
        registry.register(
            "queue_depth",
            "Requests waiting for the writer",
            self.queue_depth.clone(),
        );
        registry.register(
            "rejected_requests",
            "Webhook requests that were not understood or authenticated",
            self.rejected.clone(),
        );
        registry.register(
            "rejections_dropped",
            "Rejected requests over the rate limit: not on the ledger",
            self.rejections_dropped.clone(),
        );
        registry.register(
            "http_requests",
            "Requests answered",
            self.http_requests.clone(),
        );
        registry.register(
            "policy_errors",
            "Policies that could not be evaluated",
            self.policy_errors.clone(),
        );
        registry.register(
            "policy_problems",
            "Rows of policy.problems: policies whose expressions do not compile or failed",
            self.policy_problems.clone(),
        );
        registry.register(
            "uncounted_events",
            "Events whose decisions are not in ledger.decision_counts yet",
            self.uncounted_events.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Lines of the log that could not be written, or not soon enough",
            self.log_lines_lost.clone(),
        );
    }

    /// A decision was committed.
    pub fn decision(&self, org: &Org, outcome: &'static str) {
        let org = OrgName(org.clone());
        let labels = DecisionLabels { org, outcome };
        self.decisions.get_or_create(&labels).inc();
    }

    /// A stored decision was answered again.
    pub fn repeat(&self, org: &Org) {
        self.repeats.get_or_create(&org_label(org)).inc();
    }

    /// A booking was answered so long after it arrived.
    pub fn decision_duration(&self, duration: Duration) {
        self.decision_duration.observe(duration.as_secs_f64());
    }

    /// A transaction decided so many bookings.
    pub fn batch(&self, size: usize) {
        self.batch_size
            .observe(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
    }

    /// So many bookings wait.
    pub fn queue_depth(&self, org: &Org, waiting: usize) {
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        self.queue_depth.get_or_create(&org_label(org)).set(waiting);
    }

    /// A webhook request was not understood or authenticated.
    pub fn rejected(&self, reason: &'static str) {
        self.rejected.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A rejected request was over the rate limit and is not on the ledger.
    pub fn rejection_dropped(&self) {
        self.rejections_dropped.inc();
    }

    /// A request was answered; `route` is a pattern, never an address.
    pub fn http_request(&self, route: &'static str, status: u16) {
        let labels = RequestLabels { route, status };
        self.http_requests.get_or_create(&labels).inc();
    }

    /// A policy of this kind could not be evaluated.
    pub fn policy_error(&self, org: &Org, kind: &'static str) {
        let org = OrgName(org.clone());
        let labels = PolicyErrorLabels { org, kind };
        self.policy_errors.get_or_create(&labels).inc();
    }

    /// So many policies are in `policy.problems`.
    pub fn policy_problems(&self, org: &Org, count: i64) {
        self.policy_problems
            .get_or_create(&org_label(org))
            .set(count);
    }

    /// So many events are behind those whose decisions are counted.
    pub fn uncounted_events(&self, org: &Org, count: i64) {
        self.uncounted_events
            .get_or_create(&org_label(org))
            .set(count);
    }

    /// Everything, in the OpenMetrics text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

fn org_label(org: &Org) -> OrgLabel {
    OrgLabel {
        org: OrgName(org.clone()),
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_there_under_its_name() {
        let metrics = Metrics::new();
        let org = Org::default_org();
        metrics.decision(&org, "approved");
        metrics.repeat(&org);
        metrics.decision_duration(Duration::from_millis(3));
        metrics.batch(130);
        metrics.queue_depth(&org, 5);
        metrics.rejected("invalid-signature");
        metrics.rejection_dropped();
        metrics.http_request("/healthz", 200);
        metrics.policy_error(&org, "rules");
        metrics.policy_problems(&org, 2);
        metrics.uncounted_events(&org, 63);
        let text = metrics.encode();
        for line in [
            r#"bookwarden_decisions_total{org="default",outcome="approved"} 1"#,
            r#"bookwarden_repeats_total{org="default"} 1"#,
            "bookwarden_decision_duration_seconds_count 1",
            r#"bookwarden_batch_size_bucket{le="256.0"} 1"#,
            r#"bookwarden_queue_depth{org="default"} 5"#,
            r#"bookwarden_rejected_requests_total{reason="invalid-signature"} 1"#,
            "bookwarden_rejections_dropped_total 1",
            r#"bookwarden_http_requests_total{route="/healthz",status="200"} 1"#,
            r#"bookwarden_policy_errors_total{org="default",kind="rules"} 1"#,
            r#"bookwarden_policy_problems{org="default"} 2"#,
            r#"bookwarden_uncounted_events{org="default"} 63"#,
            "bookwarden_log_lines_lost_total 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
