//! Why credentials are refused, and what a client is told of it (RFC 6750 3).

use http::header::{HeaderValue, WWW_AUTHENTICATE};
use mare_manifest::model::guard::{Credentials, Require};

use crate::problem::{Code, Refusal};

/// One for each thing a client, or an operator who reads the metrics, may have to mend.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Reason {
    Missing,
    Several,
    TooLong,
    Malformed,
    Algorithm,
    UnknownKey,
    Signature,
    Expired,
    Early,
    Issuer,
    Audience,
    Claims,
    ApiKey,
    Scope,
    Role,
    Claim,
    KeysAway,
    Crowded,
}

impl Reason {
    /// The label of the metric.
    pub(crate) fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// Label, code, and what the client is told: nothing of what would have been right.
    fn facts(self) -> (&'static str, Code, &'static str) {
        use Code::{Forbidden, KeysUnavailable, TokenInvalid, Unauthenticated};
        match self {
            Self::Missing => ("missing", Unauthenticated, "credentials are needed"),
            Self::Several => ("several", Unauthenticated, "more than one credential was sent"),
            Self::TooLong => ("too-long", TokenInvalid, "the token is too long"),
            Self::Malformed => ("malformed", TokenInvalid, "the token is malformed"),
            Self::Algorithm => ("algorithm", TokenInvalid, "the token's algorithm is not accepted"),
            Self::UnknownKey => ("unknown-key", TokenInvalid, "the token's key is not known"),
            Self::Signature => ("signature", TokenInvalid, "the token's signature is not valid"),
            Self::Expired => ("expired", TokenInvalid, "the token has expired"),
            Self::Early => ("early", TokenInvalid, "the token is not valid yet"),
            Self::Issuer => ("issuer", TokenInvalid, "the token is from another issuer"),
            Self::Audience => ("audience", TokenInvalid, "the token is meant for somebody else"),
            Self::Claims => ("claims", TokenInvalid, "the token's claims are not valid"),
            Self::ApiKey => ("api-key", TokenInvalid, "the API key is not valid"),
            Self::Scope => ("scope", Forbidden, "a scope is missing"),
            Self::Role => ("role", Forbidden, "a role is missing"),
            Self::Claim => ("claim", Forbidden, "a claim is missing"),
            Self::KeysAway => {
                ("keys-away", KeysUnavailable, "the token's key cannot be fetched at the moment")
            }
            Self::Crowded => ("crowded", KeysUnavailable, "too many requests wait for keys"),
        }
    }

    /// The answer of a route that wants `auth` and `require`.
    pub(crate) fn refuse(self, auth: Credentials, require: &Require) -> Refusal {
        let (_, code, description) = self.facts();
        let refusal = Refusal::new(code, description);
        if code == Code::KeysUnavailable {
            return refusal.retry_after(1);
        }
        challenges(auth)
            .map(|scheme| self.challenge(scheme, code, require))
            .fold(refusal, |refusal, challenge| refusal.header(WWW_AUTHENTICATE, challenge))
    }

    fn challenge(self, scheme: &str, code: Code, require: &Require) -> HeaderValue {
        let (_, _, description) = self.facts();
        let text = match code {
            Code::TokenInvalid => {
                format!("{scheme} error=\"invalid_token\", error_description=\"{description}\"")
            }
            Code::Forbidden => {
                let scope = require.scopes.join(" ");
                let scope = if self == Self::Scope && is_quotable(&scope) {
                    format!(", scope=\"{scope}\"")
                } else {
                    String::new()
                };
                format!("{scheme} error=\"insufficient_scope\", error_description=\"{description}\"{scope}")
            }
            // Without credentials a client learns no more than which to send (RFC 6750 3.1).
            _ => format!("{scheme} realm=\"api\""),
        };
        HeaderValue::from_str(&text).expect("quoted ASCII")
    }
}

/// The schemes a route takes.
fn challenges(auth: Credentials) -> impl Iterator<Item = &'static str> {
    let takes_tokens = matches!(auth, Credentials::Jwt | Credentials::Any);
    let takes_keys = matches!(auth, Credentials::ApiKey | Credentials::Any);
    takes_tokens.then_some("Bearer").into_iter().chain(takes_keys.then_some("ApiKey"))
}

fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use Credentials::{Any, ApiKey, Jwt};

    use super::*;

    #[test]
    fn challenges_say_what_to_send_and_what_was_wrong() {
        let check = |reason: Reason, auth, status: u16, expected: &[&str]| {
            let scopes = vec!["read".to_owned(), "write".to_owned()];
            let refusal = reason.refuse(auth, &Require { scopes, ..Require::default() });
            let lines: Vec<&str> =
                refusal.headers.iter().map(|(_, value)| value.to_str().expect("ASCII")).collect();
            assert_eq!((refusal.code.status().as_u16(), lines.as_slice()), (status, expected), "{reason:?}");
        };
        check(Reason::Missing, Jwt, 401, &["Bearer realm=\"api\""]);
        check(Reason::Missing, Any, 401, &["Bearer realm=\"api\"", "ApiKey realm=\"api\""]);
        let expired = "Bearer error=\"invalid_token\", error_description=\"the token has expired\"";
        check(Reason::Expired, Jwt, 401, &[expired]);
        let wrong = "ApiKey error=\"invalid_token\", error_description=\"the API key is not valid\"";
        check(Reason::ApiKey, ApiKey, 401, &[wrong]);
        let scope = "Bearer error=\"insufficient_scope\", error_description=\"a scope is missing\", scope=\"read write\"";
        check(Reason::Scope, Jwt, 403, &[scope]);
        check(Reason::KeysAway, Jwt, 503, &[]);
    }

    #[test]
    fn a_scope_that_cannot_be_quoted_is_left_out() {
        let require = Require { scopes: vec!["a\"b".to_owned()], ..Require::default() };
        let refusal = Reason::Scope.refuse(Credentials::Jwt, &require);
        assert!(!refusal.headers[0].1.to_str().expect("ASCII").contains("scope=\""));
    }
}
