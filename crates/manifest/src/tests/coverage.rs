//! The grammar's table against the reader, the schema and itself.

use serde_json::Value;

use super::read;
use crate::grammar::sections::{ROOT, SUBJECTS, TARGETS};
use crate::grammar::{Key, Kind};
use crate::schema;

/// Visits every key with the path of its section: `""`, `app`, `services.*.scale`, `routes`.
pub(super) fn walk(section: &str, keys: &'static [Key], visit: &mut impl FnMut(&str, &'static Key)) {
    for key in keys {
        visit(section, key);
        let below = match (&key.kind, section) {
            (Kind::Named(_), _) => format!("{}.*", key.name),
            (_, "") => key.name.to_owned(),
            _ => format!("{section}.{}", key.name),
        };
        walk(&below, key.keys(), visit);
    }
}

const API: &str = "[services.api]\nrun = \"./api\"\n[[routes]]\nmatch = \"/*\"\nservice = \"api\"\n";

const SECRET: &str = "secret = \"0123456789abcdef0123456789abcdef\"\n";
pub(super) const HASH: &str =
    "hash = \"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"\n";
const GUARDED: &str = "[auth]\njwks = { url = \"http://x\" }\n\
    [api_keys.k]\nhash = \"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"\n\
    [services.api]\nrun = \"./api\"\n";

fn credentials_with(section: &str, name: &str, line: &str) -> String {
    match section {
        "auth" => {
            let jwks = if matches!(name, "jwks" | "keys") { "" } else { "jwks = { url = \"http://x\" }\n" };
            format!("[auth]\n{jwks}{line}")
        }
        "auth.jwks" => {
            let service = if name == "path" { "service = \"x\"\n" } else { "" };
            format!("[services.x]\nrun = \"x\"\n[auth.jwks]\n{service}{line}")
        }
        "auth.keys" => {
            let algorithm = match name {
                "algorithm" => "",
                "public" => "algorithm = \"EdDSA\"\n",
                _ => "algorithm = \"HS256\"\n",
            };
            let secret = if matches!(name, "secret" | "public") { "" } else { SECRET };
            format!("[[auth.keys]]\n{algorithm}{secret}{line}")
        }
        _ => format!("[api_keys.x]\n{}{line}", if name == "hash" { "" } else { HASH }),
    }
}

fn guarded_with(section: &str, name: &str, line: &str) -> String {
    let matched = if (section, name) == ("routes", "match") { "" } else { "match = \"/x\"\n" };
    let target = match (section, name) {
        ("routes", "spa") => "files = \"x\"\n",
        ("routes", name) if TARGETS.contains(&name) => "",
        _ => "service = \"api\"\n",
    };
    let auth = if (section, name) == ("routes", "auth") { "" } else { "auth = \"any\"\n" };
    let header = if section == "routes" { String::new() } else { format!("[{section}]\n") };
    let required = match section.rsplit('.').next() {
        Some("limit") if name != "rate" => "rate = \"1/s\"\n",
        Some("cors") if name != "origins" => "origins = [\"https://x\"]\n",
        _ => "",
    };
    format!("{GUARDED}[[routes]]\n{matched}{target}{auth}{header}{required}{line}")
}

