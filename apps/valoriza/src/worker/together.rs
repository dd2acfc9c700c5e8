//! Handles events that come at the same moment together.
//!
//! ```text
//!   push ──┐                          ┌─ one snapshot, one transaction ─┐
//!   push ──┼──► waiting ──(in turn)──►│  of all that wait               ├──► to each push its answer
//!   push ──┘    ▲                     └─────────────────────────────────┘
//!               └ fills while the batch before is written
//! ```
//!
//! A database writes its transactions to disk one after the other. With one for each event the disk would set the
//! pace, and a backlog would take as many syncs as it has events. An event that comes alone is handled at once.
//!
//! A batch that fails is taken apart and each event handled alone, so that one that cannot be handled now does not
//! hold up the others.

use std::sync::{Mutex, PoisonError};

use anyhow::anyhow;
use tokio::sync::oneshot;

use super::Event;
use crate::actions::Error;

/// Events of one transaction: enough that its sync to disk costs each of them little, few enough that other writers
/// do not wait longer than some ten milliseconds.
const BATCH_MAX: usize = 64;

/// Events of one subscription that wait, and whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Together {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    answer: oneshot::Sender<Result<(), Error>>,
}

impl Together {
    /// Handles `event` with `handle`, alone or with others. Whoever's turn it is does it for all that wait; should
    /// their push be broken off meanwhile, the others of the batch fail and come again.
    pub(super) async fn handle<F, Handled>(&self, event: Event, handle: F) -> Result<(), Error>
    where
        F: Fn(Vec<Event>) -> Handled,
        Handled: Future<Output = Result<(), Error>>,
    {
        let (answer, mut answered) = oneshot::channel();
        self.lock().push(Waiting { event, answer });
        // Ends: the oldest go first, so after some turns ours is among them.
        loop {
            let _turn = tokio::select! {
                biased;
                answer = &mut answered => {
                    return answer.unwrap_or_else(|_| Err(Error::Internal(anyhow!("finish a batch"))));
                }
                turn = self.turn.lock() => turn,
            };
            run(self.take(), &handle).await;
        }
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        let count = waiting.len().min(BATCH_MAX);
        waiting.drain(..count).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run<Handled>(batch: Vec<Waiting>, handle: &impl Fn(Vec<Event>) -> Handled)
where
    Handled: Future<Output = Result<(), Error>>,
{
    let (events, answers): (Vec<Event>, Vec<_>) = batch.into_iter().map(|it| (it.event, it.answer)).unzip();
    if events.len() > 1 {
        match handle(events.clone()).await {
            // Whoever does not wait for the answer any more is told no more.
            Ok(()) => return answers.into_iter().for_each(|answer| drop(answer.send(Ok(())))),
            Err(error) => tracing::debug!(%error, events = events.len(), "a batch is taken apart"),
        }
    }
    for (event, answer) in events.into_iter().zip(answers) {
        let _ = answer.send(handle(vec![event]).await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::sync::Notify;
    use tokio::task::JoinSet;
    use uuid::Uuid;

    use super::*;

    fn event(number: usize) -> Event {
        let (id, tenant) = (number.to_string(), Uuid::nil());
        Event { id, tenant, topic: String::new(), payload: json!({}), trace_id: String::new() }
    }

    /// What was handled together, when all came while the first was handled; the event `wrong` cannot be.
    async fn batches(count: usize, wrong: Option<&'static str>) -> (Vec<Vec<String>>, usize) {
        let (together, seen) = (Arc::new(Together::default()), Arc::new(Mutex::new(Vec::new())));
        let (gate, mut pushes) = (Arc::new(Notify::new()), JoinSet::new());
        for number in 0..count {
            let (together, seen, gate) = (Arc::clone(&together), Arc::clone(&seen), Arc::clone(&gate));
            pushes.spawn(async move {
                let handle = async |events: Vec<Event>| {
                    let ids: Vec<String> = events.iter().map(|it| it.id.clone()).collect();
                    let is_wrong = ids.iter().any(|id| Some(id.as_str()) == wrong);
                    let is_first = ids == ["0"];
                    seen.lock().unwrap().push(ids);
                    if is_first {
                        gate.notified().await;
                    }
                    if is_wrong { Err(Error::Stale) } else { Ok(()) }
                };
                together.handle(event(number), handle).await
            });
            // On one thread, in order: it waits for its turn now.
            tokio::task::yield_now().await;
        }
        gate.notify_one();
        let failed = pushes.join_all().await.into_iter().filter(Result::is_err).count();
        (Arc::try_unwrap(seen).unwrap().into_inner().unwrap(), failed)
    }

    #[tokio::test]
    async fn what_comes_meanwhile_is_handled_together() {
        assert_eq!(batches(1, None).await, (vec![vec!["0".to_owned()]], 0));
        let (seen, failed) = batches(200, None).await;
        let sizes: Vec<usize> = seen.iter().map(Vec::len).collect();
        assert_eq!((sizes, failed), (vec![1, 64, 64, 64, 7], 0));
    }

    #[tokio::test]
    async fn one_that_fails_does_not_hold_up_the_others() {
        let (seen, failed) = batches(4, Some("2")).await;
        assert_eq!(failed, 1);
        let expected: [&[&str]; 5] = [&["0"], &["1", "2", "3"], &["1"], &["2"], &["3"]];
        assert_eq!(seen, expected);
    }
}
