//! Tasks.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prost::Message;

use super::{http, retry};
use crate::api::fault::Fault;
use crate::api::time::{duration, in_pacific_time, parse_duration, parse_timestamp, timestamp};
use crate::model::{Answer, Attempt, HttpRequest, Outcome, Queue, QueueName, Retry, Spec, Target, Task};
use crate::proto::v2::task::{MessageType, View};
use crate::proto::{rpc, v2};
use crate::store::NewTask;
use crate::targets::{Targets, http_target};

/// Of the serialized task, as measured of the real service: 2^20 - 7.
const SIZE_MAX: usize = 1_048_569;

const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

const DEADLINE: Duration = Duration::from_mins(10);
const DEADLINE_MIN: Duration = Duration::from_secs(15);
const DEADLINE_MAX: Duration = Duration::from_mins(30);
const APP_ENGINE_DEADLINE_MAX: Duration = Duration::from_secs(24 * 3600 + 15);

/// As long as the ids the service makes, for measuring.
const ID_LENGTH: usize = 20;

/// A task as a client wants it, checked but for what only its queue can tell.
pub(in crate::api) struct Draft {
    pub(in crate::api) task: NewTask,
    /// Why its own URL will not do; the queue may have another.
    url: Result<Option<String>, Fault>,
    retry: Option<v2::RetryConfig>,
}

impl Draft {
    /// Whether [`Draft::complete`] must be told the queue.
    pub(in crate::api) fn needs_queue(&self) -> bool {
        self.url.is_err() || self.retry.is_some()
    }

    /// `queue` is the one it goes into, if it was needed.
    pub(in crate::api) fn complete(self, queue: Option<&Queue>, targets: &Targets) -> Result<NewTask, Fault> {
        let Self { mut task, mut url, retry } = self;
        if let (Err(_), Some(target)) = (&url, queue.and_then(|queue| queue.settings.target.as_ref())) {
            url = check_override(target, &task.spec.request, targets);
        }
        if let Some(url) = url? {
            task.spec.request.url = url;
        }
        if let Some(config) = retry {
            let of_queue = queue.map_or_else(Retry::default, |queue| queue.settings.retry);
            task.spec.retry = Some(retry::read(&config, &of_queue)?);
        }
        Ok(task)
    }
}

/// Whether a task may go where its queue sends it; its own URL stays as it is.
fn check_override(
    target: &Target,
    request: &HttpRequest,
    targets: &Targets,
) -> Result<Option<String>, Fault> {
    let Target::Override(bytes) = target else { return Ok(None) };
    let effective = http_target::apply(bytes, request.clone())
        .map_err(|error| Fault::invalid(format!("The queue's httpTarget cannot be read: {error}")))?;
    http::check_url(&effective.url, targets).map(|_stable| None)
}

pub(in crate::api) fn read(
    queue: &QueueName,
    mut task: v2::Task,
    now: Timestamp,
    targets: &Targets,
) -> Result<Draft, Fault> {
    let id = read_id(queue, &task.name)?;
    let dispatch_deadline = read_deadline(&task)?;
    let schedule_time = match task.schedule_time {
        None => None,
        Some(time) => Some(parse_timestamp(time, "Task.scheduleTime")?),
    };
    if let Some(time) = schedule_time.filter(|time| time.duration_since(now) > AHEAD_MAX) {
        return Err(Fault::TooFar(in_pacific_time(time)));
    }
    check_size(&mut task, queue, now)?;
    let request = match task.message_type {
        Some(MessageType::HttpRequest(request)) => request,
        Some(MessageType::AppEngineHttpRequest(_)) => {
            return Err(Fault::invalid("App Engine targets are not served here; use httpRequest."));
        }
        None => v2::HttpRequest::default(),
    };
    let url = http::check_url(&request.url, targets);
    let http::Wanted { request, priority, fairness_key } = http::read(request)?;
    // Checked now, known in full when the queue is.
    task.retry_config.map(|config| retry::read(&config, &Retry::default())).transpose()?;
    let spec = Spec { request, dispatch_deadline, retry: None, priority, fairness_key };
    let new = NewTask { queue: queue.clone(), id, spec, schedule_time };
    Ok(Draft { task: new, url, retry: task.retry_config })
}

fn read_id(queue: &QueueName, name: &str) -> Result<Option<String>, Fault> {
    if name.is_empty() {
        return Ok(None);
    }
    let parsed = parse_name(name)?;
    if parsed.queue != *queue {
        let (asked, named) = (queue.to_string(), parsed.queue.to_string());
        return Err(Fault::OtherQueue { asked, named });
    }
    Ok(Some(parsed.id.to_string()))
}

