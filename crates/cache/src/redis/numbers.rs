//! Purges and numbers, as all gateways see them.
//!
//! - A fill reads the sequence before the service is asked. That is its entry's number.
//! - A purge takes the next number and writes it into the record of each of its tags, at once.
//! - Storing an entry makes the records that its tags lack, of the number reached *then*: a record that was evicted
//!   while the fill was under way may have been of a purge, and one of the fill's own number would hide that.
//! - An entry is live if its epoch is still that of the sequence, and each of its tags has a record, none newer than it.

use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::time::{Instant, timeout_at};

use super::Redis;
use super::keys::Name;
use super::link::{Away, Errand, Line, Link, Replies};
use super::scripts::Script;
use crate::key::KeyBuffer;
use crate::memory::Entry;
use crate::purge::Purge;
use crate::tags::{Number, Tag};

/// Records are kept for so long after they were last written or needed; entries that rely on them die with them.
pub(super) const RECORD_TTL: Duration = Duration::from_hours(24);

/// How long a purge is tried before it is given up.
pub(crate) const PURGE_PATIENCE: Duration = Duration::from_secs(1);

/// Tags in one call of a script.
const TAGS_MAX: usize = 1000;

/// What a fill knows before the service is asked.
pub(crate) struct Begun {
    pub(crate) number: Number,
    /// If what it would revalidate has outlived all purges so far.
    pub(crate) is_old_live: bool,
    /// What is stored where it was looked for.
    pub(crate) stored: Option<Vec<u8>>,
}

impl Redis {
    /// Before the service is asked: the number. `tags` will be those of the answer whatever it says; `key` is looked up
    /// along with it.
    pub(crate) async fn begin(
        &self,
        deadline: Instant,
        tags: &[Tag],
        old: Option<&Entry>,
        key: Option<&[u8]>,
    ) -> Result<Begun, Away> {
        let link = &self.link;
        let build = |line: &Line, commands: &mut Pipeline| {
            link.note(line, commands, tags);
            if let Some(old) = old {
                link.read(commands, old.tags());
            }
            if let Some(key) = key {
                commands.cmd("GET").arg(link.keys.entry(key));
            }
        };
        let mut replies = link.exchange(deadline, build).await?;
        let number = link.number(&mut replies)?;
        let is_old_live = match old.map(|old| (old, replies.values.next())) {
            None => true,
            Some((old, records)) => old.recorded.is_some_and(|recorded| {
                recorded.epoch == number.epoch && is_live(recorded.sequence, records.as_ref())
            }),
        };
        Ok(Begun { number, is_old_live, stored: bytes(replies.values.next()) })
    }

    /// If an entry of this number has outlived all purges of its tags.
    pub(crate) async fn is_live(
        &self,
        deadline: Instant,
        number: Number,
        tags: &[Tag],
    ) -> Result<bool, Away> {
        let link = &self.link;
        let build = |_line: &Line, commands: &mut Pipeline| {
            commands.cmd("HGET").arg(link.keys.sequence()).arg("e");
            link.read(commands, tags);
        };
        let mut replies = link.exchange(deadline, build).await?;
        let life = replies.values.next();
        // No sequence: Redis has forgotten all.
        let Some(life) = life.as_ref().and_then(integer) else { return Ok(false) };
        let is_same = link.epoch(&replies, life) == number.epoch;
        Ok(is_same && is_live(number.sequence, replies.values.next().as_ref()))
    }

    /// What is stored under a key.
    pub(crate) async fn fetch(&self, deadline: Instant, key: &[u8]) -> Result<Option<Vec<u8>>, Away> {
        let build = |_line: &Line, commands: &mut Pipeline| {
            commands.cmd("GET").arg(self.link.keys.entry(key));
        };
        let mut replies = self.link.exchange(deadline, build).await?;
        Ok(bytes(replies.values.next()))
    }

    /// Sees that the tags of an entry have records, and stores what is given, by key and for a time. False: what was
    /// known when the entry's number was taken is forgotten.
    pub(crate) async fn record(
        &self,
        number: Number,
        tags: &[Tag],
        stored: &[(KeyBuffer, Vec<u8>)],
        ttl: Duration,
    ) -> Result<bool, Away> {
        let link = &self.link;
        let ttl_ms = u64::try_from(ttl.min(RECORD_TTL).as_millis()).unwrap_or(u64::MAX);
        let build = |line: &Line, commands: &mut Pipeline| {
            link.note(line, commands, tags);
            // In their order: who finds the sign to an entry must find the entry.
            for (key, bytes) in stored {
                commands.cmd("SET").arg(link.keys.entry(key.as_bytes())).arg(bytes).arg("PX").arg(ttl_ms);
            }
        };
        let mut replies = link.exchange(link.deadline(), build).await?;
        Ok(link.number(&mut replies)?.epoch == number.epoch)
    }

