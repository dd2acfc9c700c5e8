//! What ends entries: a service's word, an unsafe request, an operator.

use http::uri::Scheme;
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::key::without_default_port;
use crate::policy;
use crate::service::{Cache, Subject};
use crate::tags::Tag;

/// What is to end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Purge {
    All,
    /// Whatever has one of these.
    Tags(Vec<Tag>),
}

/// A recorded purge: no lookup that begins now answers with what it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Purged {
    pub number: u64,
    /// If that is so of all gateways: Redis has it, or there is none.
    pub is_everywhere: bool,
}

/// A request that went to a service, and what came of it.
pub struct Unsafe<'a> {
    pub method: &'a Method,
    pub scheme: &'a Scheme,
    pub authority: &'a str,
    /// Origin form.
    pub target: &'a str,
    pub subject: Option<&'a Subject>,
    /// `None`: sent, and nobody knows what came of it.
    pub answer: Option<(StatusCode, &'a HeaderMap)>,
}

impl Purge {
    /// By names, as services give them in `Cache-Tag`.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Tags(names.into_iter().map(Tag::named).collect())
    }

    /// By an address, whatever its query: `http://host/path`, or `/path` on any host. `None`: it is neither.
    pub fn address(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let tag = match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => address(scheme, authority.as_str(), uri.path()),
            (None, None) if text.starts_with('/') => Tag::path(uri.path()),
            _ => return None,
        };
        Some(Self::Tags(vec![tag]))
    }

    /// Both at once.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Tags(mut tags), Self::Tags(more)) => {
                tags.extend(more);
                Self::Tags(tags)
            }
            (Self::All, Self::All | Self::Tags(_)) | (Self::Tags(_), Self::All) => Self::All,
        }
    }
}

/// The tag of an address as requests and people write it.
pub(crate) fn address(scheme: &Scheme, authority: &str, path: &str) -> Tag {
    Tag::address(&without_default_port(authority, scheme).to_ascii_lowercase(), path)
}

impl Cache {
    /// What an exchange with a service ends: what the answer names in `Cache-Purge`, and what an unsafe method makes out
    /// of date (RFC 9111 4.4). To be purged before the client hears of the answer, on every listener.
    pub fn of_unsafe(&self, exchange: &Unsafe<'_>) -> Option<Purge> {
        let path = exchange.target.split('?').next().unwrap_or_default();
        let Some((status, response)) = exchange.answer else {
            let address = address(exchange.scheme, exchange.authority, path);
            let subject = exchange.subject.map(Tag::subject);
            let tags =
                (!exchange.method.is_safe()).then(|| [address].into_iter().chain(subject).collect())?;
            return Some(Purge::Tags(tags));
        };
        let mut tags: Vec<Tag> = match policy::purges(response) {
            policy::Purges::All => return Some(Purge::All),
            policy::Purges::Tags(names) => names.iter().map(|name| Tag::named(name)).collect(),
            policy::Purges::Nothing => Vec::new(),
        };
        let (method, authority, target) = (exchange.method, exchange.authority, exchange.target);
        let change = policy::Change { method, authority, target, status, response };
        for target in policy::invalidated(&change) {
            let path = target.split('?').next().unwrap_or_default();
            tags.push(address(exchange.scheme, authority, path));
        }
        (!tags.is_empty()).then_some(Purge::Tags(tags))
    }
}
