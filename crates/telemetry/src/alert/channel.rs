//! Where alerts go: a webhook, Slack, mail.
//!
//! An address may hold a secret, so failures name the kind of error and never the address.

use std::error::Error;
use std::io;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use mare_manifest::model::Text;
use mare_manifest::model::alert::{Alerts, Email};
use serde_json::json;

use super::outbox::Failure;
use super::{Notice, severity_text};

/// The version of the webhook's JSON; a field may join it, none changes its meaning.
const WEBHOOK_VERSION: u32 = 1;

/// Why the addresses in `[alerts]` cannot be used. Does not repeat them.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("`{0}` in [alerts] is not a URL that can be posted to")]
    Url(&'static str),
    #[error("`smtp` in [alerts.email] is not a mail server's URL")]
    Smtp,
    #[error("`{0}` in [alerts.email] is not a mail address")]
    Mailbox(String),
    #[error("cannot read this system's certificates, which an https:// address in [alerts] needs")]
    Certificates(#[source] io::Error),
}

#[derive(Debug)]
pub(super) enum Channel {
    Webhook(Post),
    Slack(Post),
    Email(Box<Mail>),
}

impl Channel {
    /// Those the manifest names.
    pub(super) fn all(alerts: &Alerts) -> Result<Vec<Self>, BuildError> {
        let post = |url: &Option<Text>, key| url.as_ref().map(|url| Post::new(url, key)).transpose();
        let webhook = post(&alerts.webhook, "webhook")?.map(Self::Webhook);
        let slack = post(&alerts.slack, "slack")?.map(Self::Slack);
        let email = alerts.email.as_ref().map(Mail::new).transpose()?.map(|mail| Self::Email(Box::new(mail)));
        Ok([webhook, slack, email].into_iter().flatten().collect())
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Email(_) => "email",
        }
    }

    /// One attempt. The caller bounds its time.
    pub(super) async fn send(&self, app: &str, notice: &Notice) -> Result<(), Failure> {
        match self {
            Self::Webhook(post) => post.send(&document(app, notice)).await,
            Self::Slack(post) => post.send(&json!({ "text": notice.text(app) })).await,
            Self::Email(mail) => mail.send(app, notice).await,
        }
    }
}

/// What the generic webhook gets; docs/objectives.md shows it.
fn document(app: &str, notice: &Notice) -> serde_json::Value {
    json!({
        "version": WEBHOOK_VERSION, "app": app, "alert": notice.alert, "event": notice.event.as_str(),
        "severity": severity_text(notice.severity), "reason": notice.reason,
        "since": notice.since, "at": notice.at,
    })
}

/// JSON to a URL.
pub(super) struct Post {
    uri: Uri,
    client: PostClient,
}

/// Who speaks no TLS needs no certificates, and works on a system that has none.
enum PostClient {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Post {
    fn new(url: &Text, key: &'static str) -> Result<Self, BuildError> {
        let uri: Uri = url.reveal().parse().map_err(|_invalid| BuildError::Url(key))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(BuildError::Url(key));
        }
        // A connection that rested for hours between two alerts is most likely dead.
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0);
        let client = if uri.scheme_str() == Some("https") {
            let tls = HttpsConnectorBuilder::new().with_native_roots().map_err(BuildError::Certificates)?;
            PostClient::Tls(builder.build(tls.https_only().enable_http1().build()))
        } else {
            PostClient::Plain(builder.build_http())
        };
        Ok(Self { uri, client })
    }

    async fn send(&self, document: &serde_json::Value) -> Result<(), Failure> {
        let mut request = Request::new(Full::from(document.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("mare"));
        let sent = match &self.client {
            PostClient::Plain(client) => client.request(request).await,
            PostClient::Tls(client) => client.request(request).await,
        };
        match sent.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(Failure {
                reason: format!("it answered {}", status.as_u16()),
                is_permanent: !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS,
            }),
            Err(error) => Err(Failure { reason: kind_of(&error), is_permanent: false }),
        }
    }
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Post")
    }
}

/// The kind of I/O error at the bottom, which names no address.
fn kind_of(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return format!("the connection failed: {}", error.kind());
        }
        next = error.source();
    }
    "the connection failed".to_owned()
}

/// Mail by SMTP.
#[derive(Debug)]
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    fn new(email: &Email) -> Result<Self, BuildError> {
        let mailbox =
            |text: &String| text.parse::<Mailbox>().map_err(|_invalid| BuildError::Mailbox(text.clone()));
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(email.smtp.reveal());
        Ok(Self {
            transport: transport.map_err(|_invalid| BuildError::Smtp)?.build(),
            from: mailbox(&email.from)?,
            to: email.to.iter().map(mailbox).collect::<Result<_, _>>()?,
        })
    }

    async fn send(&self, app: &str, notice: &Notice) -> Result<(), Failure> {
        let subject = format!("[{app}] {} {}", notice.alert, notice.event.as_str());
        let Notice { since, at, .. } = notice;
        let text = format!("{}\n\nSince {since}. Sent at {at} by Maré.\n", notice.text(app));
        let mut message = Message::builder().from(self.from.clone()).subject(subject);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let unmade = |_| Failure { reason: "the message cannot be written".to_owned(), is_permanent: true };
        let message = message.body(text).map_err(unmade)?;
        self.transport.send(message).await.map(drop).map_err(|error| Failure {
            reason: match error.status() {
                Some(code) => format!("the mail server answered {code}"),
                None => kind_of(&error),
            },
            is_permanent: error.is_permanent(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use mare_slo::burn::Severity;

    use super::super::Event;
    use super::*;

    #[test]
    fn addresses_that_cannot_work_are_refused_without_being_shown() {
        let check = |alerts: Alerts, expected: &str| {
            let error = Channel::all(&alerts).expect_err(expected).to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        };
        let secret = |value: &str| Some(Text::new(value, "${URL}"));
        check(Alerts { webhook: secret("http://a b/hunter2"), ..Alerts::default() }, "`webhook`");
        check(Alerts { slack: secret("http:///hunter2"), ..Alerts::default() }, "`slack`");
        let email = |smtp: &str, to: &str| {
            let smtp = Text::new(smtp, "${SMTP}");
            Some(Email { smtp, from: "a@example.com".to_owned(), to: vec![to.to_owned()] })
        };
        let with = |email| Alerts { email, ..Alerts::default() };
        check(with(email("smtp://u:hunter2@[x", "b@example.com")), "`smtp`");
        check(with(email("smtp://localhost", "b@@example.com")), "`b@@example.com`");
    }

    #[test]
    fn the_webhooks_json_is_what_the_manual_shows() {
        let page = include_str!("../../../../docs/objectives.md");
        let shown = page.split("```json webhook\n").nth(1).and_then(|rest| rest.split("```").next());
        let shown: serde_json::Value = serde_json::from_str(shown.expect("it is there")).expect("JSON");
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let text = |key: &str| shown[key].as_str().expect("text").to_owned();
        let notice = Notice {
            alert: text("alert"),
            event: Event::Fired,
            severity: Severity::Page,
            reason: text("reason"),
            since: time(&text("since")),
            at: time(&text("at")),
        };
        assert_eq!(document("valoriza", &notice), shown);
    }
}
