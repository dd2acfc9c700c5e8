//! /api/reports

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Id;
use super::idempotency::{Claim, Post, replay};
use super::listing::{Paging, Params};
use super::{Answer, App};
use crate::actions;
use crate::domain::member::Caller;
use crate::domain::page::Page;
use crate::domain::report::{Draft, Format, Report};
use crate::queries;

/// A screenful.
const LIMIT_DEFAULT: usize = 50;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(html))
        .routes(routes!(csv))
}

/// Lists reports, newest first.
#[utoipa::path(
    get, path = "/api/reports", tag = "reports", operation_id = "list_reports",
    params(Paging),
    responses((status = 200, body = Page<Report>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_DEFAULT)?;
    filters.finish(())?;
    Ok(axum::Json(queries::reports(&app.db, by.tenant, slice).await?).into_response())
}

/// Asks for the report of a month, which the worker makes. The newest 240 are kept.
#[utoipa::path(
    post, path = "/api/reports", tag = "reports", operation_id = "create_report",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 202, body = Report)),
)]
async fn create(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let draft = Draft::read(post.form, by.now)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let report = actions::reports::request(&mut tx, &by, draft).await?;
            claimed.answered(tx, StatusCode::ACCEPTED, &report).await
        }
    }
}

/// Reads whether a report is ready.
#[utoipa::path(
    get, path = "/api/reports/{id}", tag = "reports", operation_id = "read_report",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Report)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    Ok(axum::Json(queries::report(&app.db, by.tenant, id).await?).into_response())
}

/// The report as a page to read and print.
#[utoipa::path(
    get, path = "/api/reports/{id}/html", tag = "reports", operation_id = "read_report_html",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/html")),
)]
async fn html(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    file(&app, &by, id, Format::Html).await
}

/// The transactions of the report as a spreadsheet.
#[utoipa::path(
    get, path = "/api/reports/{id}/csv", tag = "reports", operation_id = "read_report_csv",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/csv")),
)]
async fn csv(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    file(&app, &by, id, Format::Csv).await
}

async fn file(app: &App, by: &Caller, id: uuid::Uuid, format: Format) -> Answer {
    let (report, bytes) = queries::report_file(&app.db, by.tenant, id, format).await?;
    let kind = match format {
        Format::Html => "text/html; charset=utf-8",
        Format::Csv => "text/csv; charset=utf-8",
    };
    let name = format!("attachment; filename=\"valoriza-{}.{}\"", report.month, format.as_str());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).expect("digits and letters")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Whatever a description says, the page runs nothing and loads nothing.
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ),
    ];
    Ok((headers, bytes).into_response())
}
