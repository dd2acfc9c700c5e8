//! What the API does with queues.

use prost::Message;

use super::convert::queue;
use super::fault::Fault;
use super::{Shared, mask, page};
use crate::model::{QueueName, State};
use crate::proto::v2;
use crate::store::{self, Put, Slice};

/// The real service's largest page, and the size of one when none is asked for.
const PAGE_MAX: usize = 9800;

/// Queues read from the store at once.
const PIECE: usize = 100;

/// Queues looked at for one page: a filter that hardly any passes gives a short page and a token to go on.
const LOOKED_AT_MAX: usize = 20_000;

/// Bytes after which a page ends. gRPC clients take 4 MiB unless told otherwise.
pub(super) const PAGE_BYTES: usize = 3 * 1024 * 1024;

impl Shared {
    pub(super) async fn queues_of(
        &self,
        request: v2::ListQueuesRequest,
    ) -> Result<v2::ListQueuesResponse, Fault> {
        let v2::ListQueuesRequest { parent, filter, page_size, page_token } = request;
        check_parent(&parent)?;
        let wanted = page::size(page_size, PAGE_MAX)?;
        let state = parse_filter(&filter)?;
        let scope = format!("queues of {parent} where {filter}");
        let mut after = page::after(&page_token, &scope, self.now())?;
        let mut answer = v2::ListQueuesResponse::default();
        let (mut bytes, mut looked_at) = (0, 0);
        loop {
            let size = PIECE.min(wanted - answer.queues.len());
            let found = self.store.queues(&parent, Slice { after, size }).await?;
            looked_at += found.items.len();
            let is_meant = |queue: &&crate::model::Queue| state.is_none_or(|state| queue.state == state);
            let queues: Vec<_> = found.items.iter().filter(is_meant).map(queue::write).collect();
            bytes += queues.iter().map(Message::encoded_len).sum::<usize>();
            answer.queues.extend(queues);
            after = found.next;
            let is_full = answer.queues.len() >= wanted || bytes >= PAGE_BYTES || looked_at >= LOOKED_AT_MAX;
            if is_full || after.is_none() {
                break;
            }
        }
        answer.next_page_token =
            after.map(|after| page::token(&after, &scope, self.now())).unwrap_or_default();
        Ok(answer)
    }

    pub(super) async fn queue_named(&self, name: &str) -> Result<v2::Queue, Fault> {
        Ok(queue::write(&self.store.queue(&QueueName::parse(name)?).await?))
    }

    pub(super) async fn make_queue(&self, request: v2::CreateQueueRequest) -> Result<v2::Queue, Fault> {
        check_parent(&request.parent)?;
        let wanted = request.queue.unwrap_or_default();
        let name = QueueName::parse(&wanted.name)?;
        if name.parent() != request.parent {
            return Err(Fault::OutsideParent);
        }
        let settings = queue::read(name, &wanted, &self.config.targets)?;
        Ok(queue::write(&self.store.put_queue(settings, Put::Create).await?))
    }

    /// Creates the queue if there is none. Fields outside the mask stay as they are; an empty mask means all.
    pub(super) async fn change_queue(&self, request: v2::UpdateQueueRequest) -> Result<v2::Queue, Fault> {
        let wanted = request.queue.unwrap_or_default();
        let name = QueueName::parse(&wanted.name)?;
        let paths = request.update_mask.map(|mask| mask.paths).unwrap_or_default();
        // Two updates of different fields must not undo each other.
        let _one_at_a_time = self.updates.lock().await;
        let current = match self.store.queue(&name).await {
            Ok(queue) if queue.settings.declared => return Err(declared(&name)),
            Ok(queue) => queue::write(&queue),
            Err(store::Error::NoQueue) => v2::Queue::default(),
            Err(error) => return Err(error.into()),
        };
        let merged = if paths.is_empty() { wanted } else { mask::merge(&current, &wanted, &paths)? };
        let settings = queue::read(name.clone(), &merged, &self.config.targets)?;
        match self.store.put_queue(settings, Put::Upsert).await {
            Err(store::Error::QueueIsDeclared) => Err(declared(&name)),
            put => Ok(queue::write(&put?)),
        }
    }

    pub(super) async fn remove_queue(&self, name: &str) -> Result<(), Fault> {
        let name = QueueName::parse(name)?;
        match self.store.delete_queue(&name).await {
            Err(store::Error::NoQueue) => Err(Fault::NotFound),
            Err(store::Error::QueueIsDeclared) => Err(declared(&name)),
            deleted => Ok(deleted?),
        }
    }

    pub(super) async fn empty_queue(&self, name: &str) -> Result<v2::Queue, Fault> {
        Ok(queue::write(&self.store.purge(&QueueName::parse(name)?).await?))
    }

    pub(super) async fn put_in_state(&self, name: &str, state: State) -> Result<v2::Queue, Fault> {
        Ok(queue::write(&self.store.set_state(&QueueName::parse(name)?, state).await?))
    }
}

fn declared(name: &QueueName) -> Fault {
    Fault::Declared { queue: name.to_string(), id: name.id().to_owned() }
}

/// `projects/P/locations/L`: what a queue could be below.
pub(super) fn check_parent(parent: &str) -> Result<(), Fault> {
    QueueName::below(parent, "any").map(drop).map_err(|_parent| {
        Fault::invalid("Parent must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>\".")
    })
}

/// `state: PAUSED`, also with `=`, also in quotes; empty: all.
fn parse_filter(filter: &str) -> Result<Option<State>, Fault> {
    if filter.trim().is_empty() {
        return Ok(None);
    }
    let (field, value) = filter.split_once([':', '=']).unwrap_or((filter, ""));
    match (field.trim(), value.trim_matches([' ', '"', '\''])) {
        ("state", "RUNNING") => Ok(Some(State::Running)),
        ("state", "PAUSED") => Ok(Some(State::Paused)),
        _ => Err(Fault::invalid("The filter must be `state: RUNNING` or `state: PAUSED`.")),
    }
}
