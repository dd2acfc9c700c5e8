//! Tests of the whole crate, through [`load`].

mod coverage;
mod diagnostics;
mod guards;
mod manual;
mod properties;
mod secrets;
mod valid;

use super::*;

/// Variables the tests may name. The values are recognisable, so that a test can look for leaks.
fn env(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("hunter2-Secret value".to_owned()),
        "SECRET_URL" => Some("postgres://admin:hunter2@db/main".to_owned()),
        "SECRET_HOOK" => Some("https://hooks.example.com/hunter2".to_owned()),
        "EMPTY" => Some(String::new()),
        "SERVICE" => Some("api".to_owned()),
        _ => None,
    }
}

fn read(source: &str) -> Result<Manifest, Mistakes> {
    load(source, Path::new("mare.toml"), PathBuf::from("/srv/shop"), &env)
}
