//! `mare.toml`: its grammar, its validation, and the model every other crate shares.
//!
//! [`load`] turns the text of a manifest into a [`Manifest`], or into all its [`Mistakes`] at once. It reads no
//! file, no environment and no clock: those come in as values.
//!
//! Where to start: [`model`] is the result; `grammar/sections.rs` is the table of every section and key;
//! `reading` takes typed values out of the parsed text along that table; `read` builds the model from them and
//! checks what concerns several sections.
//!
//! `grammar` and `reading` are a reader for any file of this kind: `mare load` reads its scenarios with them.
//!
//! What the environment gives never appears in a [`Mistakes`]: whatever judges an interpolated value answers with
//! a `&'static str`, and mistakes quote the file.

mod address;
pub mod cron;
pub mod defaults;
pub mod grammar;
mod interpolate;
mod label;
mod mistakes;
pub mod model;
mod pattern;
mod read;
pub mod reading;
mod schema;
mod suggest;
mod text;
pub mod units;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use crate::mistakes::{Colour, Mistake, Mistakes};
pub use crate::model::Manifest;
pub use crate::pattern::METHODS;
pub use crate::schema::{schema, schema_of};
pub use crate::suggest::{closest, did_you_mean};

use crate::grammar::sections::MANIFEST;
use crate::model::alert::Alerts;
use crate::model::guard::{Cache, Guards};
use crate::model::queue::Tasks;
use crate::model::{App, Backends, Limits, Origin, PathPattern, Route, Service, Target, Text};

/// Reads a manifest. `origin` is what mistakes call the file; `folder` is the one it is in, absolute, as its last
/// part may name the application; `env` looks up a variable.
pub fn load(
    source: &str,
    origin: &Path,
    folder: PathBuf,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Manifest, Mistakes> {
    reading::document(&MANIFEST, (source, origin), env, |root| read::manifest(root, folder))
}

impl Manifest {
    /// What `mare up -- COMMAND…` runs: one service `app` with every default, and all requests lead to it.
    /// The words are taken as they are, except that `$PORT` and `${PORT}` stand for the port.
    pub fn for_command(words: Vec<String>, folder: PathBuf) -> Self {
        const SERVICE: &str = "app";
        let service = Service::running(words.into_iter().map(Text::plain).collect());
        let route = Route {
            name: "/*".to_owned(),
            method: None,
            host: None,
            path: PathPattern::Below(String::new()),
            target: Target::Service(SERVICE.to_owned()),
            body: None,
            guards: Guards::default(),
            cache: None,
        };
        let app = App { name: read::name_of_folder(&folder), drain: defaults::DRAIN };
        Self {
            tasks: Tasks::of_app(&app.name),
            app,
            queues: BTreeMap::new(),
            schedules: BTreeMap::new(),
            topics: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            limits: Limits::default(),
            auth: None,
            api_keys: BTreeMap::new(),
            cache: Cache::default(),
            databases: BTreeMap::new(),
            services: BTreeMap::from([(SERVICE.to_owned(), service)]),
            routes: vec![route],
            objectives: BTreeMap::new(),
            alerts: Alerts::default(),
            backends: Backends::default(),
            folder,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
