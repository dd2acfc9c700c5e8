//! `mare check`, and reading a manifest in general.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Result;
use mare_manifest::model::Manifest;
use mare_manifest::model::guard::Guards;
use mare_manifest::{Colour, Mistakes};

use crate::Usage;
use crate::cli;

pub(crate) fn run(arguments: &cli::Check) -> Result<()> {
    if arguments.schema {
        crate::print(&format!("{:#}\n", mare_manifest::schema()));
        return Ok(());
    }
    let manifest = read(&arguments.file)?;
    crate::print(&format!("{} is valid: {}\n", arguments.file.display(), contents(&manifest)));
    Ok(())
}

/// The manifest in `file`, with the variables of this process's environment.
pub(crate) fn read(file: &Path) -> Result<Manifest> {
    let source = std::fs::read_to_string(file).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "; name another with -f, or run a command with `mare up -- COMMAND`"
            }
            _ => "",
        };
        Usage(format!("cannot read {}: {error}{hint}", file.display()))
    })?;
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize()?;
    let manifest = mare_manifest::load(&source, file, folder, &|name| std::env::var(name).ok())?;
    mare_gateway::check_keys(&manifest).map_err(|error| Usage(format!("{}: {error}", file.display())))?;
    Ok(manifest)
}

pub(crate) fn render(mistakes: &Mistakes) -> String {
    mistakes.render(if std::io::stderr().is_terminal() { Colour::Always } else { Colour::Never })
}

/// What is in a manifest: always its services and routes, the rest where there is any.
fn contents(manifest: &Manifest) -> String {
    let guarded = manifest.routes.iter().filter(|route| route.guards != Guards::default()).count();
    let cached = manifest.routes.iter().filter(|route| route.cache.is_some()).count();
    let marks = [(guarded, "guarded"), (cached, "cached")].into_iter().filter(|(number, _)| *number > 0);
    let marks: Vec<String> = marks.map(|(number, mark)| format!("{number} {mark}")).collect();
    let routes = count(manifest.routes.len(), "route");
    let routes = if marks.is_empty() { routes } else { format!("{routes} ({})", marks.join(", ")) };
    let rest = [
        (manifest.databases.len(), "database"),
        (manifest.queues.len(), "queue"),
        (manifest.schedules.len(), "schedule"),
        (manifest.topics.len(), "topic"),
        (manifest.api_keys.len(), "API key"),
    ];
    let rest = rest.into_iter().filter(|(number, _)| *number > 0);
    let mut parts = vec![count(manifest.services.len(), "service"), routes];
    parts.extend(rest.map(|(number, thing)| count(number, thing)));
    let last = parts.pop().unwrap_or_default();
    format!("{} and {last}", parts.join(", "))
}

fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_is_there() {
        let check = |source: &str, expected: &str| {
            let manifest = mare_manifest::load(source, Path::new("mare.toml"), "/srv/shop".into(), &|_| None);
            assert_eq!(contents(&manifest.expect("valid")), expected);
        };
        check("", "0 services and 0 routes");
        check("[services.a]\nrun = \"a\"\n[databases.main]", "1 service, 0 routes and 1 database");
        let rest = "[queues.q]\n[queues.r]\n[topics.t]\n[schedules.s]\ncron = \"@every 1h\"\nqueue = \"q\"\n\
            target = { service = \"a\" }\n[services.a]\nrun = \"a\"\n";
        check(rest, "1 service, 0 routes, 2 queues, 1 schedule and 1 topic");
        let route =
            |name: &str, more: &str| format!("[[routes]]\nmatch = \"/{name}\"\nurl = \"http://x\"\n{more}");
        let routes = route("a", "cache = {}\n")
            + &route("b", "limit = { rate = \"1/s\" }\ncache = {}\n")
            + &route("c", "");
        check(&routes, "0 services and 3 routes (1 guarded, 2 cached)");
    }
}
