//! /api/automations

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, IfMatch, tagged};
use super::idempotency::{Claim, Post, replay};
use super::listing::{Paging, Params};
use super::{Answer, App};
use crate::actions::{self, Change};
use crate::domain::automation::{Automation, Draft, When};
use crate::domain::member::Caller;
use crate::domain::page::{LIMIT_MAX, Page};
use crate::queries;
use crate::queries::automations::Preview;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace, change, delete))
        .routes(routes!(preview))
        .routes(routes!(apply))
}

/// Lists automations in the order in which they are tried.
#[utoipa::path(
    get, path = "/api/automations", tag = "automations", operation_id = "list_automations",
    params(Paging),
    responses((status = 200, body = Page<Automation>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_MAX)?;
    filters.finish(())?;
    Ok(axum::Json(queries::automations::list(&app.db, by.tenant, slice).await?).into_response())
}

/// Makes an automation; it looks at what comes from now on.
#[utoipa::path(
    post, path = "/api/automations", tag = "automations", operation_id = "create_automation",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 201, body = Automation)),
)]
async fn create(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let draft = Draft::read(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let automation = actions::automations::create(&mut tx, &by, draft).await?;
            claimed.created(tx, &automation).await
        }
    }
}

/// Reads an automation; `ETag` begins with its version.
#[utoipa::path(
    get, path = "/api/automations/{id}", tag = "automations", operation_id = "read_automation",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Automation)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let automation = queries::automations::one(&app.db, by.tenant, id).await?;
    Ok(tagged(automation.version, automation))
}

/// Writes all fields of an automation; without a position it stays where it is.
#[utoipa::path(
    put, path = "/api/automations/{id}", tag = "automations", operation_id = "replace_automation",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 200, body = Automation)),
)]
async fn replace(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

/// Writes some fields of an automation; `when` and `then` each as a whole.
#[utoipa::path(
    patch, path = "/api/automations/{id}", tag = "automations", operation_id = "change_automation",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = Draft, description = "Any of the fields."),
    responses((status = 200, body = Automation)),
)]
async fn change(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

async fn update(State(app): State<App>, by: Caller, Id(id): Id, wanted: Change) -> Answer {
    let mut tx = app.db.write().await?;
    let automation = actions::automations::update(&mut tx, &by, id, wanted).await?;
    tx.commit().await?;
    Ok(tagged(automation.version, automation))
}

/// Deletes an automation; what it did stays.
#[utoipa::path(
    delete, path = "/api/automations/{id}", tag = "automations", operation_id = "delete_automation",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204)),
)]
async fn delete(State(app): State<App>, by: Caller, Id(id): Id, IfMatch(version): IfMatch) -> Answer {
    let mut tx = app.db.write().await?;
    actions::automations::delete(&mut tx, &by, id, version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct PreviewBody {
    when: When,
}

/// Shows what an automation would match among the newest 50,000 transactions; writes nothing.
#[utoipa::path(
    post, path = "/api/automations/preview", tag = "automations", operation_id = "preview_automation",
    request_body = PreviewBody,
    responses((status = 200, body = Preview)),
)]
async fn preview(State(app): State<App>, by: Caller, Body(mut form): Body) -> Answer {
    let when = When::read(&mut form);
    let when = form.finish(when)?;
    Ok(axum::Json(queries::automations::preview(&app.db, by.tenant, &when).await?).into_response())
}

/// Does with the past what the automation does with what comes. The worker does it, after this is answered; what a
/// person categorised keeps its category.
#[utoipa::path(
    post, path = "/api/automations/{id}/apply", tag = "automations", operation_id = "apply_automation",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = Automation)),
)]
async fn apply(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let mut tx = app.db.write().await?;
    let automation = actions::automations::apply(&mut tx, &by, id).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, axum::Json(automation)).into_response())
}
