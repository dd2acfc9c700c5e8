//! Takes typed values out of a parsed TOML document, guided by the grammar, and notes every mistake on the way.
//!
//! A getter always answers: after a mistake with something harmless, so that reading goes on and the rest of
//! the file is judged too. The result counts only if no mistake was noted.

pub mod section;
mod values;

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::grammar::{Grammar, Key, Variables};
use crate::interpolate::{Fault, FaultKind, interpolate};
use crate::mistakes::{Mistake, Mistakes};
use crate::model::Text;
use crate::reading::section::Section;

pub use crate::interpolate::Port;

/// Reads a file along its grammar: `read` makes something of its top section. `origin` is what mistakes call the
/// file; `env` looks up a variable.
pub fn document<T>(
    grammar: &'static Grammar,
    (source, origin): (&str, &Path),
    env: &dyn Fn(&str) -> Option<String>,
    read: impl FnOnce(&Section<'_>) -> T,
) -> Result<T, Mistakes> {
    let (table, errors) = DeTable::parse_recoverable(source);
    let syntax = errors.iter().map(|error| {
        let at = error.span().unwrap_or(source.len()..source.len());
        Mistake::new(at, error.message().trim(), "not valid TOML")
    });
    let reading = Reading::new(grammar, source, env, syntax.collect());
    let root = Section::absent(&reading, grammar.root, String::new(), 0..0).with(table.get_ref());
    let result = read(&root);
    let mistakes = reading.into_mistakes();
    if mistakes.is_empty() {
        Ok(result)
    } else {
        Err(Mistakes::new(origin.display().to_string(), source, mistakes))
    }
}

/// One pass over one file.
pub struct Reading<'a> {
    grammar: &'static Grammar,
    source: &'a str,
    env: &'a dyn Fn(&str) -> Option<String>,
    /// Where the syntax errors are. If there are any, what is missing may only be unreadable.
    torn: Vec<Range<usize>>,
    mistakes: RefCell<Vec<Mistake>>,
}

/// A string of the file, interpolated, and its place.
#[derive(Clone)]
pub struct Written {
    pub text: Text,
    pub at: Range<usize>,
}

impl Written {
    pub fn value(&self) -> &str {
        self.text.reveal()
    }

    /// The value, if an error may repeat it.
    pub fn shown(&self) -> Option<&str> {
        self.text.is_literal().then(|| self.text.reveal())
    }
}

impl<'a> Reading<'a> {
    fn new(
        grammar: &'static Grammar,
        source: &'a str,
        env: &'a dyn Fn(&str) -> Option<String>,
        syntax: Vec<Mistake>,
    ) -> Self {
        let torn = syntax.iter().map(|mistake| mistake.at.clone()).collect();
        Self { grammar, source, env, torn, mistakes: RefCell::new(syntax) }
    }

    pub fn note(&self, mistake: Mistake) {
        // A value that the parser made up where it found none is not worth a second mistake.
        let made_up = |torn: &Range<usize>| torn.start <= mistake.at.start && mistake.at.start <= torn.end;
        if self.torn.iter().any(made_up) {
            return;
        }
        self.mistakes.borrow_mut().push(mistake);
    }

    /// For mistakes about something that is not there, which a syntax error may have hidden.
    pub fn note_absence(&self, mistake: Mistake) {
        if self.torn.is_empty() {
            self.note(mistake);
        }
    }

    fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    /// The string behind a value, or `None` after noting that it is none.
    pub fn raw<'v>(&self, key: &Key, value: &'v Spanned<DeValue<'_>>) -> Option<&'v str> {
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(key, value);
            return None;
        };
        Some(text)
    }

    /// Replaces the variables in (a part of) the string at `at`.
    pub fn interpolate(&self, source: &str, at: Range<usize>, port: Port) -> Option<Written> {
        match interpolate(source, self.env, self.grammar.variables, port) {
            Ok(text) => Some(Written { text, at }),
            Err(faults) => {
                for fault in &faults {
                    self.note(fault_mistake(fault, self.grammar.variables, self.within(&at, fault.written)));
                }
                None
            }
        }
    }

    /// Where `part` stands inside `at`, or `at` itself when escapes hide it.
    pub fn within(&self, at: &Range<usize>, part: &str) -> Range<usize> {
        let found = self.source.get(at.clone()).and_then(|text| text.find(part));
        found.map_or(at.clone(), |offset| at.start + offset..at.start + offset + part.len())
    }

    pub fn wrong_type(&self, key: &Key, value: &Spanned<DeValue<'_>>) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a flag",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.note(
            Mistake::new(
                value.span(),
                format!("`{}` must be {}", key.name, key.what()),
                format!("this is {found}"),
            )
            .help(example(key)),
        );
    }
}

/// "for example `drain = "30s"`"
pub(crate) fn example(key: &Key) -> String {
    format!("for example `{} = {}`", key.name, key.example)
}

fn fault_mistake(fault: &Fault<'_>, variables: Variables, at: Range<usize>) -> Mistake {
    match fault.kind {
        FaultKind::Unset(name) => {
            let with_default = format!("{}:-…}}", fault.written.trim_end_matches('}'));
            Mistake::new(at, format!("the environment variable `{name}` is not set"), "needed here")
                .help(format!("set it, or give a default: `{with_default}`, which may be empty"))
        }
        FaultKind::Open => {
            let mistake = Mistake::new(at, "a variable without an end", "its `}` is missing");
            mistake.help(match variables {
                Variables::Named => {
                    "in a command, quote a word that holds spaces; for a `$` itself write `$$`"
                }
                Variables::Prefixed => "for a `${` itself write `$${`",
            })
        }
        FaultKind::Form => {
            let mistake = Mistake::new(at, "not the name of a variable", "cannot be read");
            let prefix = match variables {
                Variables::Named => "",
                Variables::Prefixed => "env.",
            };
            mistake.help(format!(
                "known are `${{{prefix}NAME}}` and `${{{prefix}NAME:-default}}` (no variable in the default); for a `$` itself write `$$`"
            ))
        }
        FaultKind::Bare(name) => Mistake::new(at, "a variable without braces", "ambiguous")
            .help(format!("write `${{{name}}}` for the variable, `$${name}` for this text itself")),
        FaultKind::Port => Mistake::new(at, "the port is not known here", "known when an instance starts")
            .help("`$PORT` may stand in a service's `run` and `env`; for this text itself write `$$PORT`"),
        FaultKind::NotYet => {
            let title = format!("`{}` has no value here", fault.written);
            Mistake::new(at, title, "read before the run begins")
                .help("here only the environment is known: `${env.NAME}`; for a `${` itself write `$${`")
        }
    }
}
