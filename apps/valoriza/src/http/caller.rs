//! Who asks, by the bearer token of a request; and what a cache may do with the answer, which follows from that.

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use super::problem::Problem;
use super::trace::TraceId;
use crate::actions::{Error, Unauthenticated};
use crate::domain::member::Caller;
use crate::{caching, clock};

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let known = parts.extensions.get().cloned();
        known.ok_or_else(|| Error::Unauthenticated(Unauthenticated::BadToken).into())
    }
}

/// Finds out who asks, for the handlers, and speaks to the cache in front: what they read is kept, what they write
/// ends what was kept. So no handler can forget it; one whose answer is not to be kept says so in `Cache-Control`.
pub(super) async fn known_to_the_cache(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some(caller) = identify(&app, &request) else {
        return next.run(request).await;
    };
    let tenant = caller.tenant;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    let status = response.status();
    if is_read && status.is_success() {
        caching::keep(response.headers_mut(), tenant);
    } else if !is_read && may_have_written(status) {
        caching::purge(response.headers_mut(), &BTreeSet::from([tenant]));
    }
    response
}

/// A refusal wrote nothing. An answer from before, to a request repeated, is a success: so the purge is repeated too.
fn may_have_written(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::INTERNAL_SERVER_ERROR
}

/// Nobody if the token is missing or not to be believed.
fn identify(app: &App, request: &Request) -> Option<Caller> {
    let sent = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, token) = sent.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))?;
    let claims = app.keys.verify(token.trim()).ok()?;
    let TraceId(trace_id) = TraceId::of(request.extensions());
    Some(Caller { user: claims.sub, tenant: claims.tenant, role: claims.role, now: clock::now(), trace_id })
}
