//! `json`, `form` and `body` of a step.

use std::ops::Range;

use mare_manifest::Mistake;
use mare_manifest::reading::section::Section;
use mare_manifest::reading::{Port, Reading};
use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::super::{Encoding, Part, Template};
use super::texts::{Names, Place, Writer, string};

/// What a generator sends a hundred times a second from memory; larger uploads measure the network.
const BODY_MAX: usize = 1 << 20;
const KINDS: [&str; 3] = ["json", "form", "body"];

/// The body and the content type that goes with it.
pub(super) fn body(section: &Section<'_>, names: &Names<'_>) -> (Option<Template>, Option<&'static str>) {
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| section.has(kind)).collect();
    if let [first, second, ..] = given.as_slice() {
        section.reading.note(
            Mistake::new(
                section.place(second),
                "a request has one body",
                format!("`{second}` beside `{first}`"),
            )
            .see(section.place(first), "the other one"),
        );
    }
    let json = json(section, names).map(|body| (body, Some("application/json")));
    let form = form(section, names).map(|body| (body, Some("application/x-www-form-urlencoded")));
    let text = text(section, names).map(|body| (body, None));
    let Some((body, content_type)) = json.or(form).or(text) else { return (None, None) };
    let length: usize =
        body.0.iter().map(|part| if let Part::Literal(text) = part { text.len() } else { 0 }).sum();
    if length > BODY_MAX {
        let place = given.first().map_or(section.at.clone(), |kind| section.place(kind));
        section.reading.note(Mistake::new(place, "a body is at most 1MiB", format!("{length} bytes")));
    }
    (Some(body), content_type)
}

fn json(section: &Section<'_>, names: &Names<'_>) -> Option<Template> {
    let value = section.value("json")?;
    if !matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_)) {
        section.wrong_type("json", value);
        return None;
    }
    let mut writer = Writer::default();
    write_json(section.reading, value, &mut writer, &|text, at, out| {
        names.write_json(text, at, out);
    });
    Some(writer.finish())
}

fn form(section: &Section<'_>, names: &Names<'_>) -> Option<Template> {
    let mut writer = Writer::default();
    for (index, (name, value)) in section.entries("form").into_iter().enumerate() {
        writer.text(if index == 0 { "" } else { "&" });
        writer.text(&Encoding::Url.encoded(name.get_ref()));
        writer.text("=");
        if let Some(text) = string(section, name, value) {
            names.write(text, &value.span(), Place::FORM, &mut writer);
        }
    }
    section.has("form").then(|| writer.finish())
}

fn text(section: &Section<'_>, names: &Names<'_>) -> Option<Template> {
    let (text, at) = section.raw("body")?;
    let mut writer = Writer::default();
    names.write(text, &at, Place::RAW, &mut writer);
    Some(writer.finish())
}

/// A value that never changes.
pub(super) fn constant(reading: &Reading<'_>, value: &Spanned<DeValue<'_>>) -> Option<Value> {
    let mut writer = Writer::default();
    write_json(reading, value, &mut writer, &|text, at, out| {
        if let Some(written) = reading.interpolate(text, at.clone(), Port::Refused) {
            out.text(&Value::from(written.value()).to_string());
        }
    });
    // What was not read was noted.
    serde_json::from_str(writer.finish().as_literal()?).ok()
}

type WriteString<'w> = &'w dyn Fn(&str, &Range<usize>, &mut Writer);

/// TOML as JSON: dates become strings, and `inf` and `nan` have no place in it.
fn write_json(
    reading: &Reading<'_>,
    value: &Spanned<DeValue<'_>>,
    out: &mut Writer,
    string: WriteString<'_>,
) {
    let refuse =
        || reading.note(Mistake::new(value.span(), "a number that JSON does not have", "not in JSON"));
    match value.get_ref() {
        DeValue::String(text) => string(text, &value.span(), out),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => out.text(&number.to_string()),
            Err(_) => refuse(),
        },
        DeValue::Float(number) => match number.as_str().parse().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => out.text(&number.to_string()),
            None => refuse(),
        },
        DeValue::Boolean(flag) => out.text(if *flag { "true" } else { "false" }),
        DeValue::Datetime(time) => out.text(&format!("\"{time}\"")),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.text(if index == 0 { "[" } else { "," });
                write_json(reading, item, out, string);
            }
            out.text(if items.is_empty() { "[]" } else { "]" });
        }
        DeValue::Table(table) => {
            for (index, (key, item)) in table.iter().enumerate() {
                out.text(if index == 0 { "{" } else { "," });
                out.text(&Value::from(key.get_ref().as_ref()).to_string());
                out.text(":");
                write_json(reading, item, out, string);
            }
            out.text(if table.is_empty() { "{}" } else { "}" });
        }
    }
}
