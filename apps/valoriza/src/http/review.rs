//! /api/review, /api/corrections, and what is said and asked about one transaction

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::body::Id;
use super::idempotency::{Claim, Post, replay};
use super::listing::{Paging, Params};
use super::{Answer, App};
use crate::actions;
use crate::actions::review::{Accepted, Corrected};
use crate::domain::form::Form;
use crate::domain::member::Caller;
use crate::domain::page::Page;
use crate::domain::review::{Draft, IDS_MAX, Item, Similar};
use crate::domain::violation::Violation;
use crate::queries;

/// A screenful.
const LIMIT_DEFAULT: usize = 50;

/// A glance.
const SIMILAR_DEFAULT: usize = 10;
const SIMILAR_MAX: usize = 50;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(count))
        .routes(routes!(accept))
        .routes(routes!(categorise))
        .routes(routes!(take_back))
        .routes(routes!(similar))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Count {
    count: i64,
}

/// Lists transactions without a category and what they could be, newest first.
#[utoipa::path(
    get, path = "/api/review", tag = "review", operation_id = "list_review",
    params(Paging),
    responses((status = 200, body = Page<Item>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_DEFAULT)?;
    filters.finish(())?;
    Ok(axum::Json(queries::review::waiting(&app.db, by.tenant, slice).await?).into_response())
}

/// Counts transactions without a category.
#[utoipa::path(
    get, path = "/api/review/count", tag = "review", operation_id = "count_review",
    responses((status = 200, body = Count)),
)]
async fn count(State(app): State<App>, by: Caller) -> Answer {
    let count = queries::review::count(&app.db, by.tenant).await?;
    Ok(axum::Json(Count { count }).into_response())
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct AcceptBody {
    #[schema(max_items = 200)]
    transaction_ids: Vec<Uuid>,
}

#[derive(Serialize, ToSchema)]
struct AcceptedAll {
    /// Those that had a suggestion.
    accepted: Vec<Accepted>,
}

/// Accepts the suggestions of transactions; those that have none any more are left out of the answer.
#[utoipa::path(
    post, path = "/api/review/accept", tag = "review", operation_id = "accept_suggestions",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = AcceptBody,
    responses((status = 200, body = AcceptedAll)),
)]
async fn accept(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let ids = read_accepted(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let accepted = actions::review::accept(&mut tx, &by, &ids).await?;
            claimed.answered(tx, StatusCode::OK, &AcceptedAll { accepted }).await
        }
    }
}

fn read_accepted(mut form: Form) -> Result<Vec<Uuid>, Vec<Violation>> {
    let before = form.violations();
    let ids = form.ids("transaction_ids", IDS_MAX);
    if ids.is_empty() && form.violations() == before {
        form.reject("transaction_ids", "required", "diga quais");
    }
    form.finish(ids)
}

/// Says what a transaction was. It is learned at once, and can be taken back.
#[utoipa::path(
    post, path = "/api/transactions/{id}/categorise", tag = "review", operation_id = "categorise_transaction",
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 200, body = Corrected)),
)]
async fn categorise(State(app): State<App>, by: Caller, Id(id): Id, post: Post) -> Answer {
    let draft = Draft::read(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let corrected = actions::review::categorise(&mut tx, &by, id, &draft).await?;
            claimed.answered(tx, StatusCode::OK, &corrected).await
        }
    }
}

/// Takes a correction back: the category, what was learned, and the others it changed.
#[utoipa::path(
    delete, path = "/api/corrections/{id}", tag = "review", operation_id = "take_correction_back",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204)),
)]
async fn take_back(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let mut tx = app.db.write().await?;
    actions::review::take_back(&mut tx, &by, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Serialize, ToSchema)]
struct SimilarOnes {
    /// Most alike first.
    items: Vec<Similar>,
}

/// Finds the transactions whose wordings are most like this one's ("parecidos com este").
#[utoipa::path(
    get, path = "/api/transactions/{id}/similar", tag = "review", operation_id = "list_similar_transactions",
    params(
        ("id" = uuid::Uuid, Path),
        ("limit" = Option<u32>, Query, description = "1 to 50; 10 if left out", minimum = 1, maximum = 50),
    ),
    responses((status = 200, body = SimilarOnes)),
)]
async fn similar(State(app): State<App>, by: Caller, Id(id): Id, params: Params) -> Answer {
    let limit = read_limit(params.form())?;
    let items = queries::review::similar(&app.db, by.tenant, id, limit).await?;
    Ok(axum::Json(SimilarOnes { items }).into_response())
}

fn read_limit(mut form: Form) -> Result<usize, Vec<Violation>> {
    let expected = format!("um número de 1 a {SIMILAR_MAX}");
    let limit = form.optional_choice("limit", &expected).unwrap_or(SIMILAR_DEFAULT);
    if !(1..=SIMILAR_MAX).contains(&limit) {
        form.reject("limit", "out_of_range", format!("deve ser {expected}"));
    }
    form.finish(limit)
}
