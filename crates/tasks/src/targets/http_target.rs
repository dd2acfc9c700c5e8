//! A queue's `httpTarget`: where its tasks go whatever their own URL says, and how.

use prost::{DecodeError, Message};

use crate::model::{HttpRequest, Token};
use crate::proto::v2;
use crate::proto::v2::http_target::AuthorizationHeader;
use crate::proto::v2::uri_override::{Scheme, UriOverrideEnforceMode};

/// The request a task of such a queue makes. `target` is the serialized message of [`crate::model::Target::Override`].
pub fn apply(target: &[u8], mut request: HttpRequest) -> Result<HttpRequest, DecodeError> {
    let target = v2::HttpTarget::decode(target)?;
    if let Some(uri) = &target.uri_override {
        request.url = url_of(uri, &request.url);
    }
    let method = v2::HttpMethod::try_from(target.http_method).unwrap_or_default();
    if method != v2::HttpMethod::Unspecified
        && let Ok(method) = method.as_str_name().parse()
    {
        request.method = method;
    }
    if request.method == http::Method::GET {
        request.body.clear();
    }
    for header in target.header_overrides.into_iter().filter_map(|header| header.header) {
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(&header.key));
        request.headers.push((header.key, header.value));
    }
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    match target.authorization_header {
        Some(AuthorizationHeader::OidcToken(token)) => {
            request.token =
                Some(Token::Oidc { email: token.service_account_email, audience: given(token.audience) });
        }
        Some(AuthorizationHeader::OauthToken(token)) => {
            request.token =
                Some(Token::OAuth { email: token.service_account_email, scope: given(token.scope) });
        }
        None => {}
    }
    Ok(request)
}

/// `url` with its parts overridden; the empty URL has none.
pub(crate) fn url_of(uri: &v2::UriOverride, url: &str) -> String {
    let parts = Parts::of(url);
    // IF_NOT_EXISTS fills in what the task does not say.
    let always = uri.uri_override_enforce_mode != i32::from(UriOverrideEnforceMode::IfNotExists);
    let choose = |own: Option<&str>, overriding: Option<String>| match (own, overriding) {
        (Some(own), Some(_)) if !always => Some(own.to_owned()),
        (own, overriding) => overriding.or_else(|| own.map(str::to_owned)),
    };
    let scheme = uri.scheme.map(|scheme| match Scheme::try_from(scheme) {
        Ok(Scheme::Http) => "http".to_owned(),
        Ok(Scheme::Https | Scheme::Unspecified) | Err(_) => "https".to_owned(),
    });
    let scheme = choose(parts.scheme, scheme).unwrap_or_else(|| "https".to_owned());
    let Some(host) = choose(parts.host, uri.host.clone()) else { return String::new() };
    let port = choose(parts.port, uri.port.map(|port| port.to_string())).filter(|port| port != "0");
    let path = uri.path_override.as_ref().map(|path| format!("/{}", path.path.trim_start_matches('/')));
    let path = choose(parts.path, path).unwrap_or_else(|| "/".to_owned());
    let query = uri.query_override.as_ref().map(|query| query.query_params.clone());
    let query = choose(parts.query, query).filter(|query| !query.is_empty());
    let (port, query) = (
        port.map(|port| format!(":{port}")),
        query.map(|query| format!("?{}", query.trim_start_matches('?'))),
    );
    format!("{scheme}://{host}{}{path}{}", port.unwrap_or_default(), query.unwrap_or_default())
}

/// A URL, taken apart without judging it.
#[derive(Default)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    host: Option<&'a str>,
    port: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let Some((scheme, rest)) = url.split_once("://") else { return Self::default() };
        let rest = rest.split('#').next().unwrap_or_default();
        let (before, query) =
            rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
        let (authority, path) = before.split_at(before.find('/').unwrap_or(before.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let path = Some(path).filter(|path| !matches!(*path, "" | "/"));
        Self { scheme: Some(scheme), host: Some(host), port, path, query }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_overrides_the_parts_it_names() {
        let always = v2::UriOverride {
            scheme: Some(Scheme::Https.into()),
            host: Some("h".to_owned()),
            port: Some(1),
            path_override: Some(v2::PathOverride { path: "/p".to_owned() }),
            query_override: Some(v2::QueryOverride { query_params: "q=1".to_owned() }),
            ..Default::default()
        };
        let fill = v2::UriOverride {
            uri_override_enforce_mode: UriOverrideEnforceMode::IfNotExists.into(),
            ..always.clone()
        };
        let host = v2::UriOverride { host: Some("h".to_owned()), port: Some(0), ..Default::default() };
        let check =
            |uri: &v2::UriOverride, url, expected: &str| assert_eq!(url_of(uri, url), expected, "{url}");
        check(&always, "", "https://h:1/p?q=1");
        check(&always, "http://own:2/path?query#fragment", "https://h:1/p?q=1");
        check(&fill, "http://own:2/path?query", "http://own:2/path?query");
        check(&fill, "http://own", "http://own:1/p?q=1");
        check(&fill, "", "https://h:1/p?q=1");
        check(&host, "http://[::1]:2/path?query", "http://h/path?query");
        check(&v2::UriOverride::default(), "", "");
    }
}
