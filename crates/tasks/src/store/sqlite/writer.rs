use std::fs::File;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use tokio::sync::watch;

use super::engine::Engine;
use super::line::Line;
use crate::store::{End, Error, Leased, Settlement};

/// Commands in one transaction. A commit costs some milliseconds; a thousand commands cost about ten.
const BATCH_MAX: usize = 1024;

/// Done by the writer, within its transaction.
pub(super) type Command = Box<dyn FnOnce(&mut Engine) -> Performed + Send>;

/// Tells the caller, once it is known whether the transaction is durable. May make another command.
pub(super) type Reply = Box<dyn FnOnce(Result<(), Error>) -> Option<Command> + Send>;

pub(super) struct Performed {
    pub(super) reply: Reply,
    /// The file could not be used: nothing of the batch may stay.
    pub(super) broken: Option<Error>,
}

/// What was committed and is not on the disk yet.
pub(super) struct Committed {
    replies: Vec<Reply>,
    /// Something may have become leasable.
    has_news: bool,
}

/// The writer's life: performs what comes until the line is closed. What waits, up to a bound, and what comes while the
/// batch before is on its way to the disk, becomes one transaction.
pub(super) fn run(mut engine: Engine, line: &Line, to_disk: &SyncSender<Committed>) {
    while let Some(first) = line.first() {
        let mut replies = Vec::new();
        let answer = match perform(&mut engine, first, line, &mut replies) {
            Ok(commit) if commit.has_written => {
                line.begin_sync();
                let committed = Committed { replies, has_news: commit.has_news };
                to_disk.send(committed).expect("the syncer ends after the writer");
                continue;
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        answer_all(replies, &answer, line);
    }
}

/// The syncer's life. There is at most one batch for it: the writer commits the next when this one is done.
pub(super) fn sync(log: &File, committed: &Receiver<Committed>, line: &Line, news: &watch::Sender<u64>) {
    while let Ok(Committed { replies, has_news }) = committed.recv() {
        let synced = log.sync_data().map_err(|error| Error::Database(format!("sync its log: {error}")));
        answer_all(replies, &synced, line);
        line.end_sync(synced.is_ok());
        if has_news && synced.is_ok() {
            news.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

/// What an answer leads to is in the line before the next is given.
fn answer_all(replies: Vec<Reply>, outcome: &Result<(), Error>, line: &Line) {
    let led_to = replies.into_iter().filter_map(|reply| reply(outcome.clone()));
    led_to.for_each(|command| line.push_first(command));
}

/// One batch, all or nothing.
fn perform(
    engine: &mut Engine,
    first: Command,
    line: &Line,
    replies: &mut Vec<Reply>,
) -> Result<super::engine::Commit, Error> {
    let mut unusable = engine.refresh().err();
    let mut next = Some(first);
    while let Some(command) = next {
        let Performed { reply, broken } = command(engine);
        replies.push(reply);
        unusable = unusable.or(broken);
        next = line.next(unusable.is_none() && replies.len() < BATCH_MAX);
    }
    match unusable.or_else(|| line.broken()) {
        None => engine.commit(),
        Some(error) => {
            tracing::error!(%error, "the task store cannot write");
            engine.give_up();
            Err(error)
        }
    }
}

/// Undoes leases whose caller went away before it got them.
pub(super) fn give_back(leased: Vec<Leased>) -> Command {
    Box::new(move |engine| {
        let end = |leased: Leased| Settlement {
            name: leased.task.name,
            token: leased.token,
            end: End::NotDelivered { wait: Duration::ZERO },
        };
        let settled = engine.settle(leased.into_iter().map(end).collect());
        let broken = match settled {
            Err(super::Failure::Broken(error)) => Some(super::schema::database(&error)),
            Ok(_) | Err(super::Failure::Refused(_)) => None,
        };
        Performed { reply: Box::new(|_committed| None), broken }
    })
}
