//! Hosts, URLs and paths.
//!
//! Errors are constants: the value may have come from the environment and must not be repeated.

use crate::model::Origin;

/// RFC 1035, section 2.3.4.
const HOST_LENGTH_MAX: usize = 253;
const LABEL_LENGTH_MAX: usize = 63;
const HTTP_PORT: u16 = 80;

/// Reads `http://host[:port]`.
pub(crate) fn origin(url: &str) -> Result<Origin, &'static str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("it does not begin with `http://`");
    };
    match scheme {
        "http" => {}
        "https" => return Err("https to a server outside the platform is not supported yet"),
        _ => return Err("it does not begin with `http://`"),
    }
    if rest.contains('@') {
        return Err("a user name or password has no place in it");
    }
    if rest.contains(['/', '?', '#']) {
        return Err("it ends after the port; requests keep their own path");
    }
    // The colon of the port is the one behind the bracket, if there is one.
    let ports_colon = rest.rfind(':').filter(|colon| !rest[*colon..].contains(']'));
    let (host, port) = match ports_colon {
        None => (rest, HTTP_PORT),
        Some(colon) => match rest[colon + 1..].parse() {
            Ok(port) if port > 0 && !rest[colon + 1..].starts_with('+') => (&rest[..colon], port),
            _ => return Err("its port is not a number between 1 and 65535"),
        },
    };
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let valid = match v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host),
    };
    if !valid {
        return Err("its host is neither a name nor an address");
    }
    Ok(Origin { host: v6.unwrap_or(host).to_ascii_lowercase(), port })
}

/// Reads what browsers send as `Origin`, perhaps with `*.` for one label of the host: lower case, and without the
/// port that its scheme implies.
pub(crate) fn web_origin(text: &str) -> Result<String, &'static str> {
    let lower = text.to_ascii_lowercase();
    let Some((scheme, rest)) = lower.split_once("://") else {
        return Err("it has a scheme: `https://…`");
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return Err("its scheme is none");
    }
    if rest.contains(['/', '?', '#', '@']) {
        return Err("it is a scheme, a host and perhaps a port: no `/` behind them");
    }
    let rest = match scheme {
        "http" => rest.strip_suffix(":80").unwrap_or(rest),
        "https" => rest.strip_suffix(":443").unwrap_or(rest),
        _ => rest,
    };
    // The star stands for a label; what is left must be an origin without it.
    let plain = rest.strip_prefix("*.").unwrap_or(rest);
    if plain.contains('*') {
        return Err("a `*` may only stand for the first label: `https://*.example.com`");
    }
    origin(&format!("http://{plain}"))?;
    Ok(format!("{scheme}://{rest}"))
}

/// A host name or an IPv4 address (whose form is a special case of a name's).
pub(crate) fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_LENGTH_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            // The underscore is not in RFC 1123, but in the names of many Docker Compose services.
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= HOST_LENGTH_MAX && host.split('.').all(is_label)
}

/// `name@host`, as far as it can be told without asking the host.
pub(crate) fn is_mailbox(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_graphic() && !b"@,;<>()[]\\\"".contains(&b))
            && is_host(host)
    })
}

/// Whether something follows one of these beginnings. The rest is judged by whoever connects.
pub(crate) fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()))
}

/// A path as it stands in a request line: begins with `/`, RFC 3986 characters, no query.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(is_path_byte)
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_host_and_a_port() {
        let check = |url: &str, expected: &str| {
            assert_eq!(origin(url).expect(url).to_string(), expected, "{url}");
        };
        check("http://127.0.0.1:9000", "127.0.0.1:9000");
        check("http://Legacy.example", "legacy.example:80");
        check("http://[::1]:81", "[::1]:81");
        check("http://[::1]", "[::1]:80");
        check("http://my_service:81", "my_service:81");
    }

    #[test]
    fn a_web_origin_is_what_browsers_send() {
        let check = |text: &str, expected: Result<&str, &str>| match (web_origin(text), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("https://App.Example.com", Ok("https://app.example.com"));
        check("https://app.example.com:443", Ok("https://app.example.com"));
        check("http://localhost:5173", Ok("http://localhost:5173"));
        check("http://[::1]:80", Ok("http://[::1]"));
        check("https://*.example.com:8443", Ok("https://*.example.com:8443"));
        check("capacitor://localhost", Ok("capacitor://localhost"));
        check("app.example.com", Err("scheme"));
        check("null", Err("scheme"));
        check("://x", Err("scheme"));
        check("https://app.example.com/", Err("no `/`"));
        check("https://a.*.com", Err("first label"));
        check("https://*", Err("first label"));
        check("https://a b", Err("host"));
        check("https://x:0", Err("port"));
    }

    #[test]
    fn everything_else_is_refused_for_its_own_reason() {
        let check = |url: &str, expected: &str| {
            assert!(origin(url).expect_err(url).contains(expected), "{url}: {:?}", origin(url));
        };
        check("127.0.0.1:9000", "begin with");
        check("ftp://x", "begin with");
        check("https://x", "not supported yet");
        check("http://u:p@x", "password");
        check("http://x/", "ends after the port");
        check("http://x?a", "ends after the port");
        check("http://x:0", "port");
        check("http://x:+80", "port");
        check("http://x:65536", "port");
        check("http://x:", "port");
        check("http://", "host");
        check("http://a..b", "host");
        check("http://é", "host");
        check("http://::1", "host");
        check("http://[zz]:1", "host");
    }
}
