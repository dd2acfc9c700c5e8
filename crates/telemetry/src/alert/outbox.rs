//! Notices on their way out: one bounded queue and one loop for each channel.

use std::sync::Arc;
use std::time::Duration;

use mare_manifest::model::alert::Alerts;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Notice;
pub use super::channel::BuildError;
use super::channel::Channel;

/// Notices that wait for one channel. More at once than objectives have clauses is a storm nobody reads.
const QUEUE: usize = 64;

/// Spreads some 15 s of trying over what a restart of the other side takes.
const ATTEMPTS_MAX: u32 = 5;
const BACKOFF_FIRST: Duration = Duration::from_secs(1);

/// Longest single attempt, connecting included.
const SEND_MAX: Duration = Duration::from_secs(10);

/// How long the end waits for what is still queued.
const FLUSH_WAIT: Duration = Duration::from_secs(5);

/// Why an attempt failed. Never holds the address, which is a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// The same again would fail again.
    pub(super) is_permanent: bool,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Sent {
    channel: &'static str,
    outcome: &'static str,
}

/// Takes notices; nobody who tells one waits.
#[derive(Debug)]
pub struct Outbox {
    queues: Vec<(&'static str, mpsc::Sender<Arc<Notice>>)>,
    outcomes: Family<Sent, Counter>,
    sending: JoinSet<()>,
}

/// The loops that send, before they run.
#[derive(Debug)]
pub struct Channels {
    app: Arc<str>,
    channels: Vec<Channel>,
}

impl Channels {
    /// Fails for an address that is none. `app` stands in every message.
    pub fn new(app: &str, alerts: &Alerts) -> Result<Self, BuildError> {
        Ok(Self { app: app.into(), channels: Channel::all(alerts)? })
    }
}

impl Outbox {
    /// Starts a task for each channel; needs a runtime.
    pub(crate) fn start(channels: Channels, registry: &mut Registry) -> Self {
        let outcomes = Family::<Sent, Counter>::default();
        registry.register(
            "mare_alert_notifications",
            "Alerts told, by channel and outcome (sent, failed after all attempts, dropped from a full queue)",
            outcomes.clone(),
        );
        let (mut queues, mut sending) = (Vec::new(), JoinSet::new());
        for channel in channels.channels {
            let (sender, notices) = mpsc::channel(QUEUE);
            queues.push((channel.name(), sender));
            sending.spawn(send_all(channel, Arc::clone(&channels.app), notices, outcomes.clone()));
        }
        Self { queues, outcomes, sending }
    }

    pub(crate) fn take(&self, notice: Notice) {
        notice.log();
        let notice = Arc::new(notice);
        for (channel, queue) in &self.queues {
            if queue.try_send(Arc::clone(&notice)).is_err() {
                tracing::warn!(channel, alert = notice.alert, "an alert was not sent: too many wait already");
                self.outcomes.get_or_create(&Sent { channel, outcome: "dropped" }).inc();
            }
        }
    }

    /// Sends what is queued, if that takes no longer than a few seconds.
    pub(crate) async fn finish(self) {
        let Self { queues, mut sending, .. } = self;
        drop(queues);
        let all = async { while sending.join_next().await.is_some() {} };
        if timeout(FLUSH_WAIT, all).await.is_err() {
            tracing::warn!("alerts were still being sent at the end");
        }
    }
}

async fn send_all(
    channel: Channel,
    app: Arc<str>,
    mut notices: mpsc::Receiver<Arc<Notice>>,
    outcomes: Family<Sent, Counter>,
) {
    let name = channel.name();
    while let Some(notice) = notices.recv().await {
        let outcome = match send(&channel, &app, &notice).await {
            Ok(()) => "sent",
            Err(Failure { reason, .. }) => {
                tracing::error!(channel = name, alert = notice.alert, reason, "an alert could not be sent");
                "failed"
            }
        };
        outcomes.get_or_create(&Sent { channel: name, outcome }).inc();
    }
}

/// Tries until it succeeds, would fail again, or was tried often enough.
async fn send(channel: &Channel, app: &str, notice: &Notice) -> Result<(), Failure> {
    let mut pause = BACKOFF_FIRST;
    for attempt in 1.. {
        let failure = match timeout(SEND_MAX, channel.send(app, notice)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failure)) => failure,
            Err(_elapsed) => {
                Failure { reason: format!("no answer within {SEND_MAX:?}"), is_permanent: false }
            }
        };
        if failure.is_permanent || attempt == ATTEMPTS_MAX {
            return Err(failure);
        }
        let reason = failure.reason;
        tracing::warn!(
            channel = channel.name(),
            alert = notice.alert,
            attempt,
            reason,
            "sending an alert again"
        );
        sleep(pause).await;
        pause *= 2;
    }
    unreachable!("the last attempt returns")
}
