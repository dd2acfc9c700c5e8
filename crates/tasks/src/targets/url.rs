//! A URL, taken apart as strictly as needed to know which host it means.

#[derive(Debug, Eq, PartialEq)]
pub(super) struct Url {
    pub(super) tls: bool,
    /// In lower case, without brackets and without a final dot.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path_and_query: String,
}

impl Url {
    /// `None` where programs might disagree about the host: credentials, backslashes, blanks, escapes in the host.
    /// What follows the host is taken as it is, without the fragment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_unclear = |byte: u8| byte <= b' ' || byte == b'\\' || byte == 0x7f;
        if text.bytes().any(is_unclear) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = Self::split_port(authority)?;
        let port = match port {
            None | Some("") => Some(if tls { 443 } else { 80 }),
            // `parse` alone would take a sign.
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port != 0)
            }
            Some(_) => None,
        }?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { tls, host: host.to_ascii_lowercase(), port, path_and_query: format!("{slash}{path}") })
    }

    fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            return Some((host, port));
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_name = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        is_name.then_some((host, port))
    }
}
