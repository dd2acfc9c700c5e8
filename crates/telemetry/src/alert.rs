//! Alerts: when to tell somebody, and how.
//!
//! ```text
//!   slo::Service ─conditions─► policy::Firing::step ─notices─► log
//!                                                    └────────► Outbox ─bounded queue each─► Post::run ─► webhook
//!                                                                                                      ─► Slack
//!                                                                                                      ─► mail
//! ```
//!
//! [`policy`] decides and knows no clock; [`outbox`] sends, each channel at its own pace, so that one which hangs
//! holds nobody up.

mod channel;
pub mod outbox;
pub mod policy;

use jiff::Timestamp;
use mare_slo::burn::Severity;

/// Something that is wrong now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// `read/p95` for a clause of an objective, the name of a slow rule.
    pub alert: String,
    pub severity: Severity,
    /// For people, in one line.
    pub reason: String,
}

/// What is to be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    pub alert: String,
    pub event: Event,
    pub severity: Severity,
    pub reason: String,
    /// When it began.
    pub since: Timestamp,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// It began, or became more urgent.
    Fired,
    /// It goes on, and nobody was told for a while.
    Repeated,
    Cleared,
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Repeated => "repeated",
            Self::Cleared => "cleared",
        }
    }
}

/// `page` or `ticket`.
pub fn severity_text(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "page",
        Severity::Ticket => "ticket",
    }
}

impl Notice {
    /// The line that says it all: `[shop] read/p95 fired (page): …`
    pub fn text(&self, app: &str) -> String {
        let Self { alert, reason, .. } = self;
        format!("[{app}] {alert} {} ({}): {reason}", self.event.as_str(), severity_text(self.severity))
    }

    pub(crate) fn log(&self) {
        let Self { alert, reason, since, .. } = self;
        let severity = severity_text(self.severity);
        match (self.event, self.severity) {
            (Event::Cleared, _) => tracing::info!(alert, severity, reason, %since, "alert cleared"),
            (Event::Fired, Severity::Page) => tracing::error!(alert, severity, reason, "alert fired"),
            (Event::Fired, Severity::Ticket) => tracing::warn!(alert, severity, reason, "alert fired"),
            (Event::Repeated, Severity::Page) => {
                tracing::error!(alert, severity, reason, %since, "alert goes on");
            }
            (Event::Repeated, Severity::Ticket) => {
                tracing::warn!(alert, severity, reason, %since, "alert goes on");
            }
        }
    }
}
