//! /api/notifications

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::listing::{Paging, Params};
use super::{Answer, App};
use crate::actions;
use crate::domain::member::Caller;
use crate::domain::notification::{Notification, ReadBody, Which};
use crate::domain::page::Page;
use crate::queries;

/// A screenful.
const LIMIT_DEFAULT: usize = 50;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(count)).routes(routes!(read))
}

#[derive(Serialize, ToSchema)]
struct Unread {
    unread: i64,
}

/// Lists notifications, newest first.
#[utoipa::path(
    get, path = "/api/notifications", tag = "notifications", operation_id = "list_notifications",
    params(Paging),
    responses((status = 200, body = Page<Notification>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_DEFAULT)?;
    filters.finish(())?;
    Ok(axum::Json(queries::notifications(&app.db, by.tenant, slice).await?).into_response())
}

/// Counts those nobody has read.
#[utoipa::path(
    get, path = "/api/notifications/count", tag = "notifications", operation_id = "count_notifications",
    responses((status = 200, body = Unread)),
)]
async fn count(State(app): State<App>, by: Caller) -> Answer {
    let unread = queries::unread(&app.db, by.tenant).await?;
    Ok(axum::Json(Unread { unread }).into_response())
}

/// Marks notifications as read, for all members, and says how many are left.
#[utoipa::path(
    post, path = "/api/notifications/read", tag = "notifications", operation_id = "read_notifications",
    request_body = ReadBody,
    responses((status = 200, body = Unread)),
)]
async fn read(State(app): State<App>, by: Caller, Body(form): Body) -> Answer {
    let which = Which::read(form)?;
    let mut tx = app.db.write().await?;
    let unread = actions::notifications::read(&mut tx, &by, &which).await?;
    tx.commit().await?;
    Ok(axum::Json(Unread { unread }).into_response())
}
