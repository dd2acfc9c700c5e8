//! Requests of tasks, and what a queue says of all of its tasks' requests.

use std::collections::BTreeMap;

use ::http::{HeaderName, HeaderValue, Method};
use bytes::Bytes;

use crate::api::fault::Fault;
use crate::model::{HttpRequest, Token};
use crate::proto::v2;
use crate::targets::{Place, Targets, http_target};

/// After encoding, as the real service.
const URL_MAX: usize = 2083;

/// Of all names and values.
const HEADERS_MAX: usize = 80 * 1024;

const PRIORITY: &str = "x-mare-priority";
const FAIRNESS_KEY: &str = "x-mare-fairness-key";
const PRIORITIES: std::ops::RangeInclusive<i16> = -100..=100;
const FAIRNESS_KEY_MAX: usize = 100;

/// What every HTTP task is read back with.
const USER_AGENT: (&str, &str) = ("User-Agent", "Google-Cloud-Tasks");

/// A scope is shown even if none was given.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A request, and what its headers said to us.
pub(super) struct Wanted {
    pub(super) request: HttpRequest,
    pub(super) priority: i16,
    pub(super) fairness_key: String,
}

/// All but whether it may go where its URL says.
pub(super) fn read(request: v2::HttpRequest) -> Result<Wanted, Fault> {
    let method = read_method(request.http_method)?.unwrap_or(Method::POST);
    let takes_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    if !request.body.is_empty() && !takes_body {
        return Err(Fault::invalid("HttpRequest.body is allowed only with the methods POST, PUT and PATCH."));
    }
    let (mut priority, mut fairness_key, mut headers) = (0, String::new(), Vec::new());
    check_headers(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    for (name, value) in request.headers {
        match name.to_ascii_lowercase().as_str() {
            PRIORITY => priority = read_priority(&value)?,
            FAIRNESS_KEY if value.len() > FAIRNESS_KEY_MAX => {
                return Err(Fault::invalid("X-Mare-Fairness-Key must be at most 100 bytes."));
            }
            FAIRNESS_KEY => fairness_key = value,
            lower if is_ours(lower) => {}
            _ => headers.push((name, value)),
        }
    }
    let token = request.authorization_header.map(read_token).transpose()?;
    // A copy, for it may be a part of a whole batch and keep all of that in memory.
    let body = Bytes::copy_from_slice(&request.body);
    let request = HttpRequest { method, url: request.url, headers, body, token };
    Ok(Wanted { request, priority, fairness_key })
}

/// Headers the service sets itself; a client's are dropped.
fn is_ours(lower: &str) -> bool {
    matches!(lower, "host" | "content-length" | "user-agent")
        || lower.starts_with("x-google-")
        || lower.starts_with("x-appengine-")
}

fn read_priority(value: &str) -> Result<i16, Fault> {
    let priority = value.trim().parse().ok().filter(|priority| PRIORITIES.contains(priority));
    priority.ok_or_else(|| Fault::invalid("X-Mare-Priority must be a whole number from -100 to 100."))
}

fn check_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), Fault> {
    let mut size = 0;
    for (name, value) in headers {
        size += name.len() + value.len();
        if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
            return Err(Fault::invalid(format!("The header {name:?} is not valid in HTTP.")));
        }
    }
    if size > HEADERS_MAX {
        return Err(Fault::invalid("HttpRequest.headers must be at most 80 KiB in all."));
    }
    Ok(())
}

/// `None` if none is said.
fn read_method(number: i32) -> Result<Option<Method>, Fault> {
    use v2::HttpMethod as M;
    let method =
        M::try_from(number).map_err(|_unknown| Fault::invalid("HttpRequest.httpMethod is not known."))?;
    Ok(match method {
        M::Unspecified => None,
        M::Post => Some(Method::POST),
        M::Get => Some(Method::GET),
        M::Head => Some(Method::HEAD),
        M::Put => Some(Method::PUT),
        M::Delete => Some(Method::DELETE),
        M::Patch => Some(Method::PATCH),
        M::Options => Some(Method::OPTIONS),
    })
}

