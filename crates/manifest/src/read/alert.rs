//! `[alerts]`

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::objective::check_reached;
use crate::interpolate::Port;
use crate::mistakes::Mistake;
use crate::model::Route;
use crate::model::alert::{Alerts, Email, Slow};
use crate::model::objective::{Objective, Subject, WATCHED_MAX};
use crate::reading::section::Section;
use crate::{pattern, units};

/// The shortest time a rule may name, and the longest.
const OVER: std::ops::RangeInclusive<u128> = 1..=3_600_000;

pub(super) fn alerts(
    root: &Section<'_>,
    routes: Option<&[Route]>,
    objectives: &BTreeMap<String, Objective>,
) -> Alerts {
    let section = root.table("alerts");
    let alerts = Alerts {
        webhook: section.text("webhook").map(|url| url.text),
        slack: section.text("slack").map(|url| url.text),
        email: section.has("email").then(|| email(&section.table("email"))).flatten(),
        every: section.duration("every"),
        clear: section.duration("clear"),
        repeat: section.duration("repeat"),
        slow: slow(&section, routes, objectives),
    };
    if objectives.len() + alerts.slow.len() > WATCHED_MAX {
        let title = format!("more than {WATCHED_MAX} objectives and slow rules together");
        section
            .reading
            .note(Mistake::new(section.at.clone(), title, "too many").help("let some cover more requests"));
    }
    alerts
}

fn email(section: &Section<'_>) -> Option<Email> {
    let (smtp, from, to) = (section.text("smtp"), section.text("from"), section.texts("to"));
    if !section.has("smtp") {
        section.reading.note_absence(
            Mistake::new(section.at.clone(), "`[alerts.email]` needs `smtp`", "`smtp` is missing")
                .help("for example `smtp = \"smtps://user:${SMTP_PASSWORD}@mail.example.com\"`"),
        );
    }
    let to = to.iter().map(|address| address.value().to_owned()).collect();
    Some(Email { smtp: smtp?.text, from: from?.value().to_owned(), to })
}

fn slow(
    section: &Section<'_>,
    routes: Option<&[Route]>,
    objectives: &BTreeMap<String, Objective>,
) -> BTreeMap<String, Slow> {
    let mut rules = BTreeMap::new();
    for (name, value) in section.entries("slow") {
        section.check_name(name);
        if objectives.contains_key(name.get_ref().as_ref()) {
            let title = format!("an objective is called `{}` too", name.get_ref());
            section.reading.note(
                Mistake::new(name.span(), title, "alerts are known by their name").help("give it another"),
            );
        }
        let DeValue::String(raw) = value.get_ref() else {
            let title = format!("`{}` must be a rule in one string", name.get_ref());
            section.reading.note(Mistake::new(value.span(), title, "this is none").help(EXAMPLE));
            continue;
        };
        let Some(written) = section.reading.interpolate(raw, value.span(), Port::Refused) else { continue };
        match rule(written.value()) {
            Ok(rule) => {
                check_reached(section, &rule.on, &written, routes);
                rules.insert(name.get_ref().to_string(), rule);
            }
            Err(wrong) => {
                let title = format!("`{}` must say which requests may not take longer", name.get_ref());
                section.reading.note(Mistake::new(written.at, title, wrong).help(EXAMPLE));
            }
        }
    }
    rules
}

const EXAMPLE: &str = "for example `pix = \"POST /api/pix over 5s\"`";

/// Reads `[METHOD ]/path over DURATION`.
fn rule(text: &str) -> Result<Slow, &'static str> {
    let (requests, over) = text.rsplit_once(" over ").ok_or("it is not a path, ` over ` and a duration")?;
    let (method, path) = pattern::pattern(requests)?;
    let over = units::duration(over)?;
    if !OVER.contains(&over.as_millis()) {
        return Err("its duration is not between 1ms and 1h");
    }
    Ok(Slow { on: Subject::Requests { method: method.map(str::to_owned), path }, over })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rule_is_one_line() {
        let check = |text: &str, expected: Result<(&str, u64), &str>| {
            let read = rule(text).map(|rule| (rule.on.to_string(), rule.over));
            let expected = expected.map(|(on, ms)| (on.to_owned(), Duration::from_millis(ms)));
            assert_eq!(read, expected, "{text}");
        };
        check("POST /api/pix over 5s", Ok(("POST /api/pix", 5_000)));
        check("/api/* over 300ms", Ok(("/api/*", 300)));
        check("/img* over 1m30s", Ok(("/img*", 90_000)));
        check("/api/pix", Err("it is not a path, ` over ` and a duration"));
        check("/api/pix over five", Err("not a whole number with a unit"));
        check("/api/pix over 5", Err("a number without a unit"));
        check("/api/pix over 0s", Err("its duration is not between 1ms and 1h"));
        check("/api/pix over 2h", Err("its duration is not between 1ms and 1h"));
        check("api over 5s", Err("its path does not begin with `/`"));
    }
}
