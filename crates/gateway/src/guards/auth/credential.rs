//! What a request shows: exactly one credential, or it is refused.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use mare_manifest::model::guard::Credentials;

use super::refused::Reason;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A token for this much more than any issuer puts into one; servers behind us take heads of 8 to 16 KiB.
const TOKEN_MAX: usize = 8 * 1024;

/// Ours have 48 characters.
const KEY_MAX: usize = 512;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Credential<'a> {
    Token(&'a [u8]),
    Key(&'a [u8]),
}

/// Reads the credential of a request. Two are refused even if both are good: a service behind us could take the other.
pub(super) fn read(headers: &HeaderMap, auth: Credentials) -> Result<Credential<'_>, Reason> {
    let authorization = single(headers, &AUTHORIZATION)?;
    let takes_keys = matches!(auth, Credentials::ApiKey | Credentials::Any);
    let key = if takes_keys { single(headers, &X_API_KEY)? } else { None };
    match (authorization, key) {
        (Some(_), Some(_)) => Err(Reason::Several),
        (None, None) => Err(Reason::Missing),
        (None, Some(value)) => self::key(value.as_bytes()),
        (Some(line), None) => of_authorization(line, auth),
    }
}

fn of_authorization(line: &HeaderValue, auth: Credentials) -> Result<Credential<'_>, Reason> {
    let line = line.as_bytes();
    let space = line.iter().position(|byte| *byte == b' ').ok_or(Reason::Missing)?;
    let (scheme, value) = (&line[..space], line[space..].trim_ascii());
    let is = |name: &[u8]| scheme.eq_ignore_ascii_case(name);
    match auth {
        Credentials::Jwt if is(b"Bearer") => token(value),
        Credentials::ApiKey if is(b"Bearer") || is(b"ApiKey") => key(value),
        Credentials::Any if is(b"ApiKey") => key(value),
        // A token has two points, and none of our keys has any.
        Credentials::Any if is(b"Bearer") && value.contains(&b'.') => token(value),
        Credentials::Any if is(b"Bearer") => key(value),
        Credentials::None | Credentials::Jwt | Credentials::ApiKey | Credentials::Any => Err(Reason::Missing),
    }
}

fn token(value: &[u8]) -> Result<Credential<'_>, Reason> {
    bounded(value, TOKEN_MAX).map(Credential::Token)
}

fn key(value: &[u8]) -> Result<Credential<'_>, Reason> {
    bounded(value, KEY_MAX).map(Credential::Key)
}

fn bounded(value: &[u8], max: usize) -> Result<&[u8], Reason> {
    match value.len() {
        0 => Err(Reason::Missing),
        length if length > max => Err(Reason::TooLong),
        _ => Ok(value),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Reason> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next();
    if lines.next().is_some() { Err(Reason::Several) } else { Ok(first) }
}

#[cfg(test)]
mod tests {
    use Credential::{Key, Token};
    use Credentials::{Any, ApiKey, Jwt, None};

    use super::*;

    const AUTH: &str = "authorization";
    const KEY: &str = "x-api-key";

    #[test]
    fn one_credential_is_read_and_no_other() {
        let check = |auth, lines: &[(&'static str, &str)], expected: Result<Credential<'_>, Reason>| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
            }
            assert_eq!(read(&headers, auth), expected, "{auth:?} {lines:?}");
        };
        check(Jwt, &[(AUTH, "Bearer a.b.c")], Ok(Token(b"a.b.c")));
        check(Jwt, &[(AUTH, "bEARER  a.b.c")], Ok(Token(b"a.b.c")));
        check(Jwt, &[(AUTH, "Bearer a.b.c"), (KEY, "for the service")], Ok(Token(b"a.b.c")));
        check(Jwt, &[], Err(Reason::Missing));
        check(Jwt, &[(KEY, "k")], Err(Reason::Missing));
        check(Jwt, &[(AUTH, "Basic dTpw")], Err(Reason::Missing));
        check(Jwt, &[(AUTH, "ApiKey k")], Err(Reason::Missing));
        check(Jwt, &[(AUTH, "Bearer")], Err(Reason::Missing));
        check(Jwt, &[(AUTH, "Bearer ")], Err(Reason::Missing));
        check(Jwt, &[(AUTH, "Bearera.b.c")], Err(Reason::Missing));
        check(Jwt, &[(AUTH, "Bearer a.b.c"), (AUTH, "Bearer a.b.c")], Err(Reason::Several));
        check(Jwt, &[(AUTH, "Basic x"), (AUTH, "Bearer a.b.c")], Err(Reason::Several));
        check(Jwt, &[(AUTH, &format!("Bearer {}", "a".repeat(TOKEN_MAX + 1)))], Err(Reason::TooLong));

        check(ApiKey, &[(KEY, "k")], Ok(Key(b"k")));
        check(ApiKey, &[(AUTH, "Bearer k")], Ok(Key(b"k")));
        check(ApiKey, &[(AUTH, "apikey k")], Ok(Key(b"k")));
        check(ApiKey, &[(AUTH, "Bearer a.b.c")], Ok(Key(b"a.b.c")));
        check(ApiKey, &[(KEY, "k"), (KEY, "k")], Err(Reason::Several));
        check(ApiKey, &[(KEY, "k"), (AUTH, "Basic dTpw")], Err(Reason::Several));
        check(ApiKey, &[(KEY, "")], Err(Reason::Missing));
        check(ApiKey, &[(KEY, &"k".repeat(KEY_MAX + 1))], Err(Reason::TooLong));

        check(Any, &[(AUTH, "Bearer a.b.c")], Ok(Token(b"a.b.c")));
        check(Any, &[(AUTH, "Bearer k")], Ok(Key(b"k")));
        check(Any, &[(AUTH, "ApiKey k")], Ok(Key(b"k")));
        check(Any, &[(KEY, "k")], Ok(Key(b"k")));
        check(Any, &[(AUTH, "Bearer a.b.c"), (KEY, "k")], Err(Reason::Several));
        check(Any, &[(AUTH, "Negotiate x")], Err(Reason::Missing));
        check(None, &[(AUTH, "Bearer a.b.c")], Err(Reason::Missing));
    }
}
