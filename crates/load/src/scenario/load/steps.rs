//! One request: `[[setup]]` and `[[flows.steps]]`.

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use mare_manifest::reading::Port;
use mare_manifest::reading::section::Section;
use mare_manifest::{METHODS, Mistake, closest, did_you_mean};
use toml::de::DeValue;

use super::super::template::{FUNCTIONS, VALUES, is_name};
use super::super::{Expect, Part, Source, Step, Template};
use super::texts::{Names, Place, Writer, string};
use super::{body, name};

/// The connection's own, which the generator writes itself.
const RESERVED: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];
const SOURCES: [&str; 3] = ["json", "header", "cookie"];

/// Reads a step; what it extracts is known from then on.
pub(super) fn step(section: &Section<'_>, names: &mut Names<'_>) -> Step {
    let (request, method, path) = request(section, names);
    let (body, content_type) = body::body(section, names);
    let mut headers = headers(section, names);
    if let Some(content_type) = content_type
        && !headers.iter().any(|(name, _)| name == CONTENT_TYPE)
    {
        headers.push((CONTENT_TYPE, Template(vec![Part::Literal(content_type.to_owned())])));
    }
    let extract = extract(section);
    for (name, _) in &extract {
        names.learn(name);
    }
    Step {
        name: name(section).unwrap_or(request),
        method,
        path,
        headers,
        body,
        timeout: section.duration("timeout"),
        extract,
        expect: expect(&section.table("expect")),
    }
}

/// The request without its query as it is written, its method, path and query.
fn request(section: &Section<'_>, names: &Names<'_>) -> (String, Method, Template) {
    let nothing = (String::new(), Method::GET, Template::default());
    let Some((raw, at)) = section.raw("request") else { return nothing };
    let note = |label: &str, help: String| {
        let mistake = Mistake::new(at.clone(), "`request` must be a method and a path", label);
        section.reading.note(mistake.help(help));
    };
    let example = || "for example `request = \"GET /items\"`".to_owned();
    let Some((method, path)) = raw.split_once(' ') else {
        let help = if raw.starts_with('/') { format!("write `GET {raw}`") } else { example() };
        note("no method", help);
        return nothing;
    };
    if !METHODS.contains(&method) {
        let help = closest(method, METHODS).map(|known| format!("did you mean `{known}`?"));
        note("not a method", help.unwrap_or_else(|| format!("known are {}", METHODS.join(", "))));
        return nothing;
    }
    if !path.starts_with('/') {
        let whole = path.starts_with("http");
        note(
            "its path does not begin with `/`",
            if whole { "the server is said in `[target]`".to_owned() } else { example() },
        );
        return nothing;
    }
    let mut writer = Writer::default();
    names.write(path, &at, Place::PATH, &mut writer);
    let template = writer.finish();
    let is_sent =
        |part: &Part| if let Part::Literal(text) = part { text.bytes().all(is_target_byte) } else { true };
    if !template.0.iter().all(is_sent) {
        note(
            "a character in it cannot be sent",
            "encode it as %XX; values in `${…}` are encoded for you".to_owned(),
        );
    }
    let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
    (raw.split('?').next().unwrap_or(raw).to_owned(), method, template)
}

/// RFC 3986, sections 3.3 and 3.4; brackets too, which everyone sends in queries.
fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@?[]".contains(&byte)
}

fn headers(section: &Section<'_>, names: &Names<'_>) -> Vec<(HeaderName, Template)> {
    let mut headers: Vec<(HeaderName, Template)> = Vec::new();
    for (name, value) in section.entries("headers") {
        let note = |label: &str| {
            let title = format!("`{}` cannot be a header here", name.get_ref());
            section.reading.note(Mistake::new(name.span(), title, label));
        };
        let mut writer = Writer::default();
        if let Some(text) = string(section, name, value) {
            names.write(text, &value.span(), Place::RAW, &mut writer);
        }
        let template = writer.finish();
        let is_valid = template.0.iter().all(|part| match part {
            Part::Literal(text) => HeaderValue::from_str(text).is_ok(),
            Part::Given(text) => HeaderValue::from_str(text.reveal()).is_ok(),
            _ => true,
        });
        if !is_valid {
            let title = format!("`{}` holds what no header may", name.get_ref());
            let mistake = Mistake::new(value.span(), title, "a line break or a control character");
            section.reading.note(mistake);
        }
        let Ok(header) = HeaderName::from_bytes(name.get_ref().as_bytes()) else {
            note("not a header's name");
            continue;
        };
        if RESERVED.contains(&header) {
            note("written by the generator itself");
        } else if headers.iter().any(|(other, _)| *other == header) {
            note("already there in other letters");
        }
        headers.push((header, template));
    }
    headers
}

