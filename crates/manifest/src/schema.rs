//! A grammar as a JSON Schema, for editors (Taplo, Even Better TOML).
//!
//! It says what an editor can use: keys, kinds, bounds of numbers, defaults, descriptions. What needs more than
//! one key to judge is left to the readers.

use serde_json::{Map, Value, json};

use crate::grammar::sections::{MANIFEST, TARGETS};
use crate::grammar::{Form, Grammar, Key, Kind, Need};
use crate::label::LENGTH_MAX;

/// Strings with a variable in them are judged when the variable is known.
const OR_VARIABLE: &str = r"|.*\$\{.*";
const DURATION: &str = r"(\d+(d|h|m|s|ms))+";
const RATIO: &str = r"\d+(\.\d+)?%";
const RATE: &str = r"\d+(\.\d+)?/[smh]";
const SIZE: &str = r"\d+(B|[kK]B|KiB|[MGT]i?B)";

/// The JSON Schema (draft 2020-12) of `mare.toml`.
pub fn schema() -> Value {
    schema_of(&MANIFEST, "mare.toml", "The manifest of an application on Maré")
}

/// The JSON Schema (draft 2020-12) of what a grammar allows.
pub fn schema_of(grammar: &Grammar, title: &str, description: &str) -> Value {
    let mut schema = table(grammar.root);
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.insert("description".to_owned(), json!(description));
    Value::Object(schema)
}

fn table(keys: &[Key]) -> Map<String, Value> {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), Value::Object(property(key)))).collect();
    let required: Vec<&str> =
        keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut table = object(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    }));
    if !required.is_empty() {
        table.insert("required".to_owned(), json!(required));
    }
    table
}

fn property(key: &Key) -> Map<String, Value> {
    let mut property = match &key.kind {
        Kind::Flag => object(json!({ "type": "boolean", "default": false })),
        Kind::Count(bounds) => object(json!({
            "type": "integer", "minimum": bounds.min, "maximum": bounds.max,
        })),
        Kind::Number(bounds) => object(json!({
            "type": "number", "exclusiveMinimum": bounds.min, "maximum": bounds.max,
        })),
        Kind::Duration(_) => string(Some(DURATION.to_owned())),
        Kind::Size(_) => string(Some(SIZE.to_owned())),
        Kind::Ratio(_) => string(Some(RATIO.to_owned())),
        Kind::Texts(form) => object(json!({
            "type": "array",
            "minItems": u8::from(key.need != Need::Optional),
            "items": string(form_pattern(*form)),
        })),
        Kind::Rate(_) => string(Some(RATE.to_owned())),
        Kind::Text(form) => string(form_pattern(*form).map(|pattern| match key.need {
            Need::Optional => format!("|{pattern}"),
            Need::Required | Need::Filled => pattern,
        })),
        Kind::Table(keys) => table(keys),
        Kind::Named(keys) => object(json!({
            "type": "object",
            "propertyNames": { "pattern": format!("^{}$", label_pattern()) },
            "additionalProperties": table(keys),
        })),
        Kind::List(keys) => {
            let item = if key.name == "routes" { one_target(table(keys)) } else { table(keys) };
            object(json!({ "type": "array", "items": item }))
        }
        Kind::Other { schema, .. } => object(schema()),
        Kind::Variables => object(json!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
            "additionalProperties": { "type": "string" },
        })),
        Kind::Rules => object(json!({
            "type": "object",
            "propertyNames": { "pattern": format!("^{}$", label_pattern()) },
            "additionalProperties": string(Some("([A-Z]+ )?/[^*?#]*\\*? over .+".to_owned())),
        })),
    };
    property.insert("description".to_owned(), json!(key.doc));
    if let Some(default) = key.default_text().and_then(|text| serde_json::from_str(&text).ok()) {
        // Every default is a number, a flag or a plain string, where TOML and JSON are the same.
        property.insert("default".to_owned(), default);
    }
    property
}

/// The list of routes has one rule of its own.
fn one_target(mut route: Map<String, Value>) -> Map<String, Value> {
    let alternatives: Vec<Value> = TARGETS.iter().map(|name| json!({ "required": [name] })).collect();
    route.insert("oneOf".to_owned(), Value::Array(alternatives));
    route
}

fn string(pattern: Option<String>) -> Map<String, Value> {
    let mut string = object(json!({ "type": "string" }));
    if let Some(pattern) = pattern {
        string.insert("pattern".to_owned(), json!(format!("^({pattern}{OR_VARIABLE})$")));
    }
    string
}

fn form_pattern(form: Form) -> Option<String> {
    match form {
        Form::Label | Form::NameOf(_) => Some(label_pattern()),
        Form::Url(schemes) => Some(format!("({}).+", schemes.join("|"))),
        Form::Origin => Some("http://[^/?#@]+".to_owned()),
        Form::Match => Some("([A-Z]+ )?/[^*?#]*\\*?".to_owned()),
        Form::Path => Some("/.*".to_owned()),
        Form::Host => Some("(\\*\\.)?[^*:/]+".to_owned()),
        Form::OneOf(choice) => Some(format!("({})", choice.words.join("|"))),
        Form::Mailbox => Some("[^@\\s]+@[^@\\s]+".to_owned()),
        Form::Command | Form::Folder | Form::Image | Form::Other(_) => None,
    }
}

fn label_pattern() -> String {
    format!("[a-z]([a-z0-9-]{{0,{}}}[a-z0-9])?", LENGTH_MAX - 2)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        // Only called with `json!({ … })`, by this file and by the schema of a `Kind::Other`.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
