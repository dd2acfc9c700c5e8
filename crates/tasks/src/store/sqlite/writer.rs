use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::engine::Engine;
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

/// Performs what comes until all senders are gone: what waits, up to a bound, in one transaction.
pub(super) fn run(mut engine: Engine, mut commands: mpsc::Receiver<Command>, news: &watch::Sender<u64>) {
    let mut replies = Vec::with_capacity(BATCH_MAX);
    let mut more: Vec<Command> = Vec::new();
    loop {
        let next = more.pop().or_else(|| commands.blocking_recv());
        let Some(first) = next else { return };
        let waiting = std::iter::from_fn(|| more.pop().or_else(|| commands.try_recv().ok()));
        let batch = std::iter::once(first).chain(waiting).take(BATCH_MAX);
        let done = perform(&mut engine, batch, &mut replies);
        let (outcome, has_news) = match done {
            Ok(has_news) => (Ok(()), has_news),
            Err(error) => (Err(error), false),
        };
        more.extend(replies.drain(..).filter_map(|reply| reply(outcome.clone())));
        if has_news {
            news.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

/// One batch, all or nothing. `Ok(true)`: something may have become leasable.
fn perform(
    engine: &mut Engine,
    batch: impl Iterator<Item = Command>,
    replies: &mut Vec<Reply>,
) -> Result<bool, Error> {
    let mut unusable = engine.refresh().err();
    for command in batch {
        let Performed { reply, broken } = command(engine);
        replies.push(reply);
        unusable = unusable.or(broken);
        if unusable.is_some() {
            break;
        }
    }
    match unusable {
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
