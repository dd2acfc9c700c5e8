//! Requests from steps, and what a user remembers of answers.

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use http_body_util::Full;

use crate::engine::connection::{Answer, Outgoing, Reading};
use crate::engine::recorder::Failure;
use crate::engine::target::Endpoint;
use crate::scenario::{Flow, HttpVersion, Part, Scenario, Source, Step, Template};

const AGENT: &str = concat!("mare-load/", env!("CARGO_PKG_VERSION"));

/// A scenario made ready for one thread.
pub(crate) struct Script {
    pub(crate) setup: Vec<Prepared>,
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
    /// All of it, if nothing varies.
    fixed: Option<Request>,
    base: HeaderMap,
    origin: String,
}

#[derive(Clone)]
struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// What a user knows.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) user: u64,
    pub(crate) iteration: u64,
    pub(crate) variables: HashMap<String, String>,
}

impl Script {
    pub(crate) fn new(scenario: &Scenario, endpoint: &Endpoint) -> Self {
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
        Self { setup, flows, weights: scenario.flows.iter().map(|flow| flow.weight).sum() }
    }
}

impl Prepared {
    fn new(step: &Step, index: usize, endpoint: &Endpoint, version: HttpVersion) -> Self {
        let mut base = HeaderMap::new();
        let origin = match version {
            HttpVersion::Http1 => {
                let host = HeaderValue::from_str(&endpoint.authority).expect("an authority is a header value");
                base.insert(HOST, host);
                String::new()
            }
            // HTTP/2 sends the authority with the path.
            HttpVersion::Http2 => endpoint.url.clone(),
        };
        base.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        base.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let looks = step.expect.contains.is_some()
            || !step.expect.json.is_empty()
            || step.extract.iter().any(|(_, source)| matches!(source, Source::Json(_)));
        let reading = if looks { Reading::Keep } else { Reading::Discard };
        let mut prepared = Self { step: step.clone(), index, reading, fixed: None, base, origin };
        let templates = step.headers.iter().map(|(_, value)| value).chain([&step.path]).chain(&step.body);
        let is_fixed = templates.flat_map(|template| &template.0).all(|part| matches!(part, Part::Literal(_)));
        if is_fixed {
            prepared.fixed = prepared.render(&Memory::default()).ok();
        }
        prepared
    }

    pub(crate) fn request(&self, memory: &Memory) -> Result<Outgoing, Failure> {
        let Request { method, uri, headers, body } = match &self.fixed {
            Some(fixed) => fixed.clone(),
            None => self.render(memory)?,
        };
        let mut request = Outgoing::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        if !self.origin.is_empty() {
            *request.version_mut() = Version::HTTP_2;
        }
        Ok(request)
    }

    fn render(&self, memory: &Memory) -> Result<Request, Failure> {
        let unsendable = |what: &str| Failure::Unsendable(format!("{what} has characters it may not have"));
        let uri = format!("{}{}", self.origin, text(&self.step.path, memory)?);
        let mut headers = self.base.clone();
        for (name, value) in &self.step.headers {
            let value = text(value, memory)?;
            let value = HeaderValue::from_str(&value).map_err(|_invalid| unsendable(name.as_str()))?;
            headers.insert(name.clone(), value);
        }
        let body = match &self.step.body {
            Some(body) => text(body, memory)?.into(),
            None => Bytes::new(),
        };
        let uri = uri.parse().map_err(|_invalid| unsendable("the path"))?;
        Ok(Request { method: self.step.method.clone(), uri, headers, body })
    }

    /// Whether the answer is right; if so, what is to be remembered is.
    pub(crate) fn take(&self, answer: &Answer, memory: &mut Memory) -> Result<(), Failure> {
        let expected = &self.step.expect;
        let is_right = match expected.status.as_slice() {
            [] => answer.status.is_success() || answer.status.is_redirection(),
            listed => listed.contains(&answer.status),
        };
        if !is_right {
            return Err(Failure::Status(answer.status.as_u16()));
        }
        if let Some(contained) = &expected.contains {
            let found = answer.body.windows(contained.len().max(1)).any(|part| part == contained.as_bytes());
            if !found {
                return Err(Failure::Unexpected(contained.clone()));
            }
        }
        for (variable, source) in &self.step.extract {
            let Source::Header(name) = source else { continue };
            let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
            let value = value.ok_or_else(|| Failure::Unexpected(name.to_string()))?;
            memory.variables.insert(variable.clone(), value.to_owned());
        }
        Ok(())
    }
}

fn text(template: &Template, memory: &Memory) -> Result<String, Failure> {
    let mut out = String::new();
    for part in &template.0 {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::User => out.push_str(&memory.user.to_string()),
            Part::Iteration => out.push_str(&memory.iteration.to_string()),
            Part::Variable(name) => {
                let value = memory.variables.get(name);
                out.push_str(value.ok_or_else(|| Failure::Unsendable(name.clone()))?);
            }
            other => return Err(Failure::Unsendable(format!("{other:?}"))),
        }
    }
    Ok(out)
}
