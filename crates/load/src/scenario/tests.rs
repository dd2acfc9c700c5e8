//! Tests of the whole reader, through [`load`](super::load()).

mod manual;
mod mistakes;
mod promises;
mod properties;
mod render;
mod valid;

use std::io;
use std::path::Path;

use mare_manifest::Mistakes;

use super::{Scenario, load};

/// Variables the tests may name. The value is recognisable, so that a test can look for leaks.
fn env(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "hunter2 \"&/\\".to_owned())
}

fn files(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("load/accounts.csv") => {
            Ok("id, email\n1,ana@example.com\n\"2\",\"bob, \"\"x\"\"\"\n".to_owned())
        }
        Some("load/torn.csv") => Ok("id,email\n1,2,3\n".to_owned()),
        Some("load/empty.csv") => Ok("id,email\n".to_owned()),
        Some("load/twice.csv") => Ok("id,id\n1,2\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

fn read(source: &str) -> Result<Scenario, Mistakes> {
    load(source, Path::new("load/read.toml"), &files, &env)
}

/// A scenario that is valid if these steps are.
fn with_steps(steps: &str) -> String {
    format!(
        "[[stages]]\nusers = 2\nhold = \"1s\"\n[feeds.accounts]\nfile = \"accounts.csv\"\n\
         [[setup]]\nrequest = \"POST /login\"\nextract = {{ token = \"json:/token\" }}\n[[flows]]\n{steps}"
    )
}

/// The same with the given keys in its only step.
fn with_step(keys: &str) -> String {
    with_steps(&format!("[[flows.steps]]\n{keys}\n"))
}
