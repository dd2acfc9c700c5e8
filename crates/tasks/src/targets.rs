//! Where a task may go: which URL means a service, which an allowed host outside, and which is refused.
//!
//! Pure. The API asks when a task is created, the dispatcher before every attempt and at every redirect: what the
//! manifest allows may have changed in between. Whoever connects must use the host and port given here, never parse
//! the URL again, and must ask [`Targets::check_address`] about every address a name resolves to.

pub mod http_target;
mod url;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use url::Url;

/// `http://NAME.mare.internal/path` is the service NAME, whatever its port is today.
const INTERNAL: &str = ".mare.internal";

/// Cloud metadata services that are not on a link-local address: of Alibaba Cloud, and of AWS over IPv6.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// What is known about places.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    services: Vec<(Arc<str>, SocketAddr)>,
    external: Vec<Allowed>,
    own: Vec<SocketAddr>,
}

/// An entry of `[tasks] external`.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Allowed {
    host: String,
    /// `None`: any.
    port: Option<u16>,
}

/// Where a URL leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    Service { name: Arc<str>, path_and_query: String },
    External(External),
    Refused(Refusal),
}

/// A server outside the platform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct External {
    pub tls: bool,
    /// A name in lower case, or an address without brackets.
    pub host: String,
    pub port: u16,
    /// As the client wrote it, at least `/`; it may still not be a valid request target.
    pub path_and_query: String,
}

/// Why a task may not go there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("the URL must be http:// or https:// with a host, and without credentials")]
    NotAUrl,
    #[error("the manifest has no service `{0}`")]
    NoService(String),
    #[error("{host} is not allowed as a target; add \"{host}\" to `external` in [tasks] of mare.toml")]
    NotAllowed { host: String },
    #[error("{0} is one of Maré's own listeners; name the service as http://NAME.mare.internal")]
    OwnListener(String),
    #[error("{0} is an address no task may reach")]
    Forbidden(IpAddr),
    #[error("{0} is a private address; add the address itself to `external` in [tasks] of mare.toml")]
    Private(IpAddr),
}

/// An entry of `external` that is not `host` or `host:port`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a host or host:port")]
pub struct BadHost(pub String);

impl Targets {
    /// `services` with the address of each one's `MARE_URL_*` listener; `own`: the other listeners of this process.
    pub fn new(
        services: Vec<(Arc<str>, SocketAddr)>,
        external: &[String],
        own: Vec<SocketAddr>,
    ) -> Result<Self, BadHost> {
        let external = external.iter().map(|entry| Allowed::parse(entry)).collect::<Result<_, _>>()?;
        Ok(Self { services, external, own })
    }

    pub fn classify(&self, url: &str) -> Place {
        let Some(Url { tls, host, port, path_and_query }) = Url::parse(url) else {
            return Place::Refused(Refusal::NotAUrl);
        };
        if let Some(name) = host.strip_suffix(INTERNAL) {
            return match self.services.iter().find(|(service, _)| **service == *name) {
                Some((name, _)) => Place::Service { name: Arc::clone(name), path_and_query },
                None => Place::Refused(Refusal::NoService(name.to_owned())),
            };
        }
        let literal = literal(&host);
        if let Some(address) = literal.map(|ip| SocketAddr::new(ip, port)) {
            let is_it = |listener: &&(Arc<str>, SocketAddr)| listens_at(listener.1, address);
            if let Some((name, _)) = self.services.iter().find(is_it) {
                return Place::Service { name: Arc::clone(name), path_and_query };
            }
            if self.is_own(address) {
                return Place::Refused(Refusal::OwnListener(address.to_string()));
            }
        }
        if !self.external.iter().any(|allowed| allowed.covers(&host, port)) {
            let shown =
                if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
            return Place::Refused(Refusal::NotAllowed { host: shown });
        }
        if let Some(Err(refusal)) = literal.map(|ip| self.check_address(SocketAddr::new(ip, port))) {
            return Place::Refused(refusal);
        }
        Place::External(External { tls, host, port, path_and_query })
    }

