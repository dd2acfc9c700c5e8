//! `[queues.NAME]` and `[tasks]`

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::address;
use crate::defaults;
use crate::grammar::sections::queues::{ATTEMPTS_MAX, RATE_MAX, RATE_MIN};
use crate::interpolate::Port;
use crate::mistakes::Mistake;
use crate::model::Service;
use crate::model::queue::{Queue, QueueRetry, QueueTarget, Tasks};
use crate::reading::Written;
use crate::reading::section::Section;
use crate::units;

/// What is said instead of a number.
const UNLIMITED: &str = "unlimited";

pub(super) fn queues(root: &Section<'_>, services: &BTreeMap<String, Service>) -> BTreeMap<String, Queue> {
    let sections = root.named("queues");
    sections.iter().map(|(name, section)| ((*name).to_owned(), queue(section, services))).collect()
}

/// Of a subscription too, which has the same keys.
pub(super) fn queue(section: &Section<'_>, services: &BTreeMap<String, Service>) -> Queue {
    let rate = rate(section, "to hold a queue, pause it").unwrap_or(defaults::QUEUE_RATE);
    Queue {
        target: target_of(section, services),
        rate,
        burst: section.count_if("burst").unwrap_or_else(|| defaults::queue_burst(rate)),
        concurrency: section.count("concurrency"),
        retry: retry(&section.table("retry")),
        deadline: section.duration("deadline"),
    }
}

pub(super) fn target_of(section: &Section<'_>, services: &BTreeMap<String, Service>) -> Option<QueueTarget> {
    section.has("target").then(|| target(&section.table("target"), services)).flatten()
}

fn target(section: &Section<'_>, services: &BTreeMap<String, Service>) -> Option<QueueTarget> {
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    let path = section.text("path").map(|path| path.value().to_owned());
    let service = section.name_of("service", &names)?;
    Some(QueueTarget { service: service.value().to_owned(), path })
}

/// Infinity for `"unlimited"`; `None` if it is absent, and after a mistake. `never` says what to write instead of zero.
pub(super) fn rate(section: &Section<'_>, never: &str) -> Option<f64> {
    let written = string(section, "rate")?;
    if written.value() == UNLIMITED {
        return Some(f64::INFINITY);
    }
    let wrong = match units::rate(written.value()) {
        Ok(rate) if (RATE_MIN..=RATE_MAX).contains(&rate) => return Some(rate),
        Ok(rate) if rate > RATE_MAX => "above a million per second",
        Ok(_) => "so little is never",
        Err(wrong) => wrong,
    };
    let mistake = Mistake::new(written.at, "`rate` must be a rate or `\"unlimited\"`", wrong);
    let how = "write a number and `/s`, `/m` or `/h` in quotes, for example `rate = \"500/s\"`";
    section.reading.note(mistake.help(format!("{how}; {never}")));
    None
}

fn retry(section: &Section<'_>) -> QueueRetry {
    let retry = QueueRetry {
        attempts: attempts(section),
        duration: section.duration_if("for"),
        min: section.duration("min"),
        max: section.duration("max"),
        doublings: section.count("doublings"),
    };
    if retry.min > retry.max {
        let help = if section.has("max") {
            "raise `max` or lower `min`".to_owned()
        } else {
            format!("`max` is {} unless it is set", units::duration_text(retry.max))
        };
        let mistake = Mistake::new(section.place("min"), "`min` is above `max`", "never so long");
        section.reading.note(mistake.help(help));
    }
    retry
}

/// `None`: no limit. The default if it is absent, and after a mistake.
fn attempts(section: &Section<'_>) -> Option<u32> {
    let default = Some(defaults::QUEUE_ATTEMPTS);
    let Some(value) = section.value("attempts") else { return default };
    if let DeValue::Integer(number) = value.get_ref() {
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
        let number = number.filter(|number| (1..=ATTEMPTS_MAX).contains(number));
        if number.is_none() {
            let title = format!("`attempts` must be between 1 and {ATTEMPTS_MAX}");
            section.reading.note(
                Mistake::new(value.span(), title, "out of bounds")
                    .help("for as many as it takes write `attempts = \"unlimited\"`"),
            );
        }
        return number.or(default);
    }
    let Some(written) = string(section, "attempts") else { return default };
    if written.value() == UNLIMITED {
        return None;
    }
    let mistake = Mistake::new(written.at, "`attempts` must be a whole number or `\"unlimited\"`", "neither");
    section.reading.note(mistake.help("for example `attempts = 10`"));
    default
}

fn string(section: &Section<'_>, name: &str) -> Option<Written> {
    let value = section.value(name)?;
    let DeValue::String(raw) = value.get_ref() else {
        section.wrong_type(name, value);
        return None;
    };
    section.reading.interpolate(raw, value.span(), Port::Refused)
}

pub(super) fn tasks(section: &Section<'_>, app: &str) -> Tasks {
    let of_app = Tasks::of_app(app);
    let id = |name: &str, extra: &[u8]| {
        let written = section.text(name)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || extra.contains(&byte);
        if written.value().len() <= ID_LENGTH_MAX && written.value().bytes().all(fits) {
            return Some(written.value().to_owned());
        }
        let title = format!("`{name}` must be a {name}'s id");
        let mistake = Mistake::new(written.at, title, "becomes a part of queues' names");
        let extra: Vec<String> = extra.iter().map(|byte| format!("`{}`", char::from(*byte))).collect();
        section.reading.note(
            mistake.help(format!("it is 1 to {ID_LENGTH_MAX} letters, digits and {}", extra.join(", "))),
        );
        None
    };
    Tasks {
        project: id("project", b":.-").unwrap_or(of_app.project),
        location: id("location", b"-").unwrap_or(of_app.location),
        external: external(section),
        window: section.duration("window"),
        dead: section.count("dead"),
    }
}

/// As long as a name of a service; Google's projects have 30 at most.
const ID_LENGTH_MAX: usize = 100;

fn external(section: &Section<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    for written in section.texts("external") {
        // An IPv6 address may stand here without brackets, where no port follows.
        let bare = written.value().parse::<std::net::Ipv6Addr>().is_ok();
        let url = if bare {
            format!("http://[{}]", written.value())
        } else {
            format!("http://{}", written.value())
        };
        match address::origin(&url) {
            Ok(_) => hosts.push(written.value().to_owned()),
            Err(_) => section.reading.note(
                Mistake::new(
                    written.at,
                    "`external` must be a list of hosts",
                    "neither a host nor host:port",
                )
                .help(
                    "for example `external = [\"api.example.com\", \"127.0.0.1:9100\"]`: no scheme, no path",
                ),
            ),
        }
    }
    hosts
}
