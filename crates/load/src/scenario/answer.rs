//! Judges an answer, and keeps what later steps need of it.

use std::cell::OnceCell;

use http::header::{HeaderMap, SET_COOKIE};
use http::{HeaderName, StatusCode};
use serde_json::Value;

use super::{Expect, Source, Step};

/// Longer texts are cut in the reason of a failure.
const SHOWN_MAX: usize = 40;

/// One answer. `body` may be empty if the step does not read it, see [`Step::reads_body`].
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// What one user has extracted, by name. There may be a hundred thousand users: it is small, and without extraction
/// takes nothing.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(Box<str>, Box<str>)>);

impl Variables {
    pub fn get(&self, name: &str) -> Option<&str> {
        // A handful at most: comparing them all is quicker than any map.
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    pub fn set(&mut self, name: &str, value: String) {
        let value = value.into_boxed_str();
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| **known == *name) {
            *old = value;
        } else {
            self.0.reserve_exact(1);
            self.0.push((name.into(), value));
        }
    }
}

impl Step {
    /// Whether [`Step::take`] looks at the body; if not, there is no need to keep it.
    pub fn reads_body(&self) -> bool {
        self.expect.contains.is_some()
            || !self.expect.json.is_empty()
            || self.extract.iter().any(|(_, source)| matches!(source, Source::Json(_)))
    }

    /// Judges an answer; if it is right, extracts from it. The error is the reason in few words, the same for every
    /// failure of one kind: `status 503`, `expected /id`, `no token`.
    pub fn take(&self, answer: &Answer<'_>, variables: &mut Variables) -> Result<(), String> {
        let json = OnceCell::new();
        let json = || json.get_or_init(|| serde_json::from_slice::<Value>(answer.body).ok()).as_ref();
        self.expect.check(answer, json)?;
        for (name, source) in &self.extract {
            let value = match source {
                Source::Json(pointer) => json().and_then(|json| text_at(json, pointer)),
                Source::Header(header) => header_text(answer.headers, header),
                Source::Cookie(cookie) => cookie_value(answer.headers, cookie),
            };
            variables.set(name, value.ok_or_else(|| format!("no {name}"))?);
        }
        Ok(())
    }
}

impl Expect {
    fn check<'j>(&self, answer: &Answer<'_>, json: impl Fn() -> Option<&'j Value>) -> Result<(), String> {
        let status = answer.status;
        let right = if self.status.is_empty() {
            status.is_success() || status.is_redirection()
        } else {
            self.status.contains(&status)
        };
        if !right {
            return Err(format!("status {}", status.as_u16()));
        }
        if let Some(text) = &self.contains
            && !contains(answer.body, text.as_bytes())
        {
            let shown: String = text.chars().take(SHOWN_MAX).collect();
            return Err(format!("expected {shown:?}"));
        }
        for (pointer, expected) in &self.json {
            let found = json().ok_or("not JSON")?.pointer(pointer);
            if !found.is_some_and(|found| same(found, expected)) {
                return Err(format!("expected {pointer}"));
            }
        }
        Ok(())
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

/// To JSON itself 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

/// A string without its quotes, anything else as JSON writes it; `null` is nothing.
fn text_at(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// RFC 6265, section 5.2: the pair before the first `;`. Of several, the last one counts.
fn cookie_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()?.split(';').next());
    let found = pairs.filter_map(|pair| pair.split_once('=')).rfind(|(found, _)| found.trim() == name);
    found.map(|(_, value)| value.trim().trim_matches('"').to_owned())
}
