//! What stands between a client and a service: who may ask, how often, from where, and what answers say to browsers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::Text;

/// `[auth]`: whose tokens are believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    pub jwks: Option<Jwks>,
    /// `[[auth.keys]]`; with [`Auth::jwks`] absent, at least one.
    pub keys: Vec<Key>,
    /// Of keys from a JWKS; each of [`Auth::keys`] names its own.
    pub algorithms: Vec<Algorithm>,
    /// The `iss` a token must have.
    pub issuer: Option<Text>,
    /// A token must be meant for one of these; empty: for anybody.
    pub audience: Vec<String>,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// Where a JSON Web Key Set (RFC 7517) is.
#[derive(Clone, Debug, PartialEq)]
pub enum Jwks {
    Url(Text),
    Service { service: String, path: String },
}

/// A key that stands in the manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// `None`: for tokens that name no `kid`.
    pub id: Option<String>,
    pub algorithm: Algorithm,
    /// PEM of a public key, or the secret of HS256.
    pub material: Text,
}

/// The signatures taken (RFC 7518, RFC 8037). What is not listed is refused, `none` always.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
    Hs256,
}

/// `[api_keys.NAME]`: a client that shows a key instead of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    pub scopes: Vec<String>,
    pub roles: Vec<String>,
}

/// The guards of one route, `[defaults]` filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guards {
    pub auth: Credentials,
    pub require: Require,
    pub limit: Option<Limit>,
    pub cors: Option<Cors>,
    /// Host names served, `*.example.com` for exactly one more label; empty: all. Lower case.
    pub hosts: Vec<String>,
    pub networks: Networks,
    pub security: Option<Security>,
    pub sticky: Option<Sticky>,
}

/// `auth = "…"`: what a request must show.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Credentials {
    /// `"none"`
    #[default]
    None,
    /// `"jwt"`
    Jwt,
    /// `"key"`
    ApiKey,
    /// `"any"`: a token or a key.
    Any,
}

/// `require = { … }`: what the credentials must say; all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Require {
    /// In `scope` (RFC 8693 4.2), words in one string or a list, or `scp`.
    pub scopes: Vec<String>,
    /// In `roles` or `role`: one of these is enough.
    pub roles: Vec<String>,
    /// Claims with exactly this text.
    pub claims: BTreeMap<String, String>,
}

/// `limit = { … }`: a GCRA bucket for each `per`.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Requests per second.
    pub rate: f64,
    /// Requests at once.
    pub burst: u32,
    pub per: Per,
}

/// Who shares a bucket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Per {
    /// `"ip"`; an IPv6 client is its /64.
    Ip,
    /// `"user"`: the verified subject; the address where there is none.
    User,
    /// `"key"`: the API key; the address where there is none.
    ApiKey,
    /// `"route"`
    Route,
    /// `"header:X-Tenant"`, lower case; requests without it share one.
    Header(String),
}

/// `cors = { … }` (WHATWG Fetch).
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    pub origins: Origins,
    /// Upper case; empty: those of the request.
    pub methods: Vec<String>,
    /// Lower case; empty: those of the request.
    pub headers: Vec<String>,
    /// Response headers a page may read.
    pub expose: Vec<String>,
    pub credentials: bool,
    pub max_age: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Origins {
    /// `["*"]`; never with credentials.
    Any,
    /// `https://app.example.com`, `https://*.example.com`; lower case.
    Listed(Vec<String>),
}

/// `networks = { … }`: a client in `deny` is refused; if `allow` is not empty, so is one outside of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Networks {
    pub allow: Vec<Network>,
    pub deny: Vec<Network>,
}

/// `10.0.0.0/8`; a bare address is a network of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    pub address: IpAddr,
    pub bits: u8,
}

/// `security = { … }`: headers for browsers, where the service says nothing itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Security {
    /// `Strict-Transport-Security`, where set.
    pub hsts: Option<Duration>,
    /// `X-Frame-Options`.
    pub frame: Option<String>,
    /// `Referrer-Policy`.
    pub referrer: Option<String>,
    /// `Content-Security-Policy`.
    pub content: Option<String>,
    /// `Permissions-Policy`.
    pub permissions: Option<String>,
}

/// `sticky = { … }`: a client stays with its instance, as long as there is one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sticky {
    pub cookie: String,
    /// `None`: until the browser closes.
    pub ttl: Option<Duration>,
}

/// `cache = { … }` of a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Caching {
    /// How long an answer is fresh that says nothing of it.
    pub ttl: Option<Duration>,
    /// Each user has answers of his own; only this stores what an authorised request got, unless the origin says `public`.
    pub per_user: bool,
    pub query: Query,
    /// Largest body stored, in bytes.
    pub size: u64,
    /// Heuristic freshness (RFC 9111 4.2.2).
    pub heuristic: bool,
}

/// Which parameters of a query tell answers apart; they are sorted by name, values in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Query {
    #[default]
    All,
    Only(Vec<String>),
    /// A name may end with `*`.
    Ignore(Vec<String>),
}

/// `[cache]`
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// Bytes of memory for entries.
    pub memory: u64,
    /// How long one exchange with Redis may take.
    pub redis_timeout: Duration,
}
