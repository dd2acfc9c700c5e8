//! /api/imports

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::{Duration, timeout};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::body::{Id, IfMatch, tagged};
use super::listing::{Paging, Params};
use super::problem::Problem;
use super::{Answer, App};
use crate::actions::imports::{self, Upload};
use crate::actions::{Change as Wanted, Conflict, Error};
use crate::caching::no_store;
use crate::domain::import::{Change, Import, ImportChange, Row, Status};
use crate::domain::member::Caller;
use crate::domain::page::{LIMIT_MAX, Page};
use crate::domain::text::DESCRIPTION;
use crate::statement::{FILE_BYTES_MAX, Profile, csv};
use crate::{files, queries};

/// How long a client may take to send a file: 10 MiB at a slow telephone's pace.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(120);

/// A screenful of rows.
const ROWS_DEFAULT: usize = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    // Inside the limit that holds for all other bodies, so that this one holds here.
    let upload =
        OpenApiRouter::new().routes(routes!(list, upload)).layer(DefaultBodyLimit::max(FILE_BYTES_MAX));
    upload
        .routes(routes!(read, change, forget))
        .routes(routes!(rows))
        .routes(routes!(sample))
        .routes(routes!(commit))
        .routes(routes!(undo))
        // Their state moves on in the middle of what the worker does, and people watch it.
        .layer(map_response(async |response: Response| no_store(response)))
}

/// Lists imports, newest first.
#[utoipa::path(
    get, path = "/api/imports", tag = "imports", operation_id = "list_imports",
    params(Paging),
    responses((status = 200, body = Page<Import>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_MAX)?;
    filters.finish(())?;
    Ok(axum::Json(queries::imports(&app.db, by.tenant, slice).await?).into_response())
}

/// Uploads a statement: the body is the file, of any content type and at most 10 MiB. The worker reads it.
#[utoipa::path(
    post, path = "/api/imports", tag = "imports", operation_id = "upload_statement",
    params(
        ("filename" = Option<String>, Query, description = "As it is called on its owner's machine"),
        ("account_id" = Option<Uuid>, Query, description = "Of a file with one statement: whose it is"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 202, body = Import)),
)]
async fn upload(State(app): State<App>, by: Caller, params: Params, request: Request) -> Answer {
    let mut form = params.form();
    let filename = form.optional_text("filename", DESCRIPTION).unwrap_or_else(|| "extrato".to_owned());
    let account_id = form.optional_id("account_id");
    form.finish(())?;
    imports::check_upload(&mut app.db.snapshot().await?, &by, account_id).await?;
    let Ok(_place) = app.uploads.try_acquire() else {
        return Err(Problem::busy());
    };
    let bytes = timeout(UPLOAD_TIMEOUT, Bytes::from_request(request, &app))
        .await
        .map_err(|_elapsed| Problem::too_slow())?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::file_too_large(),
            _ => Problem::bad_json("O arquivo não chegou inteiro."),
        })?;
    let id = Uuid::now_v7();
    app.files.put(by.tenant, id, bytes).await.map_err(Problem::from)?;
    let created = async {
        let mut tx = app.db.write().await?;
        let import = imports::create(&mut tx, &by, Upload { id, filename, account_id }).await?;
        tx.commit().await?;
        Ok::<_, Error>(import)
    };
    match created.await {
        Ok(import) => Ok((StatusCode::ACCEPTED, axum::Json(import)).into_response()),
        // A file nobody knows of is of no use, unless the commit was done after all.
        Err(error @ Error::Db(crate::db::Error::OutcomeUnknown(_))) => Err(error.into()),
        Err(error) => {
            delete_file(&app, by.tenant, id).await;
            Err(error.into())
        }
    }
}

/// Reads an import; `ETag` begins with its version.
#[utoipa::path(
    get, path = "/api/imports/{id}", tag = "imports", operation_id = "read_import",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Import)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let import = queries::import(&app.db, by.tenant, id).await?;
    Ok(tagged(import.version, import))
}

/// Chooses accounts, explains columns, includes and excludes rows. Other accounts or columns make the worker
/// read the file again.
#[utoipa::path(
    patch, path = "/api/imports/{id}", tag = "imports", operation_id = "change_import",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = ImportChange, description = "Any of the fields."),
    responses((status = 200, body = Import)),
)]
async fn change(State(app): State<App>, by: Caller, Id(id): Id, wanted: Wanted) -> Answer {
    let change = Change::read(wanted.form)?;
    let mut tx = app.db.write().await?;
    let import = imports::update(&mut tx, &by, id, change, wanted.if_match).await?;
    tx.commit().await?;
    Ok(tagged(import.version, import))
}

