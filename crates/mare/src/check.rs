//! `mare check`, and reading a manifest in general.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Result;
use mare_manifest::model::Manifest;
use mare_manifest::{Colour, Mistakes};

use crate::Usage;
use crate::cli;

pub(crate) fn run(arguments: &cli::Check) -> Result<()> {
    if arguments.schema {
        crate::print(&format!("{:#}\n", mare_manifest::schema()));
        return Ok(());
    }
    let manifest = read(&arguments.file)?;
    crate::print(&format!(
        "{} is valid: {}, {} and {}\n",
        arguments.file.display(),
        count(manifest.services.len(), "service"),
        count(manifest.routes.len(), "route"),
        count(manifest.databases.len(), "database"),
    ));
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
    Ok(mare_manifest::load(&source, file, folder, &|name| std::env::var(name).ok())?)
}

pub(crate) fn render(mistakes: &Mistakes) -> String {
    mistakes.render(if std::io::stderr().is_terminal() { Colour::Always } else { Colour::Never })
}

fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
