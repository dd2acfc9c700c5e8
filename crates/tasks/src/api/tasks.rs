//! What the API does with tasks.

use prost::Message;

use super::convert::task::{self, Draft};
use super::fault::Fault;
use super::queues::PAGE_BYTES;
use super::{Shared, page};
use crate::model::QueueName;
use crate::proto::v2;
use crate::proto::v2::task::View;
use crate::store::{self, NewTask, Slice};

/// The real service's largest page, and the size of one when none is asked for.
const PAGE_MAX: usize = 1000;

/// Tasks read from the store at once. Each may have a body of 1 MiB, which only FULL shows.
const PIECE_BASIC: usize = 32;
const PIECE_FULL: usize = 4;

impl Shared {
    pub(super) async fn tasks_of(
        &self,
        request: v2::ListTasksRequest,
    ) -> Result<v2::ListTasksResponse, Fault> {
        let v2::ListTasksRequest { parent, response_view, page_size, page_token } = request;
        let queue = QueueName::parse(&parent)?;
        let view = task::read_view(response_view)?;
        let wanted = page::size(page_size, PAGE_MAX)?;
        let piece = if view == View::Full { PIECE_FULL } else { PIECE_BASIC };
        let scope = format!("tasks of {queue}");
        let mut after = page::after(&page_token, &scope, self.now())?;
        let mut answer = v2::ListTasksResponse::default();
        let mut bytes = 0;
        loop {
            let size = piece.min(wanted - answer.tasks.len());
            let found = self.store.tasks(&queue, Slice { after, size }).await?;
            answer.tasks.extend(found.items.iter().map(|found| {
                let task = task::write(found, view);
                bytes += task.encoded_len();
                task
            }));
            after = found.next;
            if after.is_none() || answer.tasks.len() >= wanted || bytes >= PAGE_BYTES {
                break;
            }
        }
        answer.next_page_token =
            after.map(|after| page::token(&after, &scope, self.now())).unwrap_or_default();
        Ok(answer)
    }

    pub(super) async fn task_named(&self, request: v2::GetTaskRequest) -> Result<v2::Task, Fault> {
        let view = task::read_view(request.response_view)?;
        Ok(task::write(&self.store.task(&task::parse_name(&request.name)?).await?, view))
    }

    pub(super) async fn make_task(&self, request: v2::CreateTaskRequest) -> Result<v2::Task, Fault> {
        let view = task::read_view(request.response_view)?;
        let new = self.draft(request)?;
        let new = self.complete(new).await?;
        let created = self.store.create(vec![new]).await.pop().ok_or(Fault::Internal)?;
        Ok(task::write(&created?, view))
    }

    /// What can be said of it without asking the store.
    pub(super) fn draft(&self, request: v2::CreateTaskRequest) -> Result<Draft, Fault> {
        let queue = QueueName::parse(&request.parent)?;
        let wanted = request.task.ok_or_else(|| Fault::invalid("CreateTaskRequest.task is required."))?;
        task::read(&queue, wanted, self.now(), &self.config.targets)
    }

    /// Asks for the queue only where the task leaves something to it.
    pub(super) async fn complete(&self, draft: Draft) -> Result<NewTask, Fault> {
        let queue = if draft.needs_queue() { Some(self.store.queue(&draft.task.queue).await?) } else { None };
        draft.complete(queue.as_ref(), &self.config.targets)
    }

    pub(super) async fn remove_task(&self, name: &str) -> Result<(), Fault> {
        Ok(self.store.delete(&task::parse_name(name)?).await?)
    }

    /// Has the dispatcher attempt a task now, whatever its queue's state and limits.
    pub(super) async fn force_task(&self, request: v2::RunTaskRequest) -> Result<v2::Task, Fault> {
        let view = task::read_view(request.response_view)?;
        let name = task::parse_name(&request.name)?;
        // The place first: a task leased with nobody to attempt it would rest until its lease ends.
        let place = self.forced.reserve().await.map_err(|_closed| Fault::Busy)?;
        let leased = match self.store.run(&name).await {
            // The real service does not tell how the task ended.
            Err(store::Error::TaskEnded) => return Err(Fault::NotFound),
            leased => leased?,
        };
        let answer = task::write(&leased.task, view);
        place.send(leased);
        Ok(answer)
    }
}
