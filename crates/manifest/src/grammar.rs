//! What may stand in a file, as data: one description that the reader, the "did you mean" of unknown
//! keys, the JSON Schema and the test of the documentation all follow.
//!
//! `mare.toml` has one ([`sections`]), and so have the scenarios of `mare load`.
//!
//! To add a key: add it to its section in [`sections`], read it in `read/`, write it down in `docs/manifest.md`.
//! Tests fail until all three are done.

pub(crate) mod sections;

use std::time::Duration;

use crate::units;

/// What one kind of file may hold.
#[derive(Debug)]
pub struct Grammar {
    pub root: &'static [Key],
    pub variables: Variables,
    /// What becomes of the names people choose in `[section.NAME]`: completes "it …".
    pub names: &'static str,
    /// Words of later versions, so that a file written for one is told so: the section (`""` at the top), and
    /// its keys.
    pub later: &'static [(&'static str, &'static [&'static str])],
}

impl Grammar {
    pub(crate) fn comes_later(&self, section: &str, key: &str) -> bool {
        self.later.iter().any(|(name, keys)| *name == section && keys.contains(&key))
    }
}

/// How a string names an environment variable. `$$` is `$` in both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Variables {
    /// `${NAME}`; any other `$` is a mistake.
    Named,
    /// `${env.NAME}`, as other values stand in braces too, where they may; a `$` without braces is itself.
    Prefixed,
}

/// One key of a section.
#[derive(Debug)]
#[must_use]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub need: Need,
    /// A valid value, in TOML.
    pub example: &'static str,
    /// What it means, for the schema; begins with a capital, no full stop.
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    Required,
    /// An empty string or list counts as absent, so that `${VAR:-}` can turn it off.
    Optional,
    /// May be absent, but not empty.
    Filled,
}

/// What a key's value may be, with bounds and default where it has them.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`; `false` by default.
    Flag,
    Count(Bounds<u32>),
    /// A number with or without fraction; zero itself is excluded.
    Number(Bounds<f64>),
    Duration(Bounds<Duration>),
    Size(Bounds<u64>),
    /// A share, as a percentage: `"0.5%"` is 0.005.
    Ratio(Bounds<f64>),
    /// `"500/s"`: so many per second.
    Rate(Bounds<f64>),
    Text(Form),
    /// A list of strings, none of them empty.
    Texts(Form),
    /// `[name]`
    Table(&'static [Key]),
    /// `[name.ANY-NAME]`
    Named(&'static [Key]),
    /// `[[name]]`
    List(&'static [Key]),
    /// A table of environment variables.
    Variables,
    /// A table of free names and one-line rules: `[METHOD ]/path over DURATION`.
    Rules,
    /// Read and judged by whoever asks, see [`crate::reading::section::Section::value`].
    Other {
        /// What it is called, with its article.
        what: &'static str,
        /// Its JSON schema.
        schema: fn() -> serde_json::Value,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Bounds<T: 'static> {
    pub min: T,
    pub max: T,
    pub default: Option<T>,
}

/// What a string has to look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// See [`crate::label`].
    Label,
    /// Words as a shell would split them.
    Command,
    /// A URL that begins with one of these.
    Url(&'static [&'static str]),
    /// `http://host[:port]`
    Origin,
    /// `[METHOD ]/path`
    Match,
    /// A host name, perhaps with `*.` in front.
    Host,
    /// The path of a URL.
    Path,
    /// A folder on this machine.
    Folder,
    /// A container image.
    Image,
    /// `name@host`
    Mailbox,
    /// A name out of this section.
    NameOf(&'static str),
    OneOf(&'static Choice),
    /// Judged by whoever asks: what it is called, with its article.
    Other(&'static str),
}

/// Words of which one is taken.
#[derive(Debug, Eq, PartialEq)]
pub struct Choice {
    /// What they are called, with their article.
    pub what: &'static str,
    pub words: &'static [&'static str],
    /// Words that are not taken for a reason of their own.
    pub refused: &'static [(&'static str, &'static str)],
}

impl Choice {
    pub const fn of(what: &'static str, words: &'static [&'static str]) -> Self {
        Self { what, words, refused: &[] }
    }
}

impl Form {
    /// What a string of this form is called, with its article.
    pub fn what(self) -> &'static str {
        match self {
            Self::Label => "a name",
            Self::Command => "a command in one string",
            Self::Url(_) => "a URL",
            Self::Origin => "an HTTP server's URL",
            Self::Match => "a path, with a method in front if only one is meant",
            Self::Host => "a host name",
            Self::Path => "a path",
            Self::Folder => "a folder",
            Self::Image => "a container image's name",
            Self::Mailbox => "a mail address",
            Self::NameOf("databases") => "a database's name",
            Self::NameOf("queues") => "a queue's name",
            Self::NameOf("topics") => "a topic's name",
            Self::NameOf(_) => "a service's name",
            Self::OneOf(choice) => choice.what,
            Self::Other(what) => what,
        }
    }
}

impl Key {
    pub const fn new(name: &'static str, kind: Kind, example: &'static str, doc: &'static str) -> Self {
        Self { name, kind, need: Need::Optional, example, doc }
    }

    pub const fn required(mut self) -> Self {
        self.need = Need::Required;
        self
    }

    pub const fn filled(mut self) -> Self {
        self.need = Need::Filled;
        self
    }

    /// What a value of this kind is called, with its article.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Flag => "`true` or `false`",
            Kind::Count(_) => "a whole number",
            Kind::Number(_) => "a number",
            Kind::Duration(_) => "a duration",
            Kind::Size(_) => "a size",
            Kind::Ratio(_) => "a percentage",
            Kind::Texts(_) => "a list of strings",
            Kind::Rate(_) => "a rate",
            Kind::Text(form) => form.what(),
            Kind::Other { what, .. } => what,
            Kind::Table(_) | Kind::Variables | Kind::Rules => "a table",
            Kind::Named(_) => "a table of tables",
            Kind::List(_) => "a list of tables",
        }
    }

    /// The default as TOML says it.
    pub fn default_text(&self) -> Option<String> {
        match &self.kind {
            Kind::Flag => Some("false".to_owned()),
            Kind::Count(bounds) => bounds.default.map(|n| n.to_string()),
            Kind::Number(bounds) => bounds.default.map(|n| n.to_string()),
            Kind::Duration(bounds) => bounds.default.map(|d| format!("\"{}\"", units::duration_text(d))),
            Kind::Size(bounds) => bounds.default.map(|s| format!("\"{}\"", units::size_text(s))),
            Kind::Ratio(bounds) => bounds.default.map(|r| format!("\"{}\"", units::ratio_text(r))),
            Kind::Rate(bounds) => bounds.default.map(|r| format!("\"{}\"", units::rate_text(r))),
            Kind::Text(_)
            | Kind::Texts(_)
            | Kind::Table(_)
            | Kind::Named(_)
            | Kind::List(_)
            | Kind::Variables
            | Kind::Rules
            | Kind::Other { .. } => None,
        }
    }

    /// The keys below this one.
    pub fn keys(&self) -> &'static [Key] {
        match &self.kind {
            Kind::Table(keys) | Kind::Named(keys) | Kind::List(keys) => keys,
            Kind::Flag
            | Kind::Count(_)
            | Kind::Number(_)
            | Kind::Duration(_)
            | Kind::Size(_)
            | Kind::Ratio(_)
            | Kind::Rate(_)
            | Kind::Text(_)
            | Kind::Texts(_)
            | Kind::Variables
            | Kind::Rules
            | Kind::Other { .. } => &[],
        }
    }
}
