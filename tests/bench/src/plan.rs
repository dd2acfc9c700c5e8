//! What is measured: the subjects, the workloads, and which goes with which.

use serde::Serialize;

/// Something that answers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    Direct,
    Nginx,
    /// With `open_file_cache` for what is in its `proxy_cache`, which it has not by default.
    NginxTuned,
    Haproxy,
    /// A `url` route: proxying alone.
    MareUrl,
    /// A `service` route: proxying and the accounting of slots.
    MareService,
    /// A `files` route.
    MareFiles,
    Varnish,
    /// A route with `cache` and nothing else.
    MareHit,
    /// With a limit by address.
    MareHitLimit,
    /// With a token.
    MareHitJwt,
    /// With CORS, allowed networks and hosts, and security headers.
    MareHitHeaders,
    /// A token, a limit by user, and each user's own answers.
    MareHitGuarded,
    /// Answers with a tag.
    MareHitTagged,
    /// Answers with a tag, and Redis asked before each.
    MareHitRedis,
}

impl Subject {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Direct => "upstream, no proxy",
            Self::Nginx => "nginx",
            Self::NginxTuned => "nginx, open_file_cache",
            Self::Haproxy => "haproxy",
            Self::MareUrl => "mare, url route",
            Self::MareService => "mare, service route",
            Self::MareFiles => "mare, files route",
            Self::Varnish => "varnish",
            Self::MareHit => "mare, cache",
            Self::MareHitLimit => "mare, cache + limit",
            Self::MareHitJwt => "mare, cache + JWT",
            Self::MareHitHeaders => "mare, cache + CORS, networks, hosts, security headers",
            Self::MareHitGuarded => "mare, cache by user + JWT + limit",
            Self::MareHitTagged => "mare, cache, tagged",
            Self::MareHitRedis => "mare, cache, tagged, Redis",
        }
    }

    pub(crate) fn is_mare(self) -> bool {
        !matches!(self, Self::Direct | Self::Nginx | Self::NginxTuned | Self::Haproxy | Self::Varnish)
    }

    /// Whether its requests carry the token.
    pub(crate) fn wants_token(self) -> bool {
        matches!(self, Self::MareHitJwt | Self::MareHitGuarded)
    }

    /// Where it answers `workload`: one mare has a route for each kind of hit.
    pub(crate) fn path(self, workload: Workload) -> &'static str {
        match self {
            Self::NginxTuned => "/hit/tuned",
            Self::MareHitLimit => "/hit/limit",
            Self::MareHitJwt => "/hit/jwt",
            Self::MareHitHeaders => "/hit/headers",
            Self::MareHitGuarded => "/hit/guarded",
            Self::MareHitTagged | Self::MareHitRedis => "/tagged",
            Self::Direct
            | Self::Nginx
            | Self::Haproxy
            | Self::MareUrl
            | Self::MareService
            | Self::MareFiles
            | Self::Varnish
            | Self::MareHit => workload.path(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    Proxy,
    /// Answers out of the cache.
    Hit,
    Static1Kib,
    Static100Kib,
}

impl Workload {
    pub(crate) const ALL: [Self; 4] = [Self::Proxy, Self::Hit, Self::Static1Kib, Self::Static100Kib];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Proxy => "proxying 1 KiB",
            Self::Hit => "cached, 1 KiB",
            Self::Static1Kib => "static file, 1 KiB",
            Self::Static100Kib => "static file, 100 KiB",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Proxy => "/canned",
            Self::Hit => "/hit",
            Self::Static1Kib => "/1k.bin",
            Self::Static100Kib => "/100k.bin",
        }
    }

    /// The length of a right answer's body, in bytes.
    pub(crate) fn body_len(self) -> usize {
        match self {
            Self::Proxy | Self::Hit | Self::Static1Kib => 1024,
            Self::Static100Kib => 100 * 1024,
        }
    }

    /// In the order of even rounds.
    pub(crate) fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Proxy => {
                &[Subject::Direct, Subject::Nginx, Subject::Haproxy, Subject::MareUrl, Subject::MareService]
            }
            Self::Hit => &[
                Subject::Nginx,
                Subject::NginxTuned,
                Subject::Varnish,
                Subject::MareHit,
                Subject::MareHitLimit,
                Subject::MareHitJwt,
                Subject::MareHitHeaders,
                Subject::MareHitGuarded,
                Subject::MareHitTagged,
                Subject::MareHitRedis,
            ],
            Self::Static1Kib | Self::Static100Kib => &[Subject::Nginx, Subject::MareFiles],
        }
    }
}

/// Keep-alive connections. 64 keeps every proxy busy, 512 is where queues and memory show.
pub(crate) const CONNECTIONS: [u32; 2] = [64, 512];
