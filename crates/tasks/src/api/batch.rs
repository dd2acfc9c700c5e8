//! Batches: many tasks in one request and one durable write, answered as an operation that is already done.

use std::collections::{BTreeMap, VecDeque};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::Shared;
use super::convert::task::{parse_name, read_view, write};
use super::fault::Fault;
use super::time::timestamp;
use crate::model::QueueName;
use crate::proto::longrunning::{Operation, operation};
use crate::proto::v2::batch_create_tasks_metadata::State as Made;
use crate::proto::v2::batch_delete_tasks_metadata::State as Removed;
use crate::proto::{any, rpc, v2};

const CREATE_MAX: usize = 100;
const DELETE_MAX: usize = 1000;

/// Deletions on their way to the store at once, which writes them together.
const DELETE_AT_ONCE: usize = 100;

/// Operations that can be asked for again, in number and in bytes. They are done when they are first answered, so
/// few ever ask; after a restart nobody can.
const KEPT_MAX: usize = 1000;
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The latest operations.
#[derive(Debug, Default)]
pub(super) struct Operations {
    kept: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    /// What was asked, if the client named the request and it is not to be done again.
    request: Option<String>,
    operation: Operation,
    bytes: usize,
}

impl Operations {
    fn find(&self, is_it: impl Fn(&Kept) -> bool) -> Option<Operation> {
        self.kept.iter().find(|kept| is_it(kept)).map(|kept| kept.operation.clone())
    }

    fn keep(&mut self, request: Option<String>, operation: Operation) {
        let bytes = prost::Message::encoded_len(&operation);
        self.bytes += bytes;
        self.kept.push_back(Kept { request, operation, bytes });
        while self.kept.len() > KEPT_MAX || self.bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.bytes;
        }
    }
}

/// What failed, by its place in the request.
type Failed = BTreeMap<i32, rpc::Status>;

impl Shared {
    pub(super) async fn make_tasks(&self, request: v2::BatchCreateTasksRequest) -> Result<Operation, Fault> {
        let queue = QueueName::parse(&request.parent)?;
        let total = count(request.requests.len(), CREATE_MAX, "BatchCreateTasksRequest.requests")?;
        let asked = request_key("create", &queue, &request.request_id);
        if let Some(done) = self.repeated(asked.as_deref()) {
            return Ok(done);
        }
        let started = self.now();
        let (mut failed, mut places, mut drafts) = (Failed::new(), Vec::new(), Vec::new());
        for (place, single) in (0..).zip(request.requests) {
            let view = read_view(single.response_view);
            let drafted = match (view, self.draft_in(&queue, single)) {
                (Ok(view), Ok(draft)) => self.complete(draft).await.map(|new| (view, new)),
                (Err(fault), _) | (_, Err(fault)) => Err(fault),
            };
            match drafted {
                Ok((view, new)) => {
                    places.push((place, view));
                    drafts.push(new);
                }
                Err(fault) => drop(failed.insert(place, fault.status())),
            }
        }
        let mut tasks = Vec::new();
        for ((place, view), created) in places.into_iter().zip(self.store.create(drafts).await) {
            match created {
                Ok(task) => tasks.push(write(&task, view)),
                Err(error) => drop(failed.insert(place, Fault::from(error).status())),
            }
        }
        let state = verdict(&failed, total, [Made::Succeeded, Made::PartiallySucceeded, Made::Failed]);
        let result = result(&failed, total, || {
            any("google.cloud.tasks.v2.BatchCreateTasksResponse", &v2::BatchCreateTasksResponse { tasks })
        });
        let metadata = v2::BatchCreateTasksMetadata {
            start_time: Some(timestamp(started)),
            end_time: Some(timestamp(self.now())),
            state: state.into(),
            failed_requests: failed,
        };
        let metadata = any("google.cloud.tasks.v2.BatchCreateTasksMetadata", &metadata);
        Ok(self.done(&queue, asked, metadata, result))
    }

    /// A request within a batch may leave its parent to the batch, but not name another.
    fn draft_in(
        &self,
        queue: &QueueName,
        mut single: v2::CreateTaskRequest,
    ) -> Result<super::convert::task::Draft, Fault> {
        if single.parent.is_empty() {
            single.parent = queue.to_string();
        }
        if single.parent != queue.as_str() {
            return Err(Fault::invalid("The parent of every request must be that of the batch."));
        }
        self.draft(single)
    }