    /// The form of a URL that stays valid when ports change; `None` where it is that already, or means no service.
    pub fn stable(&self, url: &str) -> Option<String> {
        let Place::Service { name, path_and_query } = self.classify(url) else { return None };
        let stable = format!("http://{name}{INTERNAL}{path_and_query}");
        (stable != url).then_some(stable)
    }

    /// Whether an allowed name that resolved to this address may be connected to. Private addresses must be listed
    /// themselves: a name of somebody else's may be pointed at them at any time.
    pub fn check_address(&self, address: SocketAddr) -> Result<(), Refusal> {
        let ip = address.ip().to_canonical();
        let services = self.services.iter().map(|(_, listener)| *listener);
        if self.is_own(address) || services.into_iter().any(|listener| listens_at(listener, address)) {
            return Err(Refusal::OwnListener(address.to_string()));
        }
        if is_forbidden(ip) {
            return Err(Refusal::Forbidden(ip));
        }
        let is_listed = |allowed: &Allowed| {
            literal(&allowed.host) == Some(ip) && allowed.port.is_none_or(|port| port == address.port())
        };
        if is_private(ip) && !self.external.iter().any(is_listed) {
            return Err(Refusal::Private(ip));
        }
        Ok(())
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        self.own.iter().any(|own| listens_at(*own, address))
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Self, BadHost> {
        let bad = || BadHost(entry.to_owned());
        let has_port = entry.parse::<IpAddr>().is_err() && !entry.ends_with(']') && entry.contains(':');
        let bracketed = match entry.parse::<Ipv6Addr>() {
            Ok(_) => format!("http://[{entry}]"),
            Err(_name) => format!("http://{entry}"),
        };
        let url = Url::parse(&bracketed).filter(|url| url.path_and_query == "/" && !entry.ends_with('/'));
        let url = url.ok_or_else(bad)?;
        Ok(Self { host: url.host, port: has_port.then_some(url.port) })
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        let same = match (literal(&self.host), literal(host)) {
            (Some(one), Some(other)) => one == other,
            _ => self.host == host,
        };
        same && self.port.is_none_or(|allowed| allowed == port)
    }
}

/// The address a host is without asking anybody.
fn literal(host: &str) -> Option<IpAddr> {
    if host == "localhost" {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Whether connecting to `address` reaches a socket bound to `listener`. Linux takes "any address" for loopback.
fn listens_at(listener: SocketAddr, address: SocketAddr) -> bool {
    let (bound, ip) = (listener.ip().to_canonical(), address.ip().to_canonical());
    let is_here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    let reaches = bound == ip || is_here(bound) && is_here(ip);
    listener.port() == address.port() && reaches
}

/// Link-local (where clouds keep their credentials), metadata, and what is not one host.
fn is_forbidden(ip: IpAddr) -> bool {
    METADATA.contains(&ip)
        || match ip {
            IpAddr::V4(ip) => {
                ip.octets()[0] == 0 || ip.is_link_local() || ip.is_multicast() || ip.octets()[0] >= 240
            }
            IpAddr::V6(ip) => {
                let embedded = embedded(ip).is_some_and(|ip| is_forbidden(IpAddr::V4(ip)));
                ip.is_unspecified() || ip.is_unicast_link_local() || ip.is_multicast() || embedded
            }
        }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // 100.64.0.0/10 is what carriers and some clouds use inside (RFC 6598), 198.18.0.0/15 is for benchmarks.
            ip.is_loopback() || ip.is_private() || a == 100 && b & 0xc0 == 64 || a == 198 && b & 0xfe == 18
        }
        IpAddr::V6(ip) => {
            let embedded = embedded(ip).is_some_and(|ip| is_private(IpAddr::V4(ip)));
            ip.is_loopback() || ip.is_unique_local() || embedded
        }
    }
}

/// The IPv4 address a translator would take from this one: NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) = ip.segments() else {
        return None;
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests;
