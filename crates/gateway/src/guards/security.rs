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
