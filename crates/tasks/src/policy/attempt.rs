//! What an attempt makes of a task.

use jiff::Timestamp;

use super::backoff;
use crate::model::{Answer, Attempt, Outcome, Progress, Retry, Task};

/// What becomes of a task whose attempt ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Succeeded,
    Again(Timestamp),
    Dead,
}

/// The progress of `task` once another attempt has begun.
pub fn begun(task: &Task, now: Timestamp) -> Progress {
    Progress {
        dispatched: task.progress.dispatched.saturating_add(1),
        first_attempt: task.progress.first_attempt.or(Some(now)),
        last_attempt: Some(Attempt { scheduled: task.schedule_time, dispatched: now, outcome: None }),
        ..task.progress
    }
}

/// What the attempt before the one that begins was answered.
pub fn previous(progress: &Progress) -> Option<Outcome> {
    progress.last_attempt.as_ref()?.outcome.clone()
}

/// The progress once the attempt under way has ended like this.
pub fn ended(progress: &Progress, outcome: Outcome) -> Progress {
    let mut progress = progress.clone();
    if let Answer::Status { status, .. } = outcome.answer {
        progress.answered = progress.answered.saturating_add(1);
        if !(500..=599).contains(&status) {
            progress.executed = progress.executed.saturating_add(1);
        }
    }
    if let Some(attempt) = &mut progress.last_attempt {
        attempt.outcome = Some(outcome);
    }
    progress
}

/// What becomes of a task with this progress after this answer. `queue` is the queue's retry rule, which the task's
/// own overrides.
pub fn verdict(task: &Task, queue: &Retry, answer: &Answer, now: Timestamp) -> Verdict {
    let retry = task.spec.retry.as_ref().unwrap_or(queue);
    if answer.is_success() {
        Verdict::Succeeded
    } else if backoff::is_exhausted(retry, &task.progress, now) {
        Verdict::Dead
    } else {
        Verdict::Again(backoff::retry_at(retry, &task.progress, answer, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_counted_like_cloud_tasks_counts_them() {
        let mut progress = Progress::default();
        let mut seen = Vec::new();
        for status in [503, 404, 429, 500, 302, 200] {
            seen.push(progress.executed);
            let answer = Answer::Status { status, retry_after: None };
            progress = ended(&progress, Outcome { at: Timestamp::UNIX_EPOCH, answer });
        }
        // As recorded from the real service.
        assert_eq!(seen, [0, 0, 1, 2, 2, 3]);
        assert_eq!(progress.answered, 6);
        let unanswered = ended(&progress, Outcome { at: Timestamp::UNIX_EPOCH, answer: Answer::Deadline });
        assert_eq!((unanswered.answered, unanswered.executed), (6, 4));
    }
}
