//! Alerts on how fast an error budget is spent: the multi-window, multi-burn-rate rules of the SRE Workbook, chapter 5,
//! "Alerting on SLOs" (<https://sre.google/workbook/alerting-on-slos/>), in the variant with four rules.
//!
//! A rule fires when the budget burns at its factor over a long window, so that it matters, *and* over a short one, so
//! that it still does. Ratios come from counts.

use std::fmt;
use std::time::Duration;

use mare_manifest::units::duration_text;
use serde::{Deserialize, Serialize};

use crate::{Clause, Events, History, budget};

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Wake somebody: the budget ends within days.
    Page,
    /// Look at it this week.
    Ticket,
}

/// Two windows, and the burn rate that both must exceed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Rule {
    pub severity: Severity,
    pub factor: f64,
    pub long: Duration,
    /// A twelfth of `long`.
    pub short: Duration,
}

/// A rule that fires, and what made it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Burning {
    pub rule: Rule,
    /// [`Clause::target`]
    pub target: f64,
    pub long: Events,
    pub short: Events,
}

/// Severity, the share of the budget that is spent when the rule fires, and the factor. For 30 days this makes the
/// Workbook's windows: `long = share · window / factor`, that is 1 h, 6 h, 1 d and 3 d.
const RULES: [(Severity, f64, f64); 4] = [
    (Severity::Page, 0.02, 14.4),
    (Severity::Page, 0.05, 6.0),
    (Severity::Ticket, 0.10, 3.0),
    (Severity::Ticket, 0.10, 1.0),
];

/// The share of bad events that a rule demands at most. A P75 lets 25 % be slow, so no burn rate is above 4 and a
/// factor of 14.4 could never be reached; such a factor is lowered, and its windows grow with it. 0.8 leaves P95
/// (0.72 at 14.4) and all that is stricter as the Workbook has it.
const DEMANDED_MAX: f64 = 0.8;

/// The shortest long window. Its short window then is a minute, which several samples fall into.
const LONG_MIN: Duration = Duration::from_secs(12 * 60);

/// So many events of the long window must be bad before a rule fires. At ten, the true rate is above 48 % of the
/// measured one with 97.5 % confidence (Poisson: 4.8 of 10); with fewer, a night's single failure among five requests
/// would page somebody.
pub const BAD_MIN: u64 = 10;

/// What still counts as burning for a rule that fires already, relative to its factor; so one that hovers at its
/// limit does not come and go.
const HYSTERESIS: f64 = 0.9;

/// The rules for a clause of an objective with this window, the most urgent first.
///
/// For other windows than 30 days the factors stay, and with them what they mean; the rules' windows scale with the
/// objective's, so a rule always fires at the same share of the budget, and no rule's window is above a tenth of the
/// objective's. (Fixed windows with `factor = share · window / long` would ask for a burn below 1, which never ends a
/// budget, when the window is a week.) Below 7 days the first windows meet `LONG_MIN` and fire later than that
/// share; below two hours that floor is more than a tenth, and it ends at the objective's window itself.
pub fn rules(clause: &Clause, window: Duration) -> Vec<Rule> {
    let allowed = 1.0 - clause.target();
    let mut rules: Vec<Rule> = Vec::new();
    for (severity, share, factor) in RULES {
        let factor = if allowed > 0.0 { factor.min(DEMANDED_MAX / allowed) } else { factor };
        let minutes = (share * window.as_secs_f64() / factor / 60.0).round();
        let long = Duration::from_secs_f64(minutes * 60.0).max(LONG_MIN).min(window);
        let rule = Rule { severity, factor, long, short: long / 12 };
        // Of two with the same windows and urgency, the lower factor says all.
        rules.retain(|other| !(other.severity == severity && other.long == long));
        rules.push(rule);
    }
    rules
}

/// The rules that burn now. `before` is what this returned last time (nothing at first): what burned then goes on until
/// either window is below nine tenths of the factor. A short window without any events shows no recovery, so it
/// keeps what burns and starts nothing.
pub fn evaluate(
    clause: &Clause,
    window: Duration,
    history: &History,
    now: u64,
    before: &[Burning],
) -> Vec<Burning> {
    let target = clause.target();
    let burning = |rule: Rule| {
        let (long, short) = (history.counts(rule.long, now), history.counts(rule.short, now));
        let already = before.iter().any(|burning| burning.rule == rule);
        let limit = if already { rule.factor * HYSTERESIS } else { rule.factor };
        let above = |events| budget::burn_rate(target, events).map(|rate| rate > limit);
        let fires = long.bad() >= BAD_MIN && above(long) == Some(true) && above(short).unwrap_or(already);
        fires.then_some(Burning { rule, target, long, short })
    };
    rules(clause, window).into_iter().filter_map(burning).collect()
}

impl Burning {
    /// Over the long window.
    pub fn rate(&self) -> f64 {
        budget::burn_rate(self.target, self.long).unwrap_or(0.0)
    }
}

/// `burns 17x: 25.3 % of requests in 1h and 31 % in 5m were bad, 21.6 % is the limit`
impl fmt::Display for Burning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |ratio: f64| (ratio * 1000.0).round() / 10.0;
        let bad =
            |events: Events| events.bad_ratio().map_or("none".to_owned(), |r| format!("{} %", percent(r)));
        let Rule { factor, long, short, .. } = self.rule;
        let limit = percent(factor * (1.0 - self.target));
        if self.target < 1.0 {
            write!(f, "burns {:.0}x: ", self.rate())?;
        }
        let (in_long, in_short) = (bad(self.long), bad(self.short));
        let (long, short) = (duration_text(long), duration_text(short));
        write!(
            f,
            "{in_long} of requests in {long} and {in_short} in {short} were bad, {limit} % is the limit"
        )
    }
}

#[cfg(test)]
mod tests;