fn read_token(token: v2::http_request::AuthorizationHeader) -> Result<Token, Fault> {
    use v2::http_request::AuthorizationHeader as A;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    match token {
        A::OidcToken(token) if token.service_account_email.is_empty() => {
            Err(Fault::invalid("OidcToken.serviceAccountEmail is required."))
        }
        A::OauthToken(token) if token.service_account_email.is_empty() => {
            Err(Fault::invalid("OAuthToken.serviceAccountEmail is required."))
        }
        A::OidcToken(token) => {
            Ok(Token::Oidc { email: token.service_account_email, audience: given(token.audience) })
        }
        A::OauthToken(token) => {
            Ok(Token::OAuth { email: token.service_account_email, scope: given(token.scope) })
        }
    }
}

/// Whether a task may have this URL, and the form in which it is kept.
pub(super) fn check_url(url: &str, targets: &Targets) -> Result<Option<String>, Fault> {
    if url.is_empty() {
        return Err(Fault::invalid("HttpRequest.url is required."));
    }
    let has_scheme = |scheme: &str| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    if !has_scheme("http://") && !has_scheme("https://") {
        return Err(Fault::invalid("HttpTarget.url must start with 'http://' or 'https://'."));
    }
    if url.len() > URL_MAX {
        return Err(Fault::invalid("HttpRequest.url must be at most 2083 characters."));
    }
    match targets.classify(url) {
        Place::Refused(refusal) => Err(refusal.into()),
        Place::Service { .. } | Place::External(_) => Ok(targets.stable(url)),
    }
}

/// What of a queue's `httpTarget` can be told to be wrong before there is a task.
pub(super) fn check_target(target: &v2::HttpTarget, targets: &Targets) -> Result<(), Fault> {
    read_method(target.http_method)?;
    let headers = target.header_overrides.iter().filter_map(|header| header.header.as_ref());
    check_headers(headers.map(|header| (header.key.as_str(), header.value.as_str())))?;
    let Some(uri) = &target.uri_override else { return Ok(()) };
    if uri.host.as_ref().is_some_and(String::is_empty) {
        return Err(Fault::invalid("UriOverride.host cannot be empty."));
    }
    if uri.port.is_some_and(|port| u16::try_from(port).is_err()) {
        return Err(Fault::invalid("UriOverride.port must be between 0 and 65535."));
    }
    if uri.host.is_some()
        && let Place::Refused(refusal) = targets.classify(&http_target::url_of(uri, ""))
    {
        return Err(refusal.into());
    }
    Ok(())
}

/// The `httpTarget` by which a queue whose target is a service of the manifest is shown.
pub(super) fn of_service(service: &str, path: &str) -> v2::HttpTarget {
    v2::HttpTarget {
        uri_override: Some(v2::UriOverride {
            scheme: Some(v2::uri_override::Scheme::Http.into()),
            host: Some(format!("{service}.mare.internal")),
            path_override: Some(v2::PathOverride { path: path.to_owned() }),
            uri_override_enforce_mode: v2::uri_override::UriOverrideEnforceMode::Always.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// As it is read back.
pub(super) fn write(request: &HttpRequest, priority: i16, fairness_key: &str) -> v2::HttpRequest {
    let mut headers: BTreeMap<String, String> = request.headers.iter().cloned().collect();
    let mut add = |name: &str, value: &str| headers.insert(name.to_owned(), value.to_owned());
    add(USER_AGENT.0, USER_AGENT.1);
    if priority != 0 {
        add("X-Mare-Priority", &priority.to_string());
    }
    if !fairness_key.is_empty() {
        add("X-Mare-Fairness-Key", fairness_key);
    }
    v2::HttpRequest {
        url: request.url.clone(),
        http_method: write_method(&request.method).into(),
        headers,
        body: request.body.clone(),
        authorization_header: request.token.as_ref().map(write_token),
    }
}

fn write_method(method: &Method) -> v2::HttpMethod {
    v2::HttpMethod::from_str_name(method.as_str()).unwrap_or(v2::HttpMethod::Post)
}

fn write_token(token: &Token) -> v2::http_request::AuthorizationHeader {
    use v2::http_request::AuthorizationHeader as A;
    match token.clone() {
        Token::Oidc { email, audience } => A::OidcToken(v2::OidcToken {
            service_account_email: email,
            audience: audience.unwrap_or_default(),
        }),
        Token::OAuth { email, scope } => A::OauthToken(v2::OAuthToken {
            service_account_email: email,
            scope: scope.unwrap_or_else(|| SCOPE.to_owned()),
        }),
    }
}
