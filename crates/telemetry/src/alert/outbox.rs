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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use mare_manifest::model::Text;
    use mare_slo::burn::Severity;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::Event;
    use super::*;

    fn notice() -> Notice {
        let (alert, reason, at) = ("pix".to_owned(), "slow".to_owned(), Timestamp::UNIX_EPOCH);
        Notice { alert, event: Event::Fired, severity: Severity::Page, reason, since: at, at }
    }

    fn channels(url: String) -> Channels {
        let webhook = Some(Text::plain(url));
        Channels::new("shop", &Alerts { webhook, ..Alerts::default() }).expect("a URL")
    }

    #[tokio::test]
    async fn what_is_refused_for_good_is_not_tried_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        // Serves one connection only: a second attempt would wait in vain, and be told apart by its reason.
        let refusing = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            // An answer before its request would be none.
            while stream.read_u8().await.expect("it asks") != b'}' {}
            let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.expect("the client reads");
            (listener, stream)
        });
        let failure = send(&channels(url).channels[0], "shop", &notice()).await.expect_err("it refuses");
        assert_eq!(failure, Failure { reason: "it answered 404".to_owned(), is_permanent: true });
        drop(refusing.await);
    }

    #[tokio::test]
    async fn a_storm_is_dropped_and_counted_and_nobody_waits() {
        let mut registry = Registry::default();
        let outbox = Outbox::start(channels("http://127.0.0.1:1".to_owned()), &mut registry);
        // The task that sends does not run in between.
        for _ in 0..QUEUE + 3 {
            outbox.take(notice());
        }
        let dropped = Sent { channel: "webhook", outcome: "dropped" };
        assert_eq!(outbox.outcomes.get_or_create(&dropped).get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded() {
        // Port 1 is nobody's, and time passes by itself.
        let started = tokio::time::Instant::now();
        let failure = send(&channels("http://127.0.0.1:1".to_owned()).channels[0], "shop", &notice()).await;
        assert!(!failure.expect_err("nobody listens").is_permanent);
        assert!(started.elapsed() >= Duration::from_secs(15), "after 1, 2, 4 and 8 s");
    }
}