/// A manifest that is valid if `key = value` is, in the given section.
pub(super) fn manifest_with(section: &str, key: &Key, value: &str) -> String {
    let (name, line) = (key.name, format!("{} = {value}\n", key.name));
    let run = |is_there: bool| if is_there { "" } else { "run = \"./api\"\n" };
    match section {
        "" => line + "\n[services.x]\nrun = \"x\"\n",
        "objectives.*" => {
            let subject = if SUBJECTS.contains(&name) { "" } else { "service = \"api\"\n" };
            let limit = if name == "p50" { "" } else { "p50 = \"1ms\"\n" };
            format!("{API}[queues.q]\n[objectives.x]\n{subject}{limit}{line}")
        }
        "alerts" => format!("{API}[alerts]\n{line}"),
        "alerts.email" => {
            let others = [("smtp", "\"smtp://x\""), ("from", "\"a@x\""), ("to", "[\"b@x\"]")];
            let others = others.iter().filter(|(other, _)| *other != name);
            others.fold(format!("[alerts.email]\n{line}"), |all, (name, value)| {
                format!("{all}{name} = {value}\n")
            })
        }
        "queues.*.target" => {
            let service = if name == "service" { "" } else { "service = \"x\"\n" };
            format!("[services.x]\nrun = \"x\"\n[queues.q.target]\n{service}{line}")
        }
        "queues.*" => format!("[services.x]\nrun = \"x\"\n[queues.q]\n{line}"),
        "queues.*.retry" => format!("[queues.q.retry]\n{line}"),
        "schedules.*" | "schedules.*.target" => {
            let cron = if name == "cron" { "" } else { "cron = \"@every 1h\"\n" };
            let queue = if name == "queue" { "" } else { "queue = \"q\"\n" };
            let target = match (section, name) {
                (_, "target") => String::new(),
                ("schedules.*", _) => "target = { service = \"x\" }\n".to_owned(),
                (_, "service") => "[schedules.s.target]\n".to_owned(),
                _ => "[schedules.s.target]\nservice = \"x\"\n".to_owned(),
            };
            format!("[services.x]\nrun = \"x\"\n[queues.q]\n[schedules.s]\n{cron}{queue}{target}{line}")
        }
        "topics.*" => format!("[databases.main]\n[topics.events]\n{line}"),
        "topics.*.outbox" => {
            let database = if name == "database" { "" } else { "database = \"main\"\n" };
            let table = if name == "table" { "" } else { "table = \"t\"\n" };
            format!("[databases.main]\n[topics.events.outbox]\n{database}{table}{line}")
        }
        "subscriptions.*" | "subscriptions.*.target" | "subscriptions.*.retry" => {
            let topic = if name == "topic" { "" } else { "topic = \"events\"\n" };
            let target = match (section, name) {
                (_, "target") => String::new(),
                ("subscriptions.*.target", "service") => "[subscriptions.s.target]\n".to_owned(),
                ("subscriptions.*.target", _) => "[subscriptions.s.target]\nservice = \"x\"\n".to_owned(),
                ("subscriptions.*.retry", _) => {
                    "target = { service = \"x\" }\n[subscriptions.s.retry]\n".to_owned()
                }
                _ => "target = { service = \"x\" }\n".to_owned(),
            };
            format!("[services.x]\nrun = \"x\"\n[topics.events]\n[subscriptions.s]\n{topic}{target}{line}")
        }
        "databases.*" => format!("[databases.main]\n{line}"),
        "services.*" => format!("[databases.main]\n[services.api]\n{}{line}", run(name == "run")),
        "auth" | "auth.jwks" | "auth.keys" | "api_keys.*" => credentials_with(section, name, &line),
        _ if section.starts_with("routes") || section.starts_with("defaults") => {
            guarded_with(section, name, &line)
        }
        _ => match section.strip_prefix("services.*.") {
            Some(table) => format!("[services.api]\n{}[services.api.{table}]\n{line}", run(false)),
            None => format!("[{section}]\n{line}"),
        },
    }
}

#[test]
fn every_example_of_the_grammar_is_valid() {
    walk("", &ROOT, &mut |section, key| {
        // At the top, one example speaks of another section.
        let (example, extra) = match key.name {
            "routes" if section.is_empty() => (key.example, "[services.api]\nrun = \"x\"\n"),
            "objectives" => (key.example, "[[routes]]\nmatch = \"/*\"\nservice = \"x\"\n"),
            "services" => return,
            "schedules" => (key.example, "[queues.q]\ntarget = { service = \"x\" }\n"),
            "subscriptions" => (key.example, "[topics.events]\n"),
            _ => (key.example, ""),
        };
        let source =
            manifest_with(section, key, example).replace("${DATABASE_URL:-}", "${NOT_SET:-}") + extra;
        if let Err(mistakes) = read(&source) {
            panic!("{source}\n{mistakes}");
        }
    });
}

#[test]
fn every_key_is_read_and_its_type_checked() {
    walk("", &ROOT, &mut |section, key| {
        let source = manifest_with(section, key, "1979-05-27");
        let Err(mistakes) = read(&source) else { panic!("not read: {source}") };
        let shown = mistakes.to_string();
        assert!(shown.contains(&format!("`{}` must be", key.name)), "{source}\n{shown}");
    });
}

#[test]
fn every_default_is_within_its_bounds() {
    walk("", &ROOT, &mut |section, key| {
        let Some(default) = key.default_text() else { return };
        if key.name == "min" || key.name == "spa" {
            return; // `min` is 0 and valid; `spa = false` is tested by its absence
        }
        let source = manifest_with(section, key, &default);
        if let Err(mistakes) = read(&source) {
            panic!("{source}\n{mistakes}");
        }
    });
}

#[test]
fn the_schema_describes_every_key() {
    let schema = schema();
    walk("", &ROOT, &mut |section, key| {
        let mut at = &schema;
        for part in section.split('.').filter(|part| !part.is_empty()) {
            at = match part {
                "*" => &at["additionalProperties"],
                "routes" | "keys" => &at["properties"][part]["items"],
                part => &at["properties"][part],
            };
        }
        let property = &at["properties"][key.name];
        assert!(!property["type"].is_null(), "{section} {}", key.name);
        assert_eq!(property["description"], Value::from(key.doc));
        assert_eq!(property.get("default").is_some(), key.default_text().is_some(), "{}", key.name);
    });
}

#[test]
fn the_schema_of_a_key_is_what_editors_expect() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let scale = &schema["properties"]["services"]["additionalProperties"]["properties"]["scale"];
    let expected = serde_json::json!({
        "type": "integer", "minimum": 1, "maximum": 1000, "default": 80,
        "description": "Requests one instance takes at once",
    });
    assert_eq!(scale["properties"]["concurrency"], expected);
    assert_eq!(scale["additionalProperties"], false);
}
