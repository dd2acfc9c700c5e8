//! An authority, its clients, and an issuer that can be told what to answer.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{HeaderName, HeaderValue};
use mare_manifest::model::Text;
use parking_lot::Mutex;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use super::*;

pub(super) struct Rig {
    pub(super) authority: Authority,
    _fetching: AbortOnDropHandle<()>,
    folder: TempDir,
}

pub(super) fn auth(url: Option<&str>, keys: Vec<guard::Key>) -> guard::Auth {
    use guard::Algorithm::{EdDsa, Es256, Rs256};
    guard::Auth {
        jwks: url.map(|url| Jwks::Url(Text::plain(url))),
        keys,
        algorithms: vec![EdDsa, Es256, Rs256],
        issuer: Some(Text::plain("https://issuer.example")),
        audience: vec!["api".to_owned()],
        leeway: std::time::Duration::from_secs(60),
    }
}

fn build_in(
    folder: &Path,
    pool: Option<&Pool<Idles>>,
    auth: guard::Auth,
    api_keys: BTreeMap<String, ApiKey>,
) -> Result<(Authority, impl Future<Output = ()> + Send + use<>), AuthError> {
    let mut manifest = Manifest::for_command(vec!["true".to_owned()], folder.to_owned());
    manifest.auth = Some(auth);
    manifest.api_keys = api_keys;
    let pool = |_: &str| pool.cloned();
    let config = Config { manifest: &manifest, file: folder.join("jwks.json"), pool: &pool, workers: 2 };
    Authority::new(&config, &mut Registry::default())
}

pub(super) fn build(auth: guard::Auth) -> Result<(), AuthError> {
    let folder = tempfile::tempdir().expect("a folder");
    build_in(folder.path(), None, auth, BTreeMap::new()).map(|_built| ())
}

impl Rig {
    pub(super) fn new(auth: guard::Auth, api_keys: BTreeMap<String, ApiKey>) -> Self {
        Self::start(tempfile::tempdir().expect("a folder"), None, auth, api_keys)
    }

    fn start(
        folder: TempDir,
        pool: Option<&Pool<Idles>>,
        auth: guard::Auth,
        api_keys: BTreeMap<String, ApiKey>,
    ) -> Self {
        let (authority, fetching) = build_in(folder.path(), pool, auth, api_keys).expect("a good manifest");
        Self { authority, _fetching: AbortOnDropHandle::new(tokio::spawn(fetching)), folder }
    }

    pub(super) fn of_url(url: &str) -> Self {
        Self::new(auth(Some(url), Vec::new()), BTreeMap::new())
    }

    pub(super) fn of_keys(keys: Vec<guard::Key>) -> Self {
        Self::new(auth(None, keys), BTreeMap::new())
    }

    pub(super) fn of_service(pool: &Pool<Idles>) -> Self {
        Self::of_service_in(tempfile::tempdir().expect("a folder"), pool)
    }

    fn of_service_in(folder: TempDir, pool: &Pool<Idles>) -> Self {
        let jwks = Jwks::Service { service: "api".to_owned(), path: "/keys".to_owned() };
        let auth = guard::Auth { jwks: Some(jwks), ..auth(None, Vec::new()) };
        Self::start(folder, Some(pool), auth, BTreeMap::new())
    }

    /// With the data directory of this one, and nothing else.
    pub(super) fn again_of_url(self, url: &str) -> Self {
        Self::start(self.folder, None, auth(Some(url), Vec::new()), BTreeMap::new())
    }

    pub(super) fn again_of_service(self, pool: &Pool<Idles>) -> Self {
        Self::of_service_in(self.folder, pool)
    }

    pub(super) async fn settle(
        &self,
        headers: &HeaderMap,
        guards: &Guards,
    ) -> Result<Arc<Claimant>, Refusal> {
        match self.authority.check(0, headers, guards) {
            Checked::Anyone => panic!("the route asks for credentials"),
            Checked::Known(known) => Ok(known),
            Checked::Unsure(pending) => pending.settle().await,
            Checked::Refused(refusal) => Err(refusal),
        }
    }

    /// Until so many fetches have ended.
    pub(super) async fn fetched(&self, rounds: u64) {
        let issuer = self.authority.0.issuer.as_ref().expect("keys from elsewhere");
        while issuer.rounds() < rounds {
            tokio::task::yield_now().await;
        }
    }

    /// Whether the answer needs no fetch.
    pub(super) fn is_judged_at_once(&self, token: &str) -> bool {
        !matches!(self.authority.check(0, &bearer(token), &jwt()), Checked::Unsure(_))
    }
}

pub(super) fn guards(auth: Credentials) -> Guards {
    Guards { auth, ..Guards::default() }
}

pub(super) fn jwt() -> Guards {
    guards(Credentials::Jwt)
}

pub(super) fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

pub(super) fn bearer(token: &str) -> HeaderMap {
    headers(&[(AUTHORIZATION.as_str(), &format!("Bearer {token}"))]).into_iter().map(named).collect()
}

fn named((name, value): (Option<HeaderName>, HeaderValue)) -> (HeaderName, HeaderValue) {
    (name.expect("each stands once"), value)
}

/// Good for ten minutes.
pub(super) fn claims(subject: &str) -> Value {
    json!({ "iss": "https://issuer.example", "aud": "api", "sub": subject, "exp": now_s() + 600.0 })
}

pub(super) fn expect(outcome: Result<Arc<Claimant>, Refusal>, code: Code, detail: &str) {
    let refusal = outcome.expect_err("refused");
    assert_eq!((refusal.code, &*refusal.detail), (code, detail));
}

/// Publishes a key set, or whatever it is told to.
pub(super) struct Fake {
    port: u16,
    shared: Arc<Answer>,
    _serving: AbortOnDropHandle<()>,
}

struct Answer {
    text: Mutex<Vec<u8>>,
    asked: AtomicUsize,
    gate: Semaphore,
}

impl Fake {
    pub(super) async fn start(set: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        let shared = Arc::new(Answer { text: Mutex::default(), asked: AtomicUsize::new(0), gate });
        let serving = tokio::spawn(Self::serve(listener, Arc::clone(&shared)));
        let fake = Self { port, shared, _serving: AbortOnDropHandle::new(serving) };
        fake.publish(set);
        fake
    }

    async fn serve(listener: TcpListener, shared: Arc<Answer>) {
        loop {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            shared.asked.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("a request"));
            }
            assert!(head.starts_with(b"GET /keys HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&head));
            let _turn = shared.gate.acquire().await.expect("open");
            let text = shared.text.lock().clone();
            let _ = stream.write_all(&text).await;
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.port)
    }

    pub(super) fn publish(&self, set: &str) {
        self.answer(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{set}", set.len()));
    }

    /// Word for word.
    pub(super) fn answer(&self, text: &str) {
        *self.shared.text.lock() = text.as_bytes().to_vec();
    }

    pub(super) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Nobody is answered until [`Fake::let_go`].
    pub(super) fn hold(&self) {
        self.shared.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(super) fn let_go(&self) {
        self.shared.gate.add_permits(100);
    }
}
