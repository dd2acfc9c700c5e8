//! Requests from steps.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use http_body_util::Full;
use jiff::civil::Date;

use crate::engine::connection::{Answer, Outgoing, Reading};
use crate::engine::recorder::Failure;
use crate::engine::target::Endpoint;
use crate::scenario::{self, Flow, HttpVersion, Scenario, Step, Variables};

const AGENT: &str = concat!("mare-load/", env!("CARGO_PKG_VERSION"));

/// A scenario made ready for one thread.
pub(crate) struct Script {
    scenario: Arc<Scenario>,
    /// That of the run's beginning.
    today: Date,
    pub(crate) setup: Vec<Prepared>,
    pub(crate) setup_every: Option<Duration>,
    pub(crate) flows: Vec<PreparedFlow>,
    pub(crate) weights: f64,
}

pub(crate) struct PreparedFlow {
    pub(crate) flow: Flow,
    pub(crate) steps: Vec<Prepared>,
}

/// A step, with everything done beforehand that is the same for every request.
pub(crate) struct Prepared {
    pub(crate) step: Step,
    /// Its place in [`Run::steps`](crate::run::Run::steps).
    pub(crate) index: usize,
    pub(crate) reading: Reading,
    version: Version,
    /// Before the path: nothing in HTTP/1.1.
    origin: String,
    /// All headers, if they never change; else those every request has.
    headers: HeaderMap,
    /// The others.
    varying: Vec<usize>,
    uri: Option<Uri>,
    body: Option<Bytes>,
}

/// What a user knows.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) user: u64,
    pub(crate) iteration: u64,
    pub(crate) variables: Variables,
}

impl Script {
    pub(crate) fn new(scenario: Arc<Scenario>, endpoint: &Endpoint) -> Self {
        let version = scenario.target.http;
        let prepare = |step: &Step, index| Prepared::new(step, index, endpoint, version);
        let setup = scenario.setup.iter().map(|step| prepare(step, 0)).collect();
        let mut index = 0;
        let mut flows = Vec::new();
        for flow in &scenario.flows {
            let steps = flow.steps.iter().zip(index..).map(|(step, index)| prepare(step, index)).collect();
            index += flow.steps.len();
            flows.push(PreparedFlow { flow: flow.clone(), steps });
        }
        let weights = scenario.flows.iter().map(|flow| flow.weight).sum();
        Self {
            today: jiff::Zoned::now().date(),
            setup,
            setup_every: scenario.setup_every,
            flows,
            weights,
            scenario,
        }
    }

    /// The step's next request of this user. What never changes is only counted up.
    pub(crate) fn request(
        &self,
        step: &Prepared,
        memory: &Memory,
        rng: &mut Rng,
    ) -> Result<Outgoing, Failure> {
        let scope = self.scenario.scope(memory.user, memory.iteration, &memory.variables, self.today);
        let unsendable = |what: &str| Failure::Unsendable(format!("{what} has characters it may not have"));
        let uri = if let Some(uri) = &step.uri {
            uri.clone()
        } else {
            let mut text = step.origin.clone();
            step.step.path.render(&scope, rng, &mut text);
            text.try_into().map_err(|_invalid| unsendable("its path"))?
        };
        let mut headers = step.headers.clone();
        let mut scratch = String::new();
        for &varying in &step.varying {
            let (name, value) = &step.step.headers[varying];
            let value = value.header(&scope, rng, &mut scratch).ok_or_else(|| unsendable(name.as_str()))?;
            headers.insert(name.clone(), value);
        }
        let body = match (&step.body, &step.step.body) {
            (Some(body), _) => body.clone(),
            (None, Some(template)) => {
                let mut text = String::new();
                template.render(&scope, rng, &mut text);
                text.into()
            }
            (None, None) => Bytes::new(),
        };
        let mut request = Outgoing::new(Full::new(body));
        *request.method_mut() = Method::clone(&step.step.method);
        *request.uri_mut() = uri;
        *request.version_mut() = step.version;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl Prepared {
    fn new(step: &Step, index: usize, endpoint: &Endpoint, version: HttpVersion) -> Self {
        let mut headers = HeaderMap::new();
        let (version, origin) = match version {
            HttpVersion::Http1 => {
                let host =
                    HeaderValue::from_str(&endpoint.authority).expect("an authority is a header value");
                headers.insert(HOST, host);
                (Version::HTTP_11, String::new())
            }
            // HTTP/2 sends the authority with the path.
            HttpVersion::Http2 => (Version::HTTP_2, endpoint.url.clone()),
        };
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let mut varying = Vec::new();
        for (place, (name, value)) in step.headers.iter().enumerate() {
            match value.as_literal().map(HeaderValue::from_str) {
                Some(Ok(value)) => drop(headers.insert(name.clone(), value)),
                _ => varying.push(place),
            }
        }
        let literal = |text: &str| format!("{origin}{text}").parse().ok();
        Self {
            index,
            reading: if step.reads_body() { Reading::Keep } else { Reading::Discard },
            version,
            headers,
            varying,
            uri: step.path.as_literal().and_then(literal),
            body: step.body.as_ref().and_then(|body| body.as_literal()).map(|text| text.to_owned().into()),
            origin,
            step: step.clone(),
        }
    }

    /// Whether the answer is right; if so, what is to be remembered is.
    pub(crate) fn take(&self, answer: &Answer, memory: &mut Memory) -> Result<(), Failure> {
        let taken = scenario::Answer { status: answer.status, headers: &answer.headers, body: &answer.body };
        let wrong = |why| Failure::Wrong { why, is_unavailable: answer.status.is_server_error() };
        self.step.take(&taken, &mut memory.variables).map_err(wrong)
    }
}