fn extract(section: &Section<'_>) -> Vec<(String, Source)> {
    let mut found = Vec::new();
    for (name, value) in section.entries("extract") {
        let known = VALUES.contains(&name.get_ref().as_ref()) || FUNCTIONS.contains(&name.get_ref().as_ref());
        if known || !is_name(name.get_ref()) {
            let title = format!("`{}` cannot name a value", name.get_ref());
            let label = if known { "means something else already" } else { "not a name" };
            let mistake = Mistake::new(name.span(), title, label);
            section.reading.note(mistake.help("letters, digits, `_` and `-`, beginning with a letter"));
        }
        let Some(text) = string(section, name, value) else { continue };
        let Some(written) = section.reading.interpolate(text, value.span(), Port::Refused) else { continue };
        match source(written.value()) {
            Ok(source) => found.push((name.get_ref().to_string(), source)),
            Err(wrong) => {
                let kind = written.shown().and_then(|shown| shown.split(':').next());
                let kind = kind.filter(|kind| !SOURCES.contains(kind));
                section.reading.note(
                    Mistake::new(value.span(), "not a place in an answer", wrong)
                        .help("`json:/items/0/id` (a JSON pointer), `header:location` or `cookie:session`")
                        .maybe_help(kind.and_then(|kind| did_you_mean(kind, SOURCES))),
                );
            }
        }
    }
    found
}

fn source(text: &str) -> Result<Source, &'static str> {
    match text.split_once(':') {
        Some(("json", pointer)) if is_pointer(pointer) => Ok(Source::Json(pointer.to_owned())),
        Some(("json", _)) => Err("a JSON pointer begins with `/`"),
        Some(("header", name)) => {
            HeaderName::from_bytes(name.as_bytes()).map(Source::Header).ok().ok_or("not a header's name")
        }
        Some(("cookie", name)) if !name.is_empty() => Ok(Source::Cookie(name.to_owned())),
        _ => Err("neither `json:`, `header:` nor `cookie:`"),
    }
}

/// RFC 6901; the empty one is the whole body.
fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

fn expect(section: &Section<'_>) -> Expect {
    let contains = section.text("contains").map(|text| text.value().to_owned());
    let mut json = Vec::new();
    for (pointer, value) in section.entries("json") {
        if !is_pointer(pointer.get_ref()) {
            let title = format!("`{}` is not a JSON pointer", pointer.get_ref());
            let mistake = Mistake::new(pointer.span(), title, "does not begin with `/`");
            section.reading.note(mistake.help("for example `json = { \"/items/0/id\" = 1 }`"));
        }
        json.extend(
            body::constant(section.reading, value).map(|value| (pointer.get_ref().to_string(), value)),
        );
    }
    Expect { status: statuses(section), contains, json }
}

fn statuses(section: &Section<'_>) -> Vec<StatusCode> {
    let Some(value) = section.value("status") else { return Vec::new() };
    let status = |value: &DeValue<'_>| {
        let DeValue::Integer(number) = value else { return None };
        let code = u16::from_str_radix(number.as_str(), number.radix()).ok()?;
        StatusCode::from_u16(code).ok().filter(|status| status.as_u16() < 600)
    };
    let read = match value.get_ref() {
        DeValue::Array(items) => items.iter().map(|item| status(item.get_ref())).collect(),
        other => status(other).map(|status| vec![status]),
    };
    match (read, value.get_ref()) {
        (Some(statuses), _) if !statuses.is_empty() => statuses,
        (_, DeValue::Integer(_) | DeValue::Array(_)) => {
            let title = "`status` must be a status or a list of them";
            let mistake = Mistake::new(value.span(), title, "not between 100 and 599");
            section.reading.note(mistake.help("for example `status = 200` or `status = [200, 404]`"));
            Vec::new()
        }
        _ => {
            section.wrong_type("status", value);
            Vec::new()
        }
    }
}
