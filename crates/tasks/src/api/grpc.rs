//! The methods, as gRPC calls them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response as HttpResponse};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::{Request, Response, Status};

use super::fault::Fault;
use super::{BoxError, PREFIXES, Shared};
use crate::model::State;
use crate::proto::location::locations_server::{Locations, LocationsServer};
use crate::proto::location::{GetLocationRequest, ListLocationsRequest, ListLocationsResponse, Location};
use crate::proto::longrunning::operations_server::{Operations, OperationsServer};
use crate::proto::longrunning::{GetOperationRequest, Operation};
use crate::proto::v2;
use crate::proto::v2::cloud_tasks_server::{CloudTasks, CloudTasksServer};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn respond(
    shared: &Arc<Shared>,
    request: http::Request<Bytes>,
) -> HttpResponse<UnsyncBoxBody<Bytes, BoxError>> {
    let response = call(shared, request.map(|body| Body::new(Full::new(body)))).await;
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// Calls the method the path names.
pub(super) async fn call(shared: &Arc<Shared>, request: http::Request<Body>) -> HttpResponse<Body> {
    let shared = Arc::clone(shared);
    let path = request.uri().path();
    let called = if path.starts_with(PREFIXES[1]) {
        CloudTasksServer::from_arc(shared).call(request).await
    } else if path.starts_with(PREFIXES[2]) {
        OperationsServer::from_arc(shared).call(request).await
    } else {
        LocationsServer::from_arc(shared).call(request).await
    };
    match called {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

pub(super) fn refuse(fault: Fault) -> HttpResponse<UnsyncBoxBody<Bytes, BoxError>> {
    let response: HttpResponse<Body> = Status::from(fault).into_http();
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// How long a gRPC client waits: `grpc-timeout`, at most eight digits and a unit.
pub(super) fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_hours(number)),
        "M" => Some(Duration::from_mins(number)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[tonic::async_trait]
impl CloudTasks for Shared {
    async fn list_queues(&self, request: Request<v2::ListQueuesRequest>) -> Answer<v2::ListQueuesResponse> {
        Ok(self.queues_of(request.into_inner()).await?.into())
    }

    async fn get_queue(&self, request: Request<v2::GetQueueRequest>) -> Answer<v2::Queue> {
        Ok(self.queue_named(&request.into_inner().name).await?.into())
    }

    async fn create_queue(&self, request: Request<v2::CreateQueueRequest>) -> Answer<v2::Queue> {
        Ok(self.make_queue(request.into_inner()).await?.into())
    }

    async fn update_queue(&self, request: Request<v2::UpdateQueueRequest>) -> Answer<v2::Queue> {
        Ok(self.change_queue(request.into_inner()).await?.into())
    }

    async fn delete_queue(&self, request: Request<v2::DeleteQueueRequest>) -> Answer<()> {
        Ok(self.remove_queue(&request.into_inner().name).await?.into())
    }

    async fn purge_queue(&self, request: Request<v2::PurgeQueueRequest>) -> Answer<v2::Queue> {
        Ok(self.empty_queue(&request.into_inner().name).await?.into())
    }

    async fn pause_queue(&self, request: Request<v2::PauseQueueRequest>) -> Answer<v2::Queue> {
        Ok(self.put_in_state(&request.into_inner().name, State::Paused).await?.into())
    }

    async fn resume_queue(&self, request: Request<v2::ResumeQueueRequest>) -> Answer<v2::Queue> {
        Ok(self.put_in_state(&request.into_inner().name, State::Running).await?.into())
    }

    async fn list_tasks(&self, request: Request<v2::ListTasksRequest>) -> Answer<v2::ListTasksResponse> {
        Ok(self.tasks_of(request.into_inner()).await?.into())
    }

    async fn get_task(&self, request: Request<v2::GetTaskRequest>) -> Answer<v2::Task> {
        Ok(self.task_named(request.into_inner()).await?.into())
    }

    async fn create_task(&self, request: Request<v2::CreateTaskRequest>) -> Answer<v2::Task> {
        Ok(self.make_task(request.into_inner()).await?.into())
    }

    async fn delete_task(&self, request: Request<v2::DeleteTaskRequest>) -> Answer<()> {
        Ok(self.remove_task(&request.into_inner().name).await?.into())
    }

    async fn run_task(&self, request: Request<v2::RunTaskRequest>) -> Answer<v2::Task> {
        Ok(self.force_task(request.into_inner()).await?.into())
    }

    async fn batch_create_tasks(&self, request: Request<v2::BatchCreateTasksRequest>) -> Answer<Operation> {
        Ok(self.make_tasks(request.into_inner()).await?.into())
    }

    async fn batch_delete_tasks(&self, request: Request<v2::BatchDeleteTasksRequest>) -> Answer<Operation> {
        Ok(self.remove_tasks(request.into_inner()).await?.into())
    }
}

#[tonic::async_trait]
impl Operations for Shared {
    async fn get_operation(&self, request: Request<GetOperationRequest>) -> Answer<Operation> {
        Ok(self.operation_named(&request.into_inner().name)?.into())
    }
}

#[tonic::async_trait]
impl Locations for Shared {
    async fn list_locations(&self, request: Request<ListLocationsRequest>) -> Answer<ListLocationsResponse> {
        Ok(self.locations_of(&request.into_inner().name)?.into())
    }

    async fn get_location(&self, request: Request<GetLocationRequest>) -> Answer<Location> {
        Ok(self.location_named(&request.into_inner().name)?.into())
    }
}
