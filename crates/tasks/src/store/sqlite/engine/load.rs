use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Row;

use super::{Engine, Kept, Leasing};
use crate::model::{Queue, QueueName, State};
use crate::store::encoding;
use crate::store::sqlite::leases::Held;
use crate::store::sqlite::rows::{self, Stored};

/// A task as the order of its queue sees it.
struct Standing {
    created: u64,
    queue: i64,
    schedule_time: Timestamp,
    priority: i16,
    key: String,
    /// An attempt of it began and has no outcome.
    is_under_way: bool,
}

impl Engine {
    /// Builds the memory's part anew as of the last commit.
    pub(super) fn load_again(&mut self) -> rusqlite::Result<()> {
        let before = std::mem::take(&mut self.queues);
        let mut paces = Vec::with_capacity(before.len());
        for (name, kept) in before {
            paces.push((name.clone(), kept.pace));
            self.held.insert(name, kept.leases.into_held());
        }
        for leasing in std::mem::take(&mut self.leasing).into_iter().rev() {
            match leasing {
                Leasing::Made(queue, created) => {
                    self.held.entry(queue).or_default().remove(&created);
                }
                Leasing::Removed(queue, created, held) => {
                    self.held.entry(queue).or_default().insert(created, *held);
                }
            }
        }
        self.load()?;
        for (name, pace) in paces {
            if let Some(kept) = self.queues.get_mut(&name) {
                kept.pace = pace;
            }
        }
        Ok(())
    }

    /// Reads everything. What is in `self.held` and still on disk stays leased.
    pub(super) fn load(&mut self) -> rusqlite::Result<()> {
        let now = self.clock.now();
        self.created = self.disk.query_row(
            "SELECT max(ifnull((SELECT max(created) FROM task), 0), ifnull((SELECT max(created) FROM dead), 0))",
            (),
            |row| row.get(0),
        )?;
        let mut queues = self.load_queues(now)?;
        let mut lost = Vec::new();
        let mut statement = self
            .disk
            .prepare("SELECT created, queue, schedule_time, priority, fairness_key, progress FROM living")?;
        let mut standings = statement.query(())?;
        while let Some(row) = standings.next()? {
            let standing = standing(row)?;
            let Some(kept) = queues.get_mut(&standing.queue) else { continue };
            let Standing { created, schedule_time, priority, ref key, is_under_way, .. } = standing;
            if let Some(leased) = self.held.get(&kept.queue.settings.name).and_then(|held| held.get(&created))
            {
                kept.leases.insert(created, leased.clone());
                continue;
            }
            kept.backlog.insert(created, schedule_time, priority, key);
            if is_under_way {
                lost.push((standing.queue, created));
            }
        }
        drop(standings);
        drop(statement);
        for (queue, created) in lost {
            let token = self.next_token();
            if let Some(kept) = queues.get_mut(&queue)
                && let Some(stored) = rows::by_creation(&self.disk, &kept.queue.settings.name, created)?
            {
                let Stored { created, named, task } = stored;
                let before = task.progress.clone();
                kept.leases.insert_ended(created, Held { token, ends: now, before, task, named });
            }
        }
        self.queues = queues.into_values().map(|kept| (kept.queue.settings.name.clone(), kept)).collect();
        self.held.clear();
        self.is_stale = false;
        Ok(())
    }

    fn load_queues(&mut self, now: Timestamp) -> rusqlite::Result<BTreeMap<i64, Kept>> {
        const BLOCKED: &str = "SELECT name, until FROM blocked";
        const QUEUES: &str = "SELECT id, settings, paused, purged_at, forgotten, \
            (SELECT count(*) FROM dead WHERE dead.queue = queue.id) FROM queue";
        let mut statement = self.disk.prepare(BLOCKED)?;
        let blocked = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, rows::time(row, 1)?)))?;
        let blocked: Vec<_> = blocked.collect::<Result<_, _>>()?;
        self.blocked = blocked
            .into_iter()
            .filter_map(|(name, until)| Some((QueueName::parse(&name).ok()?, until)))
            .collect();
        drop(statement);
        let mut statement = self.disk.prepare(QUEUES)?;
        let queues = statement.query_map((), |row| {
            let settings = encoding::read_settings(row.get_ref(1)?.as_blob()?)
                .map_err(|error| rows::unreadable(1, error))?;
            let state = if row.get(2)? { State::Paused } else { State::Running };
            let purged_at =
                if row.get::<_, Option<i64>>(3)?.is_some() { Some(rows::time(row, 3)?) } else { None };
            let queue = Queue { settings, state, purged_at };
            let kept =
                Kept { forgotten: row.get(4)?, dead: row.get(5)?, ..Kept::new(row.get(0)?, queue, now) };
            Ok((kept.id, kept))
        })?;
        queues.collect()
    }

    /// Queues that were found with a backlog begin slowly: their targets may be starting, too.
    pub(super) fn start_slowly(&mut self) {
        let now = self.clock.now();
        for kept in self.queues.values_mut().filter(|kept| kept.backlog.len() > 0) {
            kept.pace.resume(&kept.queue.settings.limits, now);
        }
    }
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let is_under_way = match row.get_ref(5)? {
        rusqlite::types::ValueRef::Null => false,
        bytes => {
            let progress =
                encoding::read_progress(bytes.as_blob()?).map_err(|error| rows::unreadable(5, error))?;
            progress.last_attempt.is_some_and(|attempt| attempt.outcome.is_none())
        }
    };
    Ok(Standing {
        created: row.get(0)?,
        queue: row.get(1)?,
        schedule_time: rows::time(row, 2)?,
        priority: row.get(3)?,
        key: row.get(4)?,
        is_under_way,
    })
}
