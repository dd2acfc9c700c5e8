//! Who is aimed at, and whether that is allowed.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long the target may take to accept the first connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where all requests go.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Endpoint {
    /// `http://host:port`, without a path.
    pub url: String,
    pub is_tls: bool,
    pub host: String,
    /// As in the `Host` header.
    pub authority: String,
    /// The only address connected to: it has been judged.
    pub address: SocketAddr,
}

/// Why nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("`{0}` is not a target: write http://host:port or https://host:port")]
    NotATarget(String),
    #[error("cannot find the host `{host}`: {source}")]
    Unknown { host: String, source: std::io::Error },
    #[error(
        "{host} ({address}) is neither this machine nor a private network; load is only sent to hosts you own: \
         say `--i-own-this-host {host}`"
    )]
    Public { host: String, address: IpAddr },
    #[error("cannot reach {url}: {why}")]
    Unreachable { url: String, why: String },
}

impl Endpoint {
    /// Finds the target's address and connects once to see that somebody listens. `owned` is the host that may be
    /// public.
    pub async fn resolve(url: &str, owned: Option<&str>) -> Result<Self, Refusal> {
        let mut endpoint = Self::parse(url)?;
        let host = endpoint.host.clone();
        let unknown = |source| Refusal::Unknown { host: host.clone(), source };
        let lookup = timeout(PATIENCE, lookup_host((host.as_str(), endpoint.address.port()))).await;
        let lookup = lookup.map_err(|_elapsed| unknown(std::io::ErrorKind::TimedOut.into()))?;
        let addresses: Vec<SocketAddr> = lookup.map_err(unknown)?.collect();
        let public = addresses.iter().find(|address| !is_near(address.ip()));
        if let Some(public) = public.filter(|_| owned != Some(&endpoint.host)) {
            return Err(Refusal::Public { host, address: public.ip() });
        }
        let mut why = "the name has no address".to_owned();
        for address in addresses {
            match timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(_reached)) => {
                    endpoint.address = address;
                    return Ok(endpoint);
                }
                Ok(Err(error)) => why = reason(&error),
                Err(_elapsed) => why = format!("no answer in {PATIENCE:?}"),
            }
        }
        Err(Refusal::Unreachable { url: endpoint.url, why })
    }

    /// Its address is not known yet.
    fn parse(url: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal::NotATarget(url.to_owned());
        let uri: Uri = url.parse().map_err(|_invalid| wrong())?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(wrong());
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self {
            url: format!("{}://{authority}", if is_tls { "https" } else { "http" }),
            is_tls,
            host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            authority: authority.to_string(),
            address: (IpAddr::from([0, 0, 0, 0]), port).into(),
        })
    }
}

/// In words, without the number of the error.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::Other | std::io::ErrorKind::InvalidData => error.to_string(),
        // Of the kernel's codes, the kind is what a reader wants.
        kind if error.raw_os_error().is_some() => kind.to_string(),
        _ => error.to_string(),
    }
}

/// This machine, or a network nobody routes to from outside.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_addresses_are_aimed_at_unasked() {
        for near in ["127.0.0.1", "127.9.8.7", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.0.9", "::1"]
        {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for near in ["fd00::1", "fe80::1", "::ffff:10.0.0.1"] {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in ["8.8.8.8", "172.32.0.1", "0.0.0.0", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }

    #[test]
    fn a_target_is_scheme_and_authority() {
        let check = |url: &str, expected: Option<(&str, &str, u16)>| {
            let parsed = Endpoint::parse(url).ok();
            let found = parsed.as_ref().map(|it| (it.url.as_str(), it.host.as_str(), it.address.port()));
            assert_eq!(found, expected, "{url}");
        };
        check("http://127.0.0.1:8080", Some(("http://127.0.0.1:8080", "127.0.0.1", 8080)));
        check("https://shop.local/", Some(("https://shop.local", "shop.local", 443)));
        check("http://[::1]:9", Some(("http://[::1]:9", "::1", 9)));
        for wrong in ["127.0.0.1:8080", "ftp://a", "http://a/b", "http://u:p@a", "http://a/?q", ""] {
            check(wrong, None);
        }
    }

    #[tokio::test]
    async fn a_public_address_needs_the_owners_word() {
        let refused = Endpoint::resolve("http://192.0.2.1:1", None).await;
        assert!(matches!(refused, Err(Refusal::Public { .. })), "{refused:?}");
        let other = Endpoint::resolve("http://192.0.2.1:1", Some("192.0.2.2")).await;
        assert!(matches!(other, Err(Refusal::Public { .. })), "{other:?}");
    }

    #[tokio::test]
    async fn nobody_listening_is_said() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        assert!(Endpoint::resolve(&url, None).await.is_ok());
        drop(socket);
        let refused = Endpoint::resolve(&url, None).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("cannot reach {url}: connection refused"));
    }
}
