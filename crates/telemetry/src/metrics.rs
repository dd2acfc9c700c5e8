//! `/metrics`, as Prometheus scrapes it.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::Body;

/// The text format `encode` writes (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// A registry that is complete, served as a page.
#[derive(Clone, Debug)]
pub struct Exposition(Arc<Registry>);

impl Exposition {
    pub fn new(registry: Registry) -> Self {
        Self(Arc::new(registry))
    }

    pub fn respond(&self) -> Response<Body> {
        let mut text = String::new();
        let status = match encode(&mut text, &self.0) {
            Ok(()) => StatusCode::OK,
            Err(error) => {
                tracing::error!(%error, "encoding metrics failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, OPENMETRICS);
        response
    }
}
