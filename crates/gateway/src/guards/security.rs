//! Headers that make browsers careful.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use mare_manifest::model::guard as model;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

pub(crate) struct Security {
    /// Where the service says nothing itself.
    otherwise: Vec<(HeaderName, HeaderValue)>,
    /// The same, but never over plain HTTP (RFC 6797 7.2).
    transport: Option<HeaderValue>,
}

impl Security {
    pub(crate) fn new(security: &model::Security) -> Self {
        let texts = [
            (header::X_FRAME_OPTIONS, &security.frame),
            (header::REFERRER_POLICY, &security.referrer),
            (header::CONTENT_SECURITY_POLICY, &security.content),
            (PERMISSIONS_POLICY, &security.permissions),
        ];
        let value = |text: &str| HeaderValue::from_str(text).expect("validation let header values pass only");
        let otherwise =
            texts.into_iter().filter_map(|(name, text)| Some((name, value(text.as_deref()?)))).collect();
        let transport = security.hsts.map(|age| value(&format!("max-age={}", age.as_secs())));
        Self { otherwise, transport }
    }

    pub(crate) fn dress(&self, answer: &mut HeaderMap, is_https: bool) {
        // No service has a reason to let browsers guess.
        answer.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        for (name, value) in &self.otherwise {
            if !answer.contains_key(name) {
                answer.insert(name.clone(), value.clone());
            }
        }
        if let Some(transport) = &self.transport
            && is_https
            && !answer.contains_key(header::STRICT_TRANSPORT_SECURITY)
        {
            answer.insert(header::STRICT_TRANSPORT_SECURITY, transport.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(said: &[(HeaderName, &'static str)], is_https: bool, expected: &[(HeaderName, &'static str)]) {
        let security = Security::new(&model::Security {
            hsts: Some(Duration::from_secs(60)),
            frame: Some("DENY".to_owned()),
            referrer: None,
            content: Some("default-src 'self'".to_owned()),
            permissions: None,
        });
        let map = |lines: &[(HeaderName, &'static str)]| -> HeaderMap {
            lines.iter().map(|(name, text)| (name.clone(), HeaderValue::from_static(text))).collect()
        };
        let mut answer = map(said);
        security.dress(&mut answer, is_https);
        assert_eq!(answer, map(expected));
    }

    #[test]
    fn what_the_service_says_itself_stays() {
        let nosniff = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        let frame = (header::X_FRAME_OPTIONS, "DENY");
        let content = (header::CONTENT_SECURITY_POLICY, "default-src 'self'");
        let transport = (header::STRICT_TRANSPORT_SECURITY, "max-age=60");
        check(&[], false, &[nosniff.clone(), frame.clone(), content.clone()]);
        check(&[], true, &[nosniff.clone(), frame.clone(), content.clone(), transport]);
        let (own_frame, own_transport) =
            ((header::X_FRAME_OPTIONS, "SAMEORIGIN"), (header::STRICT_TRANSPORT_SECURITY, "max-age=1"));
        check(
            &[(header::X_CONTENT_TYPE_OPTIONS, "x"), own_frame.clone(), own_transport.clone()],
            true,
            &[nosniff, own_frame, own_transport, content],
        );
    }
}
