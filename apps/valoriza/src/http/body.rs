//! Reads bodies, ids and versions out of requests.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::problem::Problem;
use super::{App, BODY_TIMEOUT};
use crate::actions::{Change, Error, Extent};
use crate::domain::form::Form;

/// The body of a request as a form.
pub(super) struct Body(pub Form);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (form, _) = read(request, app).await?;
        Ok(Self(form))
    }
}

/// Reads a JSON body: the form over it, and the bytes it was.
pub(super) async fn read(request: Request, app: &App) -> Result<(Form, Bytes), Problem> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.split(';').next())
        .is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Problem::not_json());
    }
    let bytes = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, app))
        .await
        .map_err(|_elapsed| Problem::too_slow())?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
            _ => Problem::bad_json("O corpo não chegou inteiro."),
        })?;
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("Linha {}, coluna {}.", error.line(), error.column());
        Problem::bad_json(&detail)
    })?;
    Ok((Form::new(value), bytes))
}

/// The id at the end of the path; what cannot be one is not found.
pub(super) struct Id(pub Uuid);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<Uuid>::from_request_parts(parts, app).await;
        path.map(|Path(id)| Self(id)).map_err(|_rejection| Error::NotFound.into())
    }
}

/// The version named by `If-Match: "3"`, or by an `ETag` as it came; none if the header is absent or `*`.
pub(super) struct IfMatch(pub Option<i64>);

impl IfMatch {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let version = version.map(|it| it.split_once('-').map_or(it, |(version, _)| version));
        match version.and_then(|it| it.parse().ok()) {
            Some(version) => Ok(Self(Some(version))),
            None => Err(Problem::bad_header(
                "bad_if_match",
                "If-Match deve ser a versão entre aspas, como \"3\".",
            )),
        }
    }
}

impl FromRequestParts<App> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// A PUT or PATCH.
impl FromRequest<App> for Change {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let IfMatch(if_match) = IfMatch::read(request.headers())?;
        let extent = if request.method() == Method::PATCH { Extent::Part } else { Extent::Whole };
        let (form, _) = read(request, app).await?;
        Ok(Self { form, extent, if_match })
    }
}

/// A thing; its `ETag` is its version and a digest of what is shown. `If-Match` is about the version. Whoever keeps
/// the answer looks at both: a balance or a category found out changes what is shown, but not the version.
pub(super) fn tagged(version: i64, thing: impl Serialize) -> Response {
    let body = match serde_json::to_vec(&thing) {
        Ok(body) => body,
        Err(error) => return Problem::from(Error::Internal(error.into())).into_response(),
    };
    let digest = Sha256::digest(&body);
    let digest = digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let tag = HeaderValue::from_str(&format!("\"{version}-{digest}\"")).expect("digits, letters, a hyphen");
    let json = HeaderValue::from_static("application/json");
    ([(header::ETAG, tag), (header::CONTENT_TYPE, json)], body).into_response()
}
