//! One table of the document, with the keys it may have.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Reading;
use crate::grammar::{Key, Kind, Need};
use crate::label;
use crate::mistakes::Mistake;
use crate::suggest::did_you_mean;

pub struct Section<'a> {
    pub reading: &'a Reading<'a>,
    /// The keys in use, by name.
    pub(super) values: BTreeMap<&'a str, &'a Spanned<DeValue<'a>>>,
    keys: &'static [Key],
    /// As in its header, without brackets; empty at the top.
    pub(super) path: String,
    listed: bool,
    /// The place to point at when something is missing.
    pub at: Range<usize>,
}

impl<'a> Section<'a> {
    /// A section that is absent: every key has its default.
    pub(crate) fn absent(
        reading: &'a Reading<'a>,
        keys: &'static [Key],
        path: String,
        at: Range<usize>,
    ) -> Self {
        Self { reading, values: BTreeMap::new(), keys, path, listed: false, at }
    }

    /// Takes the keys of a table, and notes those that do not belong into it.
    pub(crate) fn with(mut self, table: &'a DeTable<'a>) -> Self {
        for (name, value) in table {
            if self.keys.iter().any(|key| key.name == name.get_ref()) {
                self.values.insert(name.get_ref(), value);
            } else {
                self.unknown(name);
            }
        }
        self
    }

    fn unknown(&self, name: &Spanned<DeString<'_>>) {
        let place = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.heading()) };
        let is_section = |key: &Key| matches!(key.kind, Kind::Table(_) | Kind::Named(_) | Kind::List(_));
        let what = if self.path.is_empty() && self.keys.iter().all(is_section) { "section" } else { "key" };
        let names = self.keys.iter().map(|key| key.name);
        let help = if self.reading.grammar.comes_later(&self.path, name.get_ref()) {
            format!("`{}` is not in this version of mare", name.get_ref())
        } else if let Some(help) = did_you_mean(name.get_ref(), names.clone()) {
            help
        } else {
            format!("known are {}", names.map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))
        };
        let title = format!("unknown {what} `{}`{place}", name.get_ref());
        self.reading.note(Mistake::new(name.span(), title, "not known here").help(help));
    }

    /// As in the file: `[app]`, `[[routes]]`.
    pub(super) fn heading(&self) -> String {
        if self.listed { format!("[[{}]]", self.path) } else { format!("[{}]", self.path) }
    }

    /// The key's description. Asking for one that is not in the grammar is a bug, and no input can cause it:
    /// reading the empty manifest of each section in a test meets every such call.
    pub(super) fn key(&self, name: &str) -> &'static Key {
        self.keys.iter().find(|key| key.name == name).expect("the reader asks for keys of the grammar only")
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Where the key's value is, or the section when the key is absent.
    pub fn place(&self, name: &str) -> Range<usize> {
        self.values.get(name).map_or(self.at.clone(), |value| value.span())
    }

    /// The table under a key; an empty one if it is absent.
    #[must_use]
    pub fn table(&self, name: &str) -> Section<'a> {
        let key = self.key(name);
        let absent = |at| Section::absent(self.reading, key.keys(), self.path_of(name), at);
        let Some(value) = self.values.get(name) else { return absent(self.at.clone()) };
        let DeValue::Table(table) = value.get_ref() else {
            self.reading.wrong_type(key, value);
            return absent(self.at.clone());
        };
        absent(value.span()).with(table)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The value of any kind under a key; one that is required and absent is noted.
    pub fn value(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let found = self.values.get(name).copied();
        if found.is_none() && self.key(name).need == Need::Required {
            self.missing(self.key(name));
        }
        found
    }

    /// Notes that the value under this key is not of its kind.
    pub fn wrong_type(&self, name: &str, value: &Spanned<DeValue<'_>>) {
        self.reading.wrong_type(self.key(name), value);
    }

    /// The tables under a key of freely chosen names, the names checked; with the place of each name.
    pub fn named(&self, name: &str) -> Vec<(&'a str, Section<'a>)> {
        let key = self.key(name);
        let mut found = Vec::new();
        for (entry, value) in self.entries(name) {
            self.check_name(entry);
            let DeValue::Table(table) = value.get_ref() else {
                let title = format!("`{}` must be a table", entry.get_ref());
                self.reading.note(
                    Mistake::new(value.span(), title, "this is none")
                        .help(format!("write `[{name}.NAME]` and its keys below")),
                );
                continue;
            };
            let path = format!("{name}.{}", entry.get_ref());
            let section = Section::absent(self.reading, key.keys(), path, entry.span());
            found.push((entry.get_ref().as_ref(), section.with(table)));
        }
        found
    }

    fn check_name(&self, name: &Spanned<DeString<'_>>) {
        if !label::is_label(name.get_ref()) {
            let title = format!("`{}` is not a valid name", name.get_ref());
            let help = label::from(name.get_ref()).map(|label| label::with_example(&label));
            self.reading.note(
                Mistake::new(name.span(), title, self.reading.grammar.names)
                    .help(label::RULE)
                    .maybe_help(help),
            );
        }
    }

    /// What is in a table of free keys.
    pub fn entries(&self, name: &str) -> Vec<(&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)> {
        let Some(value) = self.values.get(name) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.reading.wrong_type(self.key(name), value);
            return Vec::new();
        };
        table.iter().collect()
    }

    /// The tables in a list.
    pub fn list(&self, name: &str) -> Vec<Section<'a>> {
        let key = self.key(name);
        let Some(value) = self.values.get(name) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            let title = format!("`{name}` must be a list of tables");
            self.reading.note(
                Mistake::new(value.span(), title, "one table").help(format!("write `[[{name}]]` for each")),
            );
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            let DeValue::Table(table) = item.get_ref() else {
                let title = format!("`{name}` must be a list of tables");
                self.reading.note(
                    Mistake::new(item.span(), title, "this is none")
                        .help(format!("write `[[{name}]]` for each")),
                );
                continue;
            };
            let mut section = Section::absent(self.reading, key.keys(), self.path_of(name), item.span());
            section.listed = true;
            sections.push(section.with(table));
        }
        sections
    }
}
