//! What the environment says.

use std::env;

use anyhow::{Context, bail};

use crate::auth::Cost;
use crate::caching::Purger;

#[derive(Clone)]
pub struct Config {
    pub database_url: String,
    /// Where uploaded files are: a directory or a URL.
    pub files: String,
    pub host: String,
    pub port: u16,
    pub password_cost: Cost,
    /// Tells the platform of changes, if there is one.
    pub purger: Purger,
}

impl Config {
    /// Reads `DATABASE_URL`, `VALORIZA_FILES`, `HOST`, `PORT`, `MARE_ADMIN_URL` and `MARE_TOKEN`; an empty variable
    /// counts as unset.
    pub fn from_env() -> anyhow::Result<Self> {
        let port =
            read("PORT")?.map(|it| it.parse().with_context(|| format!("read PORT: {it:?} is not a port")));
        let database_url = read("DATABASE_URL")?.unwrap_or_else(|| "sqlite:valoriza.db".to_owned());
        Ok(Self {
            files: read("VALORIZA_FILES")?.unwrap_or_else(|| beside(&database_url)),
            database_url,
            host: read("HOST")?.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: port.transpose()?.unwrap_or(8000),
            password_cost: Cost::default(),
            purger: match (read("MARE_ADMIN_URL")?, read("MARE_TOKEN")?) {
                (Some(admin), Some(token)) => Purger::new(&admin, &token)?,
                _ => Purger::default(),
            },
        })
    }
}

/// The directory beside an SQLite file; in the working directory otherwise.
fn beside(database_url: &str) -> String {
    let file = database_url.strip_prefix("sqlite:").map(|it| it.trim_start_matches("//"));
    let file = file.and_then(|it| it.split('?').next()).unwrap_or("valoriza.db");
    format!("{file}.files")
}

fn read(name: &str) -> anyhow::Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|it| !it.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => bail!("read {name}: it is not UTF-8"),
    }
}
