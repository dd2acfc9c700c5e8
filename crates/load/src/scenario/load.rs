//! From the text of a scenario to the model, noting every mistake on the way.

mod body;
mod feeds;
mod flows;
mod limits;
mod stages;
mod steps;
mod texts;

use std::io;
use std::path::Path;

use mare_manifest::reading::section::Section;
use mare_manifest::{Mistake, Mistakes, reading};

use super::grammar::SCENARIO;
use super::{HttpVersion, Scenario, Target};

/// Where `mare up` listens by default.
const TARGET: &str = "http://127.0.0.1:8080";
/// Of flows, stages and steps: what a report can still show.
const LIST_MAX: usize = 100;
const NAME_MAX: usize = 100;

/// Reads a scenario. `origin` is its path: what mistakes call it, what other paths are relative to, and its default
/// name. `read` reads the data files it names; `env` looks up a variable.
pub fn load(
    source: &str,
    origin: &Path,
    read: &dyn Fn(&Path) -> io::Result<String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Scenario, Mistakes> {
    reading::document(&SCENARIO, (source, origin), env, |root| scenario(root, origin, read))
}

fn scenario(root: &Section<'_>, origin: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> Scenario {
    let folder = origin.parent().unwrap_or(Path::new(""));
    let of_file =
        || origin.file_stem().map_or("scenario".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let (model, stages) = stages::stages(root);
    let users = model.users_max(&stages);
    let feeds = feeds::feeds(root, users, &|path| read(&folder.join(path)));
    let (setup, flows) = flows::flows(root, model, &feeds);
    Scenario {
        name: name(root).unwrap_or_else(of_file),
        manifest: root.text("manifest").map(|path| folder.join(path.value())),
        target: target(&root.table("target")),
        model,
        stages,
        setup,
        setup_every: root.duration_if("setup_every"),
        thresholds: limits::thresholds(root, &flows),
        flows,
        feeds,
    }
}

/// The `name` of a section: one line, as it stands in tables.
fn name(section: &Section<'_>) -> Option<String> {
    let name = section.text("name")?;
    if name.value().chars().count() > NAME_MAX || name.value().contains(char::is_control) {
        let title = format!("`name` must be one line of at most {NAME_MAX} characters");
        section.reading.note(Mistake::new(name.at, title, "too much for a table"));
        return None;
    }
    Some(name.value().to_owned())
}

fn target(section: &Section<'_>) -> Target {
    let url = section.text("url").map_or(TARGET.to_owned(), |url| {
        let wrong = wrong_in_url(url.value());
        if let Some(wrong) = wrong {
            let mistake = Mistake::new(url.at.clone(), "`url` must be an HTTP server's URL", wrong);
            section.reading.note(mistake.help(format!("for example `url = \"{TARGET}\"`")));
        }
        url.value().trim_end_matches('/').to_owned()
    });
    let http = section.text("http").map_or(HttpVersion::Http1, |http| match http.value() {
        "1.1" => HttpVersion::Http1,
        "2" => HttpVersion::Http2,
        _ => {
            section.reading.note(
                Mistake::new(http.at, "`http` must be `\"1.1\"` or `\"2\"`", "this is neither")
                    .help("for example `http = \"2\"`"),
            );
            HttpVersion::Http1
        }
    });
    Target { url, http }
}

/// What keeps it from being `http[s]://host[:port]`. A constant: the URL may come from the environment.
fn wrong_in_url(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return Some("it does not begin with `http://` or `https://`");
    };
    if rest.contains('@') {
        return Some("a user name or password has no place in it");
    }
    if rest.trim_end_matches('/').contains(['/', '?', '#']) {
        return Some("it ends after the port; paths stand in the requests");
    }
    let uri: Option<http::Uri> = url.parse().ok();
    let is_usable = uri.is_some_and(|uri| {
        let (host, authority) =
            (uri.host().unwrap_or_default(), uri.authority().map_or("", |all| all.as_str()));
        !host.is_empty() && (authority == host || uri.port_u16().is_some_and(|port| port > 0))
    });
    if is_usable { None } else { Some("its host or port cannot be read") }
}

/// Notes a list that is longer than [`LIST_MAX`].
fn check_length(section: &Section<'_>, name: &str, length: usize) {
    if length > LIST_MAX {
        let title = format!("`{name}` has more than {LIST_MAX} entries");
        let mistake = Mistake::new(section.place(name), title, format!("{length} of them"));
        section.reading.note(mistake.help("no report could show them; make it several scenarios"));
    }
}
