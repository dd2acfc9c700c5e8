//! /api/auth and /api/me

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::idempotency::{Claim, Registering, mark_replayed};
use super::problem::Problem;
use super::trace::TraceId;
use super::{Answer, App};
use crate::actions::sessions::{self, Opened};
use crate::actions::{Error, Unauthenticated};
use crate::auth::{ACCESS_SECONDS, Secret};
use crate::caching::no_store;
use crate::clock;
use crate::domain::form::Form;
use crate::domain::member::{Caller, Credentials, Membership, Registration, Role, Tenant, User};
use crate::domain::violation::Violation;
use crate::queries;
use crate::store::users;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(me))
}

#[derive(Serialize, ToSchema)]
struct Session {
    access_token: String,
    #[schema(pattern = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    refresh_token: String,
    user: User,
    tenant: Tenant,
    role: Role,
}

#[derive(Serialize, ToSchema)]
struct Me {
    user: User,
    tenant: Tenant,
    role: Role,
    memberships: Vec<Membership>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct RefreshBody {
    refresh_token: String,
}

/// Registers a user with a tenant of their own. Repeated with the same Idempotency-Key and password, it
/// opens another session of the user registered, so that no token is ever kept.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "auth", operation_id = "register", security(()),
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Registration,
    responses((status = 201, body = Session)),
)]
async fn register(State(app): State<App>, Extension(trace): Extension<TraceId>, post: Registering) -> Answer {
    let registration = Registration::read(post.form)?;
    let hash = app.passwords.hash(registration.password.clone()).await?;
    let now = clock::now();
    let mut tx = app.db.write().await?;
    match post.key.claim_anonymously(&mut tx, now).await? {
        Claim::New(claimed) => {
            let (user, _) = sessions::register(&mut tx, &registration, &hash, now, trace.0).await?;
            let opened = sessions::open(&mut tx, user, now).await?;
            claimed.commit(tx, StatusCode::CREATED, "").await?;
            answer(&app, StatusCode::CREATED, opened, now)
        }
        Claim::Done(_) => {
            drop(tx);
            let credentials = Credentials { email: registration.email, password: registration.password };
            // Another password makes it another request, whatever its key.
            let opened = come_in(&app, credentials, now).await?.ok_or_else(Problem::key_reused)?;
            let mut response = answer(&app, StatusCode::CREATED, opened, now)?;
            mark_replayed(&mut response);
            Ok(response)
        }
    }
}

/// Opens a session.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "auth", operation_id = "login", security(()),
    request_body = Credentials,
    responses((status = 200, body = Session)),
)]
async fn login(State(app): State<App>, Body(form): Body) -> Answer {
    let credentials = Credentials::read(form)?;
    let now = clock::now();
    let opened = come_in(&app, credentials, now).await?;
    let opened = opened.ok_or(Error::Unauthenticated(Unauthenticated::BadCredentials))?;
    answer(&app, StatusCode::OK, opened, now)
}

/// Opens a session if the credentials are right; takes as long for an e-mail nobody has.
async fn come_in(app: &App, credentials: Credentials, now: Timestamp) -> Result<Option<Opened>, Error> {
    let login = users::find_login(&mut app.db.snapshot().await?, &credentials.email).await?;
    let (user, hash) = login.map(|it| (it.user, it.password_hash)).unzip();
    let right = app.passwords.verify(credentials.password, hash).await?;
    let Some(user) = user.filter(|_| right) else {
        return Ok(None);
    };
    let mut tx = app.db.write().await?;
    let opened = sessions::open(&mut tx, user, now).await?;
    tx.commit().await?;
    Ok(Some(opened))
}

/// Exchanges a refresh token, good for one use, for a session with a new one. If the answer was lost, the token may
/// be presented again within 30 seconds, unless the new one was used.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "auth", operation_id = "refresh", security(()),
    request_body = RefreshBody,
    responses((status = 200, body = Session)),
)]
async fn refresh(State(app): State<App>, Body(form): Body) -> Answer {
    let token = read_token(form)?;
    let now = clock::now();
    let mut tx = app.db.write().await?;
    match sessions::refresh(&mut tx, &token, now).await {
        Ok(opened) => {
            tx.commit().await?;
            answer(&app, StatusCode::OK, opened, now)
        }
        // The family it revoked must stay revoked.
        Err(error @ Error::Unauthenticated(Unauthenticated::TokenReused)) => {
            tx.commit().await?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends the session a refresh token belongs to; again and again if need be.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "auth", operation_id = "logout", security(()),
    request_body = RefreshBody,
    responses((status = 204)),
)]
async fn logout(State(app): State<App>, Body(form): Body) -> Answer {
    let token = read_token(form)?;
    let mut tx = app.db.write().await?;
    sessions::close(&mut tx, &token, clock::now()).await?;
    tx.commit().await?;
    Ok(no_store(StatusCode::NO_CONTENT.into_response()))
}

/// Who the token is of, and where else they belong.
#[utoipa::path(
    get, path = "/api/me", tag = "auth", operation_id = "me",
    responses((status = 200, body = Me)),
)]
async fn me(State(app): State<App>, by: Caller) -> Answer {
    let (user, memberships) = queries::me(&app.db, by.user).await?;
    let here = memberships.iter().find(|it| it.tenant_id == by.tenant).ok_or(Error::NotFound)?;
    let tenant = Tenant { id: here.tenant_id, name: here.tenant_name.clone() };
    let me = Me { user, tenant, role: by.role, memberships };
    Ok(no_store(Json(me).into_response()))
}

fn read_token(mut form: Form) -> Result<Secret, Vec<Violation>> {
    let token = form.secret("refresh_token");
    form.finish(Secret::claimed(token))
}

fn answer(app: &App, status: StatusCode, opened: Opened, now: Timestamp) -> Answer {
    let session = Session {
        access_token: app.keys.sign(opened.user.id, opened.tenant.id, opened.role, now)?,
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
        refresh_token: opened.refresh_token.reveal(),
        user: opened.user,
        tenant: opened.tenant,
        role: opened.role,
    };
    Ok(no_store((status, Json(session)).into_response()))
}