    /// Sees that what is stored under a key is no longer found, soon.
    pub(crate) fn forget(&self, key: Box<[u8]>) {
        let redis = self.clone();
        self.send(Box::pin(async move {
            let build = |_line: &Line, commands: &mut Pipeline| {
                commands.cmd("DEL").arg(redis.link.keys.entry(&key));
            };
            let _ = redis.link.exchange(redis.link.deadline(), build).await;
        }));
    }

    /// Records a purge for all gateways. Tried for [`PURGE_PATIENCE`]; then it is owed: this gateway records it before
    /// it uses Redis again. Returns whether it is recorded.
    pub(crate) async fn purge(&self, purge: &Purge) -> bool {
        let link = &self.link;
        let deadline = Instant::now() + PURGE_PATIENCE;
        let attempts = async {
            loop {
                link.wait_until(true).await;
                if link.purge(purge).await.is_ok() {
                    return;
                }
            }
        };
        let is_recorded = timeout_at(deadline, attempts).await.is_ok();
        if !is_recorded {
            link.metrics.purges_lost.inc();
            tracing::warn!("a purge could not be recorded in redis: other gateways may serve what it ended");
            link.owe(purge.clone());
        }
        is_recorded
    }

    pub(crate) fn send(&self, errand: Errand) -> bool {
        self.link.send(errand)
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.link.deadline()
    }

    pub(crate) fn on_epoch(&self, call: Box<dyn Fn() + Send + Sync>) {
        self.link.on_epoch(call);
    }

    pub(crate) fn metrics(&self) -> &crate::metrics::redis::RedisMetrics {
        &self.link.metrics
    }
}

impl Link {
    async fn purge(&self, purge: &Purge) -> Result<(), Away> {
        let replies =
            self.exchange(self.deadline(), |line, commands| self.add_purge(line, commands, purge)).await?;
        self.numbers(replies)
    }

    /// The same, on a line that others do not use yet.
    pub(super) async fn record(&self, line: &Line, purge: &Purge) -> Result<(), Away> {
        let build = |line: &Line, commands: &mut Pipeline| self.add_purge(line, commands, purge);
        let replies = self.exchange_on(line.clone(), self.deadline(), build).await?;
        self.numbers(replies)
    }

    fn add_purge(&self, line: &Line, commands: &mut Pipeline, purge: &Purge) {
        match purge {
            Purge::All => line.call(commands, Script::PurgeAll, &[self.keys.sequence()], &[life()]),
            Purge::Tags(tags) => {
                for tags in tags.chunks(TAGS_MAX) {
                    line.call(commands, Script::Purge, &self.names(tags), &arguments());
                }
            }
        }
    }

    /// Begins the sequence if need be, and gives tags that have no record one.
    pub(super) fn note(&self, line: &Line, commands: &mut Pipeline, tags: &[Tag]) {
        line.call(commands, Script::Note, &self.names(tags), &arguments());
    }

    fn read(&self, commands: &mut Pipeline, tags: &[Tag]) {
        let command = commands.cmd("MGET");
        for tag in tags {
            command.arg(self.keys.record(tag));
        }
    }

    fn names(&self, tags: &[Tag]) -> Vec<Name> {
        std::iter::once(self.keys.sequence()).chain(tags.iter().map(|tag| self.keys.record(tag))).collect()
    }

    /// What a script says of the sequence.
    pub(super) fn number(&self, replies: &mut Replies) -> Result<Number, Away> {
        let Some(Value::Array(said)) = replies.values.next() else { return Err(self.misunderstood()) };
        match said.iter().map(integer).collect::<Vec<_>>()[..] {
            [Some(life), Some(sequence)] => Ok(Number { epoch: self.epoch(replies, life), sequence }),
            _ => Err(self.misunderstood()),
        }
    }

    fn numbers(&self, mut replies: Replies) -> Result<(), Away> {
        while replies.values.len() > 0 {
            self.number(&mut replies)?;
        }
        Ok(())
    }
}

/// A name for a life of the sequence, should it have to begin, and how long records are kept.
fn arguments() -> [String; 2] {
    [life(), RECORD_TTL.as_secs().to_string()]
}

fn life() -> String {
    fastrand::u64(..).to_string()
}

/// A missing record counts as a purge.
fn is_live(sequence: u64, records: Option<&Value>) -> bool {
    let Some(Value::Array(records)) = records else { return false };
    records.iter().all(|record| integer(record).is_some_and(|purged| purged <= sequence))
}

fn integer(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn bytes(value: Option<Value>) -> Option<Vec<u8>> {
    match value {
        Some(Value::BulkString(bytes)) => Some(bytes),
        _ => None,
    }
}
