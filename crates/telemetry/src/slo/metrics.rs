//! What evaluation measures: names, units, labels, meaning.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Report;
use crate::alert::policy::Firing;

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfClause {
    objective: String,
    clause: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfWindow {
    objective: String,
    clause: String,
    window: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfAlert {
    alert: String,
}

#[derive(Debug)]
pub(super) struct Metrics {
    budgets: Family<OfClause, Gauge<f64, AtomicU64>>,
    burns: Family<OfWindow, Gauge<f64, AtomicU64>>,
    alerts: Family<OfAlert, Gauge>,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics =
            Self { budgets: Family::default(), burns: Family::default(), alerts: Family::default() };
        registry.register(
            "mare_objective_budget_left_ratio",
            "What is left of an error budget over its window: 1 is all, below 0 is overspent",
            metrics.budgets.clone(),
        );
        registry.register(
            "mare_objective_burn_rate",
            "How many times faster than allowed an error budget is spent, over a window",
            metrics.burns.clone(),
        );
        registry.register("mare_alert_firing", "1 while an alert fires", metrics.alerts.clone());
        metrics
    }

    pub(super) fn show<'a>(&self, report: &Report, alerts: impl Iterator<Item = &'a str>, firing: &Firing) {
        for objective in &report.objectives {
            for clause in &objective.clauses {
                let (objective, name) = (objective.name.clone(), clause.clause.clone());
                let of_clause = OfClause { objective: objective.clone(), clause: name.clone() };
                self.budgets.get_or_create(&of_clause).set(clause.budget_left);
                for burn in &clause.burn_rates {
                    let (objective, clause, window) = (objective.clone(), name.clone(), burn.window.clone());
                    self.burns.get_or_create(&OfWindow { objective, clause, window }).set(burn.rate);
                }
            }
        }
        for alert in alerts {
            let of_alert = OfAlert { alert: alert.to_owned() };
            self.alerts.get_or_create(&of_alert).set(i64::from(firing.contains(alert)));
        }
    }
}
