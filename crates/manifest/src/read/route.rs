//! `[[routes]]`

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use crate::grammar::sections::TARGETS;
use crate::mistakes::Mistake;
use crate::model::guard::Guards;
use crate::model::{Files, PathPattern, Route, Service, Target};
use crate::reading::Written;
use crate::reading::section::Section;
use crate::{address, pattern, suggest};

pub(super) fn routes(
    sections: &[Section<'_>],
    services: &BTreeMap<String, Service>,
    folder: &Path,
) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    for section in sections {
        let Some(route) = route(section, services, folder) else { continue };
        let twin = routes.iter().position(|other| {
            other.method == route.method && other.host == route.host && other.path == route.path
        });
        let place = section.place("match");
        if let Some(twin) = twin {
            section.reading.note(
                Mistake::new(place.clone(), "two routes match the same requests", "never reached")
                    .see(places[twin].clone(), "this one is the same")
                    .help("remove one, or let them differ in method, host or path"),
            );
        }
        routes.push(route);
        places.push(place);
    }
    routes
}

/// `None` after a mistake. Everything is read before anything is given up.
fn route(section: &Section<'_>, services: &BTreeMap<String, Service>, folder: &Path) -> Option<Route> {
    let matched = matched(section);
    let host = section.text("host").map(|host| {
        let read = pattern::host(host.value());
        read.map_err(|wrong| refuse(section, &host, "`host` must be a host name", wrong)).ok()
    });
    let body = section.size("body");
    let target = target(section, services, folder);
    let (name, method, path) = matched?;
    Some(Route {
        name,
        method: method.map(str::to_owned),
        host: match host {
            Some(host) => Some(host?),
            None => None,
        },
        path,
        target: target?,
        body,
        guards: Guards::default(),
        cache: None,
    })
}

fn refuse(section: &Section<'_>, written: &Written, title: &str, wrong: &'static str) {
    section.reading.note(Mistake::new(written.at.clone(), title, wrong));
}

fn matched(section: &Section<'_>) -> Option<(String, Option<&'static str>, PathPattern)> {
    let written = section.text("match")?;
    match pattern::pattern(written.value()) {
        // The name is the source: it appears in metrics, where an interpolated value must not.
        Ok((method, path)) => Some((written.text.to_string(), method, path)),
        Err(wrong) => {
            let method = written.shown().and_then(|shown| shown.split_once(' ')).and_then(|(method, _)| {
                let known = suggest::closest(method, pattern::METHODS)?;
                (known != method).then(|| format!("did you mean `{known}`?"))
            });
            section.reading.note(
                Mistake::new(written.at, "`match` must be a path, perhaps with a method", wrong)
                    .help("for example `/health`, `/api/*`, `/img*` or `GET /api/*`")
                    .maybe_help(method),
            );
            None
        }
    }
}

fn target(section: &Section<'_>, services: &BTreeMap<String, Service>, folder: &Path) -> Option<Target> {
    let named: Vec<&str> = TARGETS.into_iter().filter(|target| section.has(target)).collect();
    if let [first, second, ..] = named.as_slice() {
        section.reading.note(
            Mistake::new(
                section.place(second),
                "a route leads to one place",
                format!("`{second}` beside `{first}`"),
            )
            .see(section.place(first), "the other one")
            .help("write one route for each"),
        );
    }
    let spa = section.flag("spa");
    if spa && !section.has("files") {
        section.reading.note(
            Mistake::new(section.place("spa"), "`spa` without `files`", "there is no index.html here")
                .help("`spa` is for routes that lead to a folder"),
        );
    }
    let service = service(section, services);
    let url = url(section);
    let files =
        section.text("files").map(|files| Target::Files(Files { folder: folder.join(files.value()), spa }));
    if named.is_empty() {
        section.reading.note_absence(
            Mistake::new(section.at.clone(), "a route leads nowhere", "one of three is missing")
                .help("add `service = \"…\"`, `url = \"http://…\"` or `files = \"…\"`"),
        );
    }
    service.or(url).or(files)
}

fn service(section: &Section<'_>, services: &BTreeMap<String, Service>) -> Option<Target> {
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    let name = section.name_of("service", &names)?;
    if services.get(name.value()).is_some_and(|service| service.internal) {
        let title = "a route leads to an internal service";
        section.reading.note(
            Mistake::new(name.at.clone(), title, "it has `internal = true`").help(
                "remove `internal`, or the route; other services reach it through `MARE_URL_<SERVICE>`",
            ),
        );
    }
    Some(Target::Service(name.value().to_owned()))
}

fn url(section: &Section<'_>) -> Option<Target> {
    let url = section.text("url")?;
    match address::origin(url.value()) {
        Ok(origin) => Some(Target::Url(origin)),
        Err(wrong) => {
            section.reading.note(
                Mistake::new(url.at, "`url` must be an HTTP server's URL", wrong)
                    .help("for example `url = \"http://127.0.0.1:9000\"`"),
            );
            None
        }
    }
}
