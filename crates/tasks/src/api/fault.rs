//! What the API refuses, in the words of the real service where these are known (recordings of it), and as
//! `google.rpc.Status` with details.

use std::borrow::Cow;

use prost::Message;
use tonic::{Code, Status};

use crate::model::BadName;
use crate::proto::{any, rpc};
use crate::store;
use crate::targets::Refusal;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum Fault {
    #[error("Queue already exists")]
    QueueExists,
    #[error("The queue cannot be created because a queue with this name existed too recently.")]
    QueueExistedRecently,
    #[error(
        "Queue name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>\"."
    )]
    QueueName,
    #[error("QUEUE_NAME must begin with PARENT.")]
    OutsideParent,
    #[error(
        "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize."
    )]
    NoQueue,
    #[error("Requested entity was not found.")]
    NotFound,
    #[error(
        "The task no longer exists, though a task with this name existed recently. The task either successfully \
         completed or was deleted."
    )]
    TaskEnded,
    #[error("Requested entity already exists")]
    TaskExists,
    /// "must between" is how the service says it.
    #[error(
        "Task ID \"{0}\" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_). \
         Task ID must between 1 and 500 characters."
    )]
    TaskId(String),
    #[error(
        "Task name must be formatted: \
         \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>\""
    )]
    TaskName,
    #[error(
        "The queue name from request ('{asked}') must be the same as the queue name in the named task ('{named}')."
    )]
    OtherQueue { asked: String, named: String },
    #[error(
        "The Task.scheduleTime, {0}, is too far in the future. Schedule time must be no more than 720h in the \
         future."
    )]
    TooFar(String),
    /// Any other argument.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    #[error(
        "{queue} is declared in mare.toml and changed there: edit [queues.{id}] and restart mare. It can be paused, \
         resumed and purged here."
    )]
    Declared { queue: String, id: String },
    #[error("{0}")]
    Target(#[from] Refusal),
    #[error("More is waiting to be written than the bound allows; try again.")]
    Busy,
    #[error("The request took longer than its deadline; what it asked for may have been done.")]
    TooLate,
    /// The cause is logged, not told.
    #[error("The store failed; what was asked may have been done.")]
    Internal,
    #[error("{0} is not implemented here.")]
    Unimplemented(Cow<'static, str>),
}

impl Fault {
    pub(super) fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(text.into())
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::QueueExists | Self::TaskExists => Code::AlreadyExists,
            Self::QueueExistedRecently | Self::Declared { .. } => Code::FailedPrecondition,
            Self::NoQueue | Self::NotFound | Self::TaskEnded => Code::NotFound,
            Self::QueueName
            | Self::OutsideParent
            | Self::TaskId(_)
            | Self::TaskName
            | Self::OtherQueue { .. }
            | Self::TooFar(_)
            | Self::Invalid(_)
            | Self::Target(_) => Code::InvalidArgument,
            Self::Busy => Code::Unavailable,
            Self::TooLate => Code::DeadlineExceeded,
            Self::Internal => Code::Internal,
            Self::Unimplemented(_) => Code::Unimplemented,
        }
    }

    /// Description and URL of the page that says more.
    fn help(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::QueueName => Some((
                "Definition of queue name",
                "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#Queue.FIELDS.name",
            )),
            Self::TaskId(_) => Some((
                "Definition of task ID",
                "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name",
            )),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> rpc::Status {
        let link = |(description, url): (&str, &str)| {
            let link = rpc::help::Link { description: description.to_owned(), url: url.to_owned() };
            any("google.rpc.Help", &rpc::Help { links: vec![link] })
        };
        rpc::Status {
            code: self.code() as i32,
            message: self.to_string(),
            details: self.help().map(link).into_iter().collect(),
        }
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let status = fault.status();
        if status.details.is_empty() {
            return Status::new(fault.code(), status.message);
        }
        let details = status.encode_to_vec().into();
        Status::with_details(fault.code(), status.message, details)
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoQueue => Self::NoQueue,
            store::Error::QueueExists => Self::QueueExists,
            store::Error::QueueExistedRecently => Self::QueueExistedRecently,
            // Where it can happen it is said with the queue's name.
            store::Error::QueueIsDeclared => Self::Declared { queue: "The queue".into(), id: "NAME".into() },
            store::Error::NoTask => Self::NotFound,
            store::Error::TaskEnded => Self::TaskEnded,
            store::Error::TaskExists => Self::TaskExists,
            store::Error::Busy => Self::Busy,
            store::Error::Database(error) => {
                tracing::error!(%error, "the store of tasks failed");
                Self::Internal
            }
        }
    }
}

impl From<BadName> for Fault {
    fn from(bad: BadName) -> Self {
        match bad {
            BadName::Queue => Self::QueueName,
            BadName::Task => Self::TaskName,
            // Where a task is named it is said with its id.
            BadName::TaskId => Self::TaskId(String::new()),
        }
    }
}
