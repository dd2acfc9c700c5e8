//! `mare render`: files for other programs, made from mare.toml.

use std::path::{Path, PathBuf};

use anyhow::Result;
use mare_telemetry::render::{grafana, prometheus};

use crate::{Usage, check, cli};

pub(crate) fn run(arguments: &cli::Render) -> Result<()> {
    let (output, suffix, text, name) = match &arguments.format {
        cli::Format::Prometheus(arguments) => {
            let manifest = check::read(&arguments.output.file)?;
            let text = prometheus::rules(&manifest, arguments.job.as_deref());
            (&arguments.output, "rules.yml", text, manifest.app.name)
        }
        cli::Format::Grafana(output) => {
            let manifest = check::read(&output.file)?;
            (output, "dashboard.json", grafana::dashboard(&manifest), manifest.app.name)
        }
    };
    let Some(place) = &output.output else {
        crate::print(&text);
        return Ok(());
    };
    let path = path_in(place, &format!("{name}.{suffix}"));
    std::fs::write(&path, text)
        .map_err(|error| Usage(format!("cannot write {}: {error}", path.display())))?;
    crate::print(&format!("{}\n", path.display()));
    Ok(())
}

/// `name` in a folder that is there; else the place is the file itself.
fn path_in(place: &Path, name: &str) -> PathBuf {
    if place.is_dir() { place.join(name) } else { place.to_owned() }
}
