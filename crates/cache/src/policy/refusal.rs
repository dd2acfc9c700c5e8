//! Why the cache has no part in a request, or does not keep an answer.

/// Why a request is not answered by the cache and its answer is not stored.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bypass {
    /// Neither GET nor HEAD.
    Method,
    /// `Cache-Control: no-store` (RFC 9111 5.2.1.5).
    NoStore,
    /// `If-Match` or `If-Unmodified-Since`: for the origin alone (RFC 9111 4.3.2).
    Condition,
    /// It has content, which no key contains.
    Content,
    /// It asks for another protocol.
    Upgrade,
    /// `only-if-cached`, and nothing usable is stored: the client gets a 504 (RFC 9111 5.2.1.7). Said by the caller.
    OnlyIfCached,
    /// A `Range`, and nothing is stored that it could be cut from. Said by the caller.
    Range,
    /// A HEAD, and no GET's answer is stored. Said by the caller.
    Head,
    /// The route's answers were not shareable a moment ago. Said by the caller.
    Unshared,
}

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Refusal {
    /// Only what GET got is stored.
    Method,
    /// Not among the statuses that are stored, or an error whose lifetime the service did not say.
    Status,
    NoStore,
    /// `private`, in an entry that is not one user's.
    Private,
    /// The request had credentials, and the service did not say `public` (RFC 9111 3.5).
    Credentials,
    SetCookie,
    /// `Vary: *`, malformed, or too many fields.
    Vary,
    /// Malformed `Cache-Tag`, or more than are kept: a lost tag would be a lost purge.
    Tags,
    /// `Cache-Control` does not parse.
    Malformed,
    /// The service says nothing of freshness, and neither does the route.
    Silent,
    /// Stale on arrival, with nothing to revalidate it by.
    Useless,
    /// Larger than the route's `size`, or than there is room for. Said by the caller.
    Size,
    /// It has tags, and Redis, where all gateways would see them, is away. Said by the caller.
    Unrecorded,
}

impl Bypass {
    /// For `Cache-Status` and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::NoStore => "no-store",
            Self::Condition => "condition",
            Self::Content => "content",
            Self::Upgrade => "upgrade",
            Self::OnlyIfCached => "only-if-cached",
            Self::Range => "range",
            Self::Head => "head",
            Self::Unshared => "unshared",
        }
    }
}

impl Refusal {
    /// For `Cache-Status` and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Status => "status",
            Self::NoStore => "no-store",
            Self::Private => "private",
            Self::Credentials => "credentials",
            Self::SetCookie => "set-cookie",
            Self::Vary => "vary",
            Self::Tags => "tags",
            Self::Malformed => "malformed",
            Self::Silent => "silent",
            Self::Useless => "useless",
            Self::Size => "size",
            Self::Unrecorded => "unrecorded",
        }
    }
}
