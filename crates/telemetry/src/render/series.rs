//! What is asked of Prometheus about one clause of one objective, in `PromQL`.
//!
//! Every share is a quotient of sums of counts, over all gateways; no quotient is ever averaged.

use std::fmt;
use std::time::Duration;

use mare_manifest::units::{duration_text, seconds};
use mare_slo::Clause;

/// The share of bad requests, recorded for each window an alert looks at; the window's text comes last.
pub(super) const BAD: &str = "objective_clause:mare_objective_bad:ratio_rate";
/// The share of requests that may be bad.
pub(super) const BUDGET: &str = "objective_clause:mare_objective_budget:ratio";
/// What is left of that over the objective's window: 1 is all, 0 is none, below 0 the objective is broken.
pub(super) const BUDGET_LEFT: &str = "objective_clause:mare_objective_budget_left:ratio";

/// The counters of an objective (`mare_gateway`'s metrics).
pub(super) const REQUESTS: &str = "mare_objective_requests_total";
pub(super) const ERRORS: &str = "mare_objective_errors_total";
pub(super) const UNAVAILABLE: &str = "mare_objective_unavailable_total";
/// Their histogram, whose buckets include every limit.
pub(super) const BUCKETS: &str = "mare_objective_duration_seconds_bucket";
/// As many as were counted.
pub(super) const TIMED: &str = "mare_objective_duration_seconds_count";
/// Requests slower than a rule allows, by `alert`.
pub(super) const SLOW: &str = "mare_slow_requests_total";

/// Whose series are meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// The label `app` of every recorded series and alert, so that two applications fit in one Prometheus.
    pub(super) app: &'a str,
    /// Only series scraped under this job count. `None`: those of any job.
    pub(super) job: Option<&'a str>,
}

/// Labels and their values, as Prometheus selects by them: `{objective="read",le="0.3"}`.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector(Vec<(&'static str, String)>);

impl Selector {
    pub(super) fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.0.push((label, value.into()));
        self
    }
}

impl Scope<'_> {
    /// Selects what the gateways count for an objective.
    pub(super) fn scraped(&self, objective: &str) -> Selector {
        self.select("objective", objective)
    }

    pub(super) fn select(&self, label: &'static str, value: &str) -> Selector {
        let selector = Selector::default().with(label, value);
        match self.job {
            Some(job) => selector.with("job", job),
            None => selector,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rust and PromQL escape quotes and backslashes alike; nothing else in a name needs it.
        let matchers: Vec<String> =
            self.0.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
        write!(f, "{{{}}}", matchers.join(","))
    }
}

/// One clause of one objective.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) objective: &'a str,
    pub(super) clause: Clause,
}

impl Measured<'_> {
    fn scraped(&self) -> Selector {
        self.scope.scraped(self.objective)
    }

    /// Selects what the rules recorded.
    pub(super) fn recorded(&self) -> Selector {
        let labels = Selector::default().with("app", self.scope.app).with("objective", self.objective);
        labels.with("clause", self.clause.key())
    }

    /// The share of requests that may be bad.
    pub(super) fn budget(&self) -> f64 {
        rounded(1.0 - self.clause.target())
    }

    /// The share of bad requests in `window`. Not a number while there are none at all.
    pub(super) fn bad_ratio(&self, window: Duration) -> String {
        let (bad, total) = self.counts("rate", window);
        format!("{bad}\n/\n{total}")
    }

    /// The budget left over `window`; all of it while there are no requests.
    pub(super) fn budget_left(&self, window: Duration) -> String {
        let (bad, total) = self.counts("increase", window);
        let share = format!("(\n  {bad}\n  /\n  ({total} > 0)\n  or\n  0 * {total}\n)");
        format!("1 - {share} / {}", self.budget())
    }

    /// How many were bad in `window`.
    pub(super) fn bad(&self, window: Duration) -> String {
        self.counts("increase", window).0
    }

    /// How many were bad, and how many there were.
    fn counts(&self, function: &str, window: Duration) -> (String, String) {
        let window = duration_text(window);
        let sum = |metric: &str, selector: Selector| format!("sum({function}({metric}{selector}[{window}]))");
        let of = |metric: &str| sum(metric, self.scraped());
        match self.clause {
            Clause::Latency { limit, .. } => {
                let within = sum(BUCKETS, self.scraped().with("le", bucket(limit)));
                (format!("({} - {within})", of(TIMED)), of(TIMED))
            }
            Clause::Errors { .. } => (of(ERRORS), of(REQUESTS)),
            Clause::Availability { .. } => (of(UNAVAILABLE), of(REQUESTS)),
        }
    }
}

/// A limit as the label `le` of its bucket. Whole milliseconds up to 11 days read the same in what Maré exposes, in
/// `OpenMetrics`' canonical form and in what Prometheus 3 makes of any other: `0.3`, `1.0`.
pub(super) fn bucket(limit: Duration) -> String {
    format!("{:?}", seconds(limit))
}

/// Without what binary fractions add to the twelfth digit: 0.05, not 1 - 0.95.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e12).round() / 1e12
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn a_limit_reads_as_the_bucket_on_the_metrics_page() {
        let limits = (1..20_000).chain([60_000, 300_000, 3_600_000, 86_400_000]).map(Duration::from_millis);
        let limits: Vec<Duration> = limits.collect();
        let mut registry = Registry::default();
        registry.register("x", "x", Histogram::new(limits.iter().map(|limit| seconds(*limit))));
        let mut page = String::new();
        encode(&mut page, &registry).expect("writes");
        let buckets = page.lines().filter_map(|line| line.strip_prefix("x_bucket{le=\"")?.split('"').next());
        for (text, limit) in buckets.zip(&limits) {
            assert_eq!(bucket(*limit), text);
        }
        assert_eq!([300, 1000].map(|ms| bucket(Duration::from_millis(ms))), ["0.3", "1.0"]);
    }

    #[test]
    fn a_label_is_quoted() {
        let selector = Selector::default().with("job", r#"a"b\c"#).with("le", "0.3");
        assert_eq!(selector.to_string(), r#"{job="a\"b\\c",le="0.3"}"#);
    }
}
