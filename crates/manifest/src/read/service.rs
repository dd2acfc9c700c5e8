//! `[services.NAME]`

use std::collections::BTreeMap;
use std::ops::Range;

use crate::interpolate::{Port, is_variable};
use crate::mistakes::Mistake;
use crate::model::{Health, Resources, Scale, Service, Text};
use crate::reading::section::Section;

/// Words that mean something to a shell, and nothing without one.
const SHELL: [&str; 13] = ["&&", "||", "|", ";", "&", ">", ">>", "<", "<<", "2>", "2>>", "2>&1", "&>"];

/// Reads all of them; `databases` says of each database whether it is shared.
pub(super) fn services(
    sections: Vec<(&str, Section<'_>)>,
    databases: &BTreeMap<&str, bool>,
) -> BTreeMap<String, Service> {
    let mut owners: Vec<(String, &str, Range<usize>)> = Vec::new();
    let mut services = BTreeMap::new();
    let mut sections = sections;
    // In the order of the file, so that of two owners it is the later one who is told.
    sections.sort_by_key(|(_, section)| section.at.start);
    for (name, section) in &sections {
        let service = service(section, databases);
        if let Some(database) = &service.database {
            owners.push((database.clone(), name, section.place("database")));
        }
        services.insert((*name).to_owned(), service);
    }
    if let Some((_, section)) = sections.first() {
        check_owners(section, &owners, databases);
    }
    services
}

/// A database belongs to one service, unless its section says otherwise.
fn check_owners(
    section: &Section<'_>,
    owners: &[(String, &str, Range<usize>)],
    databases: &BTreeMap<&str, bool>,
) {
    for (index, (database, _, place)) in owners.iter().enumerate() {
        let first = owners[..index].iter().find(|(other, ..)| other == database);
        let Some((_, first_service, first_place)) = first else { continue };
        if databases.get(database.as_str()) == Some(&true) {
            continue;
        }
        section.reading.note(
            Mistake::new(place.clone(), "two services name the same database", "named again here")
                .see(first_place.clone(), format!("`{first_service}` names it"))
                .help("give each its own, or say `shared = true` in the database's section"),
        );
    }
}

fn service(section: &Section<'_>, databases: &BTreeMap<&str, bool>) -> Service {
    let names: Vec<&str> = databases.keys().copied().collect();
    let database = section.name_of("database", &names).map(|name| name.value().to_owned());
    Service {
        run: run(section),
        image: section.text("image").map(|image| image.value().to_owned()),
        scale: scale(&section.table("scale")),
        resources: resources(&section.table("resources")),
        health: health(&section.table("health")),
        timeout: section.duration("timeout"),
        grace: section.duration("grace"),
        internal: section.flag("internal"),
        env: env(section, database.as_deref()),
        database,
    }
}

/// Splits first and interpolates then: a value with a space in it never becomes two words.
fn run(section: &Section<'_>) -> Vec<Text> {
    let Some((raw, at)) = section.raw("run") else { return Vec::new() };
    let Ok(words) = shell_words::split(raw) else {
        section.reading.note(
            Mistake::new(at, "a quote in `run` has no end", "cannot be split into words")
                .help("quotes hold words together; a quote itself stands inside the other kind: `\"it's\"`"),
        );
        return Vec::new();
    };
    if words.is_empty() {
        section.reading.note(Mistake::new(at.clone(), "`run` names no command", "no word in it"));
    }
    if let Some(word) = words.iter().find(|word| SHELL.contains(&word.as_str()) || word.ends_with(';')) {
        let place = section.reading.within(&at, word);
        let mistake = Mistake::new(place, "`run` looks as if it needs a shell", "means nothing without one");
        section.reading.note(mistake.help("there is no shell around it; ask for one: `sh -c '…'`"));
        return Vec::new();
    }
    if let Some((name, _)) = words.first().and_then(|word| word.split_once('='))
        && is_variable(name)
    {
        let place = section.reading.within(&at, name);
        let mistake = Mistake::new(place, "`run` begins with a variable", "means nothing without a shell");
        section.reading.note(mistake.help(format!("say it in `env`: `env = {{ {name} = \"…\" }}`")));
        return Vec::new();
    }
    let interpolate = |word: &String| section.reading.interpolate(word, at.clone(), Port::Kept);
    let run: Vec<Text> = words.iter().filter_map(interpolate).map(|word| word.text).collect();
    if run.first().is_some_and(|command| command.reveal().is_empty()) {
        section.reading.note(Mistake::new(at, "`run` names no command", "its first word is empty"));
    } else if run.iter().any(|word| word.reveal().contains('\0')) {
        section.reading.note(Mistake::new(at, "`run` holds a zero byte", "no system can pass it on"));
    }
    run
}

fn scale(section: &Section<'_>) -> Scale {
    let scale = Scale {
        min: section.count("min"),
        max: section.count("max"),
        concurrency: section.count("concurrency"),
        idle: section.duration("idle"),
        hold: section.duration("hold"),
        starts: section.count("starts"),
        waiting: section.count("waiting"),
        wait: section.duration("wait"),
    };
    if scale.min > scale.max {
        let help = if section.has("max") {
            "raise `max` or lower `min`".to_owned()
        } else {
            format!("`max` is {} unless it is set", scale.max)
        };
        let mistake = Mistake::new(section.place("min"), "`min` is above `max`", "more than may run at once");
        section.reading.note(mistake.help(help));
    }
    scale
}

fn resources(section: &Section<'_>) -> Resources {
    Resources { cpu: section.number("cpu"), memory: section.size("memory") }
}

fn health(section: &Section<'_>) -> Health {
    Health {
        path: section.text("path").map(|path| path.value().to_owned()),
        every: section.duration("every"),
        timeout: section.duration("timeout"),
        failures: section.count("failures"),
        startup: section.duration("startup"),
    }
}

/// Variables that the platform sets cannot be set here; `database` is the service's, if it has one.
fn env(section: &Section<'_>, database: Option<&str>) -> BTreeMap<String, Text> {
    let mut env = BTreeMap::new();
    for (name, value) in section.entries("env") {
        let wrong = if !is_variable(name.get_ref()) {
            Some("a name is letters, digits and `_`, and does not begin with a digit")
        } else if name.get_ref() == "PORT" || name.get_ref() == "HOST" || name.get_ref().starts_with("MARE_")
        {
            Some("mare sets `PORT`, `HOST` and every `MARE_…` itself")
        } else if name.get_ref() == "DATABASE_URL" && database.is_some() {
            Some(
                "mare sets it, because the service has a `database`; put the URL into the database's section",
            )
        } else {
            None
        };
        if let Some(help) = wrong {
            let title = format!("`{}` cannot be set in `env`", name.get_ref());
            section.reading.note(Mistake::new(name.span(), title, "not this name").help(help));
        }
        let toml::de::DeValue::String(raw) = value.get_ref() else {
            let title = format!("`{}` must be a string", name.get_ref());
            section.reading.note(
                Mistake::new(value.span(), title, "environment variables are strings")
                    .help("put it into quotes"),
            );
            continue;
        };
        if raw.contains('\0') {
            let mistake =
                Mistake::new(value.span(), "an environment variable with a zero byte", "ends there");
            section.reading.note(mistake.help("no system can pass it on"));
        }
        if let Some(written) = section.reading.interpolate(raw, value.span(), Port::Kept) {
            env.insert(name.get_ref().to_string(), written.text);
        }
    }
    env
}
