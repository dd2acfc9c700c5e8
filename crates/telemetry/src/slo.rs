//! Live evaluation: are the objectives met, how fast do their budgets burn, and who must be told.
//!
//! ```text
//!   gateway's counters ─Source─► Service::run (every 10 s) ─► Board ─► Report ─► Handle (/api/slo, `mare status`)
//!                                    │                                 └─► gauges
//!                                    ├─► alert::policy ─► Outbox
//!                                    └─► Store: slo.json, every minute and at the end
//! ```

mod board;
mod metrics;
mod report;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use mare_manifest::Manifest;
pub use mare_slo::Tally;
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::Body;
use crate::alert::outbox::{Channels, Outbox};
use crate::alert::policy::{Firing, Patience};
use board::Board;
use metrics::Metrics;
pub use report::{AlertReport, BurnRate, ClauseReport, ObjectiveReport, Report};
use store::{Kept, Store};

/// A crash forgets at most this much of what was counted.
const SAVE_EVERY: Duration = Duration::from_mins(1);

/// What an objective's requests came to since the process began.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub tally: Tally,
    /// Of each latency limit, in the objective's order: how many requests took at most that long.
    pub within: Vec<u64>,
}

/// Everything that is counted, by the manifest's names; never decreases.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub objectives: BTreeMap<String, Counts>,
    /// How many requests were slower than a rule allows.
    pub slow: BTreeMap<String, u64>,
}

pub type Source = Box<dyn Fn() -> Snapshot + Send>;

pub struct Config {
    /// Kept in the data directory; made if it is not there.
    pub file: PathBuf,
    pub channels: Channels,
}

/// Evaluates until it is told to end.
pub struct Service {
    board: Board,
    firing: Firing,
    patience: Patience,
    every: Duration,
    store: Store,
    outbox: Outbox,
    metrics: Metrics,
    report: watch::Sender<Arc<Report>>,
}

/// The latest [`Report`].
#[derive(Clone, Debug)]
pub struct Handle(watch::Receiver<Arc<Report>>);

impl Service {
    /// Reads what was kept, and starts the tasks that send alerts: needs a runtime.
    pub fn new(manifest: &Manifest, config: Config, registry: &mut Registry) -> (Self, Handle) {
        let store = Store::new(config.file);
        let Kept { histories, alerts } = store.load();
        let (report, latest) = watch::channel(Arc::default());
        let service = Self {
            board: Board::new(manifest, histories, Timestamp::now()),
            firing: alerts,
            patience: Patience { clear: manifest.alerts.clear, repeat: manifest.alerts.repeat },
            every: manifest.alerts.every,
            store,
            outbox: Outbox::start(config.channels, registry),
            metrics: Metrics::register(registry),
            report,
        };
        (service, Handle(latest))
    }

    /// Evaluates what `counts` says, once more when it ends, and keeps what it knows.
    pub async fn run(mut self, counts: Source, shutdown: CancellationToken) {
        let mut tick = interval(self.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut saved = Instant::now();
        while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
            self.evaluate(Timestamp::now(), &counts());
            if saved.elapsed() >= SAVE_EVERY {
                self.save().await;
                saved = Instant::now();
            }
        }
        self.evaluate(Timestamp::now(), &counts());
        self.save().await;
        self.outbox.finish().await;
    }

    fn evaluate(&mut self, now: Timestamp, counts: &Snapshot) {
        let conditions = self.board.evaluate(now, counts);
        for notice in self.firing.step(now, conditions, self.patience) {
            self.outbox.take(notice);
        }
        let report = self.board.report(now, &self.firing);
        self.metrics.show(&report, self.board.alerts(), &self.firing);
        self.report.send_replace(Arc::new(report));
    }

    async fn save(&self) {
        let kept = Kept { histories: self.board.histories(), alerts: self.firing.clone() };
        self.store.save(kept).await;
    }
}

impl Handle {
    pub fn report(&self) -> Arc<Report> {
        Arc::clone(&self.0.borrow())
    }

    /// Answers `/api/slo`.
    pub fn respond(&self) -> Response<Body> {
        // A report is plain data with text for keys.
        let text = serde_json::to_string(&*self.report()).expect("it serializes");
        let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