/// With the id in the error's text.
pub(in crate::api) fn parse_name(name: &str) -> Result<crate::model::TaskName, Fault> {
    let (queue, id) = name.split_once("/tasks/").ok_or(Fault::TaskName)?;
    let queue = QueueName::parse(queue).map_err(|_queue| Fault::TaskName)?;
    queue.task(id).map_err(|_id| Fault::TaskId(id.to_owned()))
}

fn read_deadline(task: &v2::Task) -> Result<Duration, Fault> {
    let Some(deadline) = task.dispatch_deadline else { return Ok(DEADLINE) };
    let (max, text) = match task.message_type {
        Some(MessageType::AppEngineHttpRequest(_)) => {
            (APP_ENGINE_DEADLINE_MAX, "Task.dispatchDeadline must be between [15s, 24h15s].")
        }
        _ => (DEADLINE_MAX, "Task.dispatchDeadline must be between [15s, 30m]."),
    };
    let deadline = parse_duration(deadline, "Task.dispatchDeadline").ok();
    let fits = deadline.filter(|deadline| (DEADLINE_MIN..=max).contains(deadline));
    let deadline = fits.ok_or_else(|| Fault::invalid(text))?;
    Ok(Duration::from_millis(u64::try_from(deadline.as_millis()).expect("at most a day")))
}

/// As the task will be stored: with what the service adds.
fn check_size(task: &mut v2::Task, queue: &QueueName, now: Timestamp) -> Result<(), Fault> {
    if task.name.is_empty() {
        task.name = format!("{queue}/tasks/{:0>ID_LENGTH$}", "");
    }
    // In whole seconds, as it is shown.
    task.create_time = Some(prost_types::Timestamp { seconds: now.as_second(), nanos: 0 });
    task.schedule_time.get_or_insert_with(|| timestamp(now));
    task.dispatch_deadline.get_or_insert_with(|| duration(DEADLINE));
    if task.encoded_len() > SIZE_MAX { Err(Fault::invalid("Task size too large")) } else { Ok(()) }
}

/// BASIC unless it says otherwise.
pub(in crate::api) fn read_view(number: i32) -> Result<View, Fault> {
    match View::try_from(number) {
        Ok(View::Full) => Ok(View::Full),
        Ok(View::Basic | View::Unspecified) => Ok(View::Basic),
        Err(_unknown) => Err(Fault::invalid("The response view must be BASIC or FULL.")),
    }
}

pub(in crate::api) fn write(task: &Task, view: View) -> v2::Task {
    let Spec { request, dispatch_deadline, retry, priority, fairness_key } = &*Arc::clone(&task.spec);
    let mut request = http::write(request, *priority, fairness_key);
    if view == View::Basic {
        request.body.clear();
    }
    let bounded = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let created = Timestamp::from_second(task.create_time.as_second()).unwrap_or(task.create_time);
    let first = |time| v2::Attempt { dispatch_time: Some(timestamp(time)), ..Default::default() };
    v2::Task {
        name: task.name.to_string(),
        message_type: Some(MessageType::HttpRequest(request)),
        schedule_time: Some(timestamp(task.schedule_time)),
        create_time: Some(timestamp(created)),
        dispatch_deadline: Some(duration(*dispatch_deadline)),
        dispatch_count: bounded(task.progress.dispatched),
        response_count: bounded(task.progress.answered),
        first_attempt: task.progress.first_attempt.map(first),
        last_attempt: task.progress.last_attempt.as_ref().map(write_attempt),
        view: view.into(),
        retry_config: retry.as_ref().map(retry::write),
    }
}

fn write_attempt(attempt: &Attempt) -> v2::Attempt {
    let answered = |outcome: &Outcome| matches!(outcome.answer, Answer::Status { .. }).then_some(outcome.at);
    v2::Attempt {
        schedule_time: Some(timestamp(attempt.scheduled)),
        dispatch_time: Some(timestamp(attempt.dispatched)),
        response_time: attempt.outcome.as_ref().and_then(answered).map(timestamp),
        response_status: attempt.outcome.as_ref().map(|outcome| write_answer(&outcome.answer)),
    }
}

fn write_answer(answer: &Answer) -> rpc::Status {
    let (code, said) = match answer {
        Answer::Status { status, .. } => (code_of(*status), format!("HTTP status code {status}")),
        Answer::Deadline => (4, "the dispatch deadline passed".to_owned()),
        Answer::Broken(why) => (14, why.clone()),
    };
    rpc::Status {
        code,
        message: format!("{}({code}): {said}", super::super::rest::code_name(code)),
        details: Vec::new(),
    }
}

/// The gRPC code of an HTTP status (google.rpc.Code).
fn code_of(status: u16) -> i32 {
    match status {
        200..=299 => 0,
        499 => 1,
        400 => 3,
        504 => 4,
        404 => 5,
        409 => 10,
        403 => 7,
        401 => 16,
        429 => 8,
        501 => 12,
        503 => 14,
        500 => 13,
        _ => 2,
    }
}