/// Forgets an import of which nothing is among the transactions, and its file.
#[utoipa::path(
    delete, path = "/api/imports/{id}", tag = "imports", operation_id = "forget_import",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204)),
)]
async fn forget(State(app): State<App>, by: Caller, Id(id): Id, IfMatch(version): IfMatch) -> Answer {
    let mut tx = app.db.write().await?;
    imports::forget(&mut tx, &by, id, version).await?;
    tx.commit().await?;
    delete_file(&app, by.tenant, id).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Lists the rows of an import in the order of its file.
#[utoipa::path(
    get, path = "/api/imports/{id}/rows", tag = "imports", operation_id = "list_import_rows",
    params(
        ("id" = Uuid, Path), Paging,
        ("status" = Option<String>, Query, description = "new, duplicate or invalid"),
    ),
    responses((status = 200, body = Page<Row>)),
)]
async fn rows(State(app): State<App>, by: Caller, Id(id): Id, params: Params) -> Answer {
    let (slice, mut filters) = params.slice(ROWS_DEFAULT)?;
    let status = filters.optional_choice("status", "new, duplicate ou invalid");
    let status = filters.finish(status)?;
    Ok(axum::Json(queries::import_rows(&app.db, by.tenant, id, status, slice).await?).into_response())
}

/// The first rows of a table, to tell its columns by.
#[derive(Serialize, ToSchema)]
struct ImportSample {
    /// What the columns seem to be called.
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// What seems to separate them.
    delimiter: String,
}

/// Shows the start of a table nobody knows.
#[utoipa::path(
    get, path = "/api/imports/{id}/sample", tag = "imports", operation_id = "sample_import",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ImportSample)),
)]
async fn sample(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let import = queries::import(&app.db, by.tenant, id).await?;
    if import.status != Status::NeedsMapping && import.profile != Some(Profile::Mapped) {
        return Err(Error::Conflict(Conflict::ImportState).into());
    }
    let Ok(_place) = app.uploads.try_acquire() else {
        return Err(Problem::busy());
    };
    let bytes = app.files.get(by.tenant, id).await.map_err(Problem::from)?;
    let sample = tokio::task::spawn_blocking(move || csv::sample_of(&bytes));
    let sample = sample.await.map_err(|error| Error::Internal(error.into()))?;
    let sample = sample.map_err(|failure| Error::Internal(failure.into()))?;
    let delimiter = sample.delimiter.to_string();
    Ok(axum::Json(ImportSample { columns: sample.columns, rows: sample.rows, delimiter }).into_response())
}

/// Imports what the preview shows; the worker does it.
#[utoipa::path(
    post, path = "/api/imports/{id}/commit", tag = "imports", operation_id = "commit_import",
    params(("id" = Uuid, Path)),
    responses((status = 202, body = Import)),
)]
async fn commit(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let mut tx = app.db.write().await?;
    let import = imports::commit(&mut tx, &by, id).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, axum::Json(import)).into_response())
}

/// Takes back what an import made; the worker does it. What was edited since stays.
#[utoipa::path(
    post, path = "/api/imports/{id}/undo", tag = "imports", operation_id = "undo_import",
    params(("id" = Uuid, Path)),
    responses((status = 202, body = Import)),
)]
async fn undo(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let mut tx = app.db.write().await?;
    let import = imports::undo(&mut tx, &by, id).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, axum::Json(import)).into_response())
}

/// Deletes a file; one that stays is only a waste.
async fn delete_file(app: &App, tenant: Uuid, id: Uuid) {
    if let Err(error) = app.files.delete(tenant, id).await {
        let error = format!("{:#}", anyhow::Error::new(error));
        tracing::warn!(error, import = %id, "a file was not deleted");
    }
}

impl From<files::Error> for Problem {
    fn from(error: files::Error) -> Self {
        match error {
            files::Error::NotFound => Error::NotFound.into(),
            files::Error::TooLarge => Self::file_too_large(),
            files::Error::Late | files::Error::Store(_) => {
                tracing::warn!(error = %format!("{:#}", anyhow::Error::new(error)), "object store failed");
                Self::busy()
            }
        }
    }
}
