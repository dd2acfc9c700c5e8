//! What `/api/slo` says, and `mare status` reads.

use jiff::Timestamp;
use mare_slo::burn::Severity;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Report {
    /// `None` before the first evaluation.
    pub evaluated_at: Option<Timestamp>,
    /// By name.
    pub objectives: Vec<ObjectiveReport>,
    /// Those that fire, by name.
    pub alerts: Vec<AlertReport>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ObjectiveReport {
    pub name: String,
    /// `GET /api/items`, or `service api`.
    pub on: String,
    /// `30d`
    pub window: String,
    /// Counted within the window, or since counting began.
    pub requests: u64,
    pub clauses: Vec<ClauseReport>,
}

/// One limit, over the objective's window.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClauseReport {
    /// `p95`, `errors` or `availability`.
    pub clause: String,
    /// `P95 ≤ 300ms`
    pub limit: String,
    /// The share of requests that must be good.
    pub target: f64,
    pub good: u64,
    pub total: u64,
    /// The share that was. `None` without requests.
    pub measured: Option<f64>,
    pub met: bool,
    /// 1 when nothing was bad, 0 when the budget is spent, negative when it is overspent.
    pub budget_left: f64,
    /// If it goes on burning as over the longest of the windows below; `None` if nothing burns.
    pub exhausted_in_seconds: Option<u64>,
    /// By window, the shortest first.
    pub burn_rates: Vec<BurnRate>,
}

/// How many times faster than allowed the budget is spent. 0 without requests.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BurnRate {
    /// `1h`
    pub window: String,
    pub rate: f64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AlertReport {
    pub alert: String,
    pub severity: Severity,
    pub reason: String,
    pub since: Timestamp,
}

impl ObjectiveReport {
    /// The limit with the least of its budget left.
    pub fn tightest(&self) -> Option<&ClauseReport> {
        self.clauses.iter().min_by(|one, other| one.budget_left.total_cmp(&other.budget_left))
    }
}