    pub(super) async fn remove_tasks(
        &self,
        request: v2::BatchDeleteTasksRequest,
    ) -> Result<Operation, Fault> {
        let queue = QueueName::parse(&request.parent)?;
        let total = count(request.names.len(), DELETE_MAX, "BatchDeleteTasksRequest.names")?;
        let asked = request_key("delete", &queue, &request.request_id);
        if let Some(done) = self.repeated(asked.as_deref()) {
            return Ok(done);
        }
        let started = self.now();
        let mut failed = Failed::new();
        let mut under_way = JoinSet::new();
        for (place, name) in (0..).zip(request.names) {
            if under_way.len() >= DELETE_AT_ONCE {
                note(under_way.join_next().await, &mut failed);
            }
            let (store, queue) = (self.store.clone(), queue.clone());
            under_way.spawn(async move {
                let deleted = async {
                    let name = parse_name(&name)?;
                    if name.queue != queue {
                        let (asked, named) = (queue.to_string(), name.queue.to_string());
                        return Err(Fault::OtherQueue { asked, named });
                    }
                    Ok(store.delete(&name).await?)
                };
                (place, deleted.await)
            });
        }
        while let Some(deleted) = under_way.join_next().await {
            note(Some(deleted), &mut failed);
        }
        let state =
            verdict(&failed, total, [Removed::Succeeded, Removed::PartiallySucceeded, Removed::Failed]);
        let result = result(&failed, total, || any("google.protobuf.Empty", &()));
        let metadata = v2::BatchDeleteTasksMetadata {
            start_time: Some(timestamp(started)),
            end_time: Some(timestamp(self.now())),
            state: state.into(),
            failed_requests: failed,
        };
        let metadata = any("google.cloud.tasks.v2.BatchDeleteTasksMetadata", &metadata);
        Ok(self.done(&queue, asked, metadata, result))
    }

    pub(super) fn operation_named(&self, name: &str) -> Result<Operation, Fault> {
        self.operations.lock().find(|kept| kept.operation.name == name).ok_or(Fault::NotFound)
    }

    fn repeated(&self, request: Option<&str>) -> Option<Operation> {
        let request = request?;
        self.operations.lock().find(|kept| kept.request.as_deref() == Some(request))
    }

    fn done(
        &self,
        queue: &QueueName,
        request: Option<String>,
        metadata: prost_types::Any,
        result: operation::Result,
    ) -> Operation {
        let name = format!("{}/operations/{}", queue.parent(), Uuid::now_v7());
        // What failed as a whole changed nothing, and may be tried again under the same name.
        let request = request.filter(|_| matches!(result, operation::Result::Response(_)));
        let operation = Operation { name, metadata: Some(metadata), done: true, result: Some(result) };
        self.operations.lock().keep(request, operation.clone());
        operation
    }
}

fn count(given: usize, max: usize, field: &str) -> Result<usize, Fault> {
    if (1..=max).contains(&given) {
        Ok(given)
    } else {
        Err(Fault::invalid(format!("{field} must have 1 to {max} entries.")))
    }
}

fn request_key(what: &str, queue: &QueueName, id: &str) -> Option<String> {
    (!id.is_empty()).then(|| format!("{what} in {queue}: {id}"))
}

type Deleted = Result<(i32, Result<(), Fault>), tokio::task::JoinError>;

fn note(deleted: Option<Deleted>, failed: &mut Failed) {
    match deleted {
        Some(Ok((place, Err(fault)))) => drop(failed.insert(place, fault.status())),
        Some(Ok((_, Ok(())))) | None => {}
        Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// All, some or none.
fn verdict<T: Copy>(failed: &Failed, total: usize, [all, some, none]: [T; 3]) -> T {
    match failed.len() {
        0 => all,
        count if count == total => none,
        _ => some,
    }
}

/// Where nothing succeeded, the operation itself has failed, for the first of the reasons.
fn result(failed: &Failed, total: usize, response: impl FnOnce() -> prost_types::Any) -> operation::Result {
    match failed.first_key_value() {
        Some((_, first)) if failed.len() == total => operation::Result::Error(first.clone()),
        _ => operation::Result::Response(response()),
    }
}
