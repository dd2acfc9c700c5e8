//! The single values of a section.
//!
//! A getter that does not suit its key's kind answers with nothing, and the test
//! `every_key_is_read_and_its_type_checked` fails.

use std::ops::Range;
use std::time::Duration;

use toml::de::DeValue;

use super::section::Section;
use super::{Written, example};
use crate::grammar::{Bounds, Form, Key, Kind, Need};
use crate::interpolate::Port;
use crate::mistakes::Mistake;
use crate::suggest::did_you_mean;
use crate::units;
use crate::{address, label};

impl<'a> Section<'a> {
    pub fn flag(&self, name: &str) -> bool {
        let key = self.key(name);
        match self.values.get(name).map(|value| (value, value.get_ref())) {
            None => false,
            Some((_, DeValue::Boolean(flag))) => *flag,
            Some((value, _)) => {
                self.reading.wrong_type(key, value);
                false
            }
        }
    }

    pub fn count(&self, name: &str) -> u32 {
        let Kind::Count(bounds) = &self.key(name).kind else { return 0 };
        self.count_if(name).unwrap_or(bounds.min)
    }

    /// Like [`Section::count`], but `None` if it is absent without a default, and after a mistake.
    pub fn count_if(&self, name: &str) -> Option<u32> {
        let key = self.key(name);
        let Kind::Count(bounds) = &key.kind else { return None };
        let Some(value) = self.values.get(name) else { return bounds.default };
        let DeValue::Integer(number) = value.get_ref() else {
            self.reading.wrong_type(key, value);
            return None;
        };
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
        let number = number.filter(|number| (bounds.min..=bounds.max).contains(number));
        if number.is_none() {
            self.out_of_bounds(key, value.span(), &bounds.min.to_string(), &bounds.max.to_string());
        }
        number
    }

    /// A number above the lower bound, up to the upper one.
    pub fn number(&self, name: &str) -> Option<f64> {
        let key = self.key(name);
        let Kind::Number(bounds) = &key.kind else { return None };
        let Some(value) = self.values.get(name) else { return bounds.default };
        let number = match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
            }
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.reading.wrong_type(key, value);
                return None;
            }
        };
        let number = number.filter(|number| *number > bounds.min && *number <= bounds.max);
        if number.is_none() {
            let title = format!("`{name}` must be above {} and at most {}", bounds.min, bounds.max);
            self.reading.note(Mistake::new(value.span(), title, "out of bounds").help(example(key)));
        }
        number
    }

    pub fn duration(&self, name: &str) -> Duration {
        let key = self.key(name);
        let Kind::Duration(bounds) = &key.kind else { return Duration::ZERO };
        self.measure(key, bounds, units::duration, units::duration_text).unwrap_or(bounds.min)
    }

    pub fn size(&self, name: &str) -> Option<u64> {
        let key = self.key(name);
        let Kind::Size(bounds) = &key.kind else { return None };
        self.measure(key, bounds, units::size, units::size_text)
    }

    /// Like [`Section::duration`], but `None` if it is absent without a default, and after a mistake.
    pub fn duration_if(&self, name: &str) -> Option<Duration> {
        let key = self.key(name);
        let Kind::Duration(bounds) = &key.kind else { return None };
        self.measure(key, bounds, units::duration, units::duration_text)
    }

    pub fn ratio(&self, name: &str) -> Option<f64> {
        let key = self.key(name);
        let Kind::Ratio(bounds) = &key.kind else { return None };
        self.measure(key, bounds, units::ratio, units::ratio_text)
    }

    /// So many per second.
    pub fn rate(&self, name: &str) -> Option<f64> {
        let key = self.key(name);
        let Kind::Rate(bounds) = &key.kind else { return None };
        self.measure(key, bounds, units::rate, units::rate_text)
    }

    fn measure<T: Copy + PartialOrd>(
        &self,
        key: &'static Key,
        bounds: &Bounds<T>,
        parse: fn(&str) -> Result<T, &'static str>,
        show: fn(T) -> String,
    ) -> Option<T> {
        let Some(value) = self.values.get(key.name) else { return bounds.default };
        if let DeValue::Integer(_) | DeValue::Float(_) = value.get_ref() {
            let title = format!("`{}` needs a unit", key.name);
            self.reading
                .note(Mistake::new(value.span(), title, "a number without a unit").help(unit_help(key)));
            return None;
        }
        let raw = self.reading.raw(key, value)?;
        let written = self.reading.interpolate(raw, value.span(), Port::Refused)?;
        match parse(written.value()) {
            Ok(measure) if (bounds.min..=bounds.max).contains(&measure) => Some(measure),
            Ok(_) => {
                self.out_of_bounds(key, written.at, &show(bounds.min), &show(bounds.max));
                None
            }
            Err(wrong) => {
                let title = format!("`{}` must be {}", key.name, key.what());
                self.reading.note(Mistake::new(written.at, title, wrong).help(unit_help(key)));
                None
            }
        }
    }

    fn out_of_bounds(&self, key: &Key, at: Range<usize>, min: &str, max: &str) {
        let title = format!("`{}` must be between {min} and {max}", key.name);
        self.reading.note(Mistake::new(at, title, "out of bounds"));
    }

    /// The string as it is in the file, for what is taken apart before interpolation.
    pub fn raw(&self, name: &str) -> Option<(&'a str, Range<usize>)> {
        let key = self.key(name);
        let Some(value) = self.values.get(name) else {
            if key.need == Need::Required {
                self.missing(key);
            }
            return None;
        };
        let raw = self.reading.raw(key, value)?;
        if raw.is_empty() && key.need != Need::Optional {
            self.empty(key, value.span());
            return None;
        }
        Some((raw, value.span()))
    }

    /// A string. An optional one that is empty counts as absent, so that `${VAR:-}` can turn it off.
    pub fn text(&self, name: &str) -> Option<Written> {
        let (raw, at) = self.raw(name)?;
        let written = self.reading.interpolate(raw, at, Port::Refused)?;
        if written.value().is_empty() {
            if self.key(name).need != Need::Optional {
                self.empty(self.key(name), written.at);
            }
            return None;
        }
        self.check_form(name, &written).then_some(written)
    }

    /// A list of strings, none of them empty; the list itself only if its key is optional.
    pub(crate) fn texts(&self, name: &str) -> Vec<Written> {
        let key = self.key(name);
        let Some(value) = self.values.get(name) else {
            if key.need == Need::Required {
                self.missing(key);
            }
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.reading.wrong_type(key, value);
            return Vec::new();
        };
        if items.is_empty() && key.need != Need::Optional {
            self.empty(key, value.span());
        }
        let read = |item| {
            let raw = self.reading.raw(key, item)?;
            let written = self.reading.interpolate(raw, item.span(), Port::Refused)?;
            if written.value().is_empty() {
                let title = format!("`{name}` must not have empty strings in it");
                self.reading.note(Mistake::new(written.at, title, "empty").help(example(key)));
                return None;
            }
            self.check_form(name, &written).then_some(written)
        };
        items.iter().filter_map(read).collect()
    }

    /// Judges the forms that need nothing but the string itself.
    fn check_form(&self, name: &str, written: &Written) -> bool {
        let key = self.key(name);
        let (Kind::Text(form) | Kind::Texts(form)) = &key.kind else { return true };
        let (wrong, help) = match form {
            Form::Label if !label::is_label(written.value()) => {
                let other = written.shown().and_then(label::from);
                ("not a valid one", other.map_or(label::RULE.to_owned(), |label| label::with_example(&label)))
            }
            Form::Path if !address::is_path(written.value()) => ("not the path of a URL", example(key)),
            Form::Url(schemes) if !address::has_scheme(written.value(), schemes) => (
                "this is not one",
                format!(
                    "it begins with {}",
                    schemes.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(" or ")
                ),
            ),
            Form::Image if written.value().contains(|c: char| c.is_whitespace() || c.is_control()) => {
                ("has spaces in it", example(key))
            }
            Form::Mailbox if !address::is_mailbox(written.value()) => ("this is not one", example(key)),
            Form::OneOf(choice) if !choice.words.contains(&written.value()) => {
                let refused = choice.refused.iter().find(|(word, _)| *word == written.value());
                let meant =
                    written.shown().and_then(|shown| did_you_mean(shown, choice.words.iter().copied()));
                let known =
                    choice.words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
                let known = format!("known are {known}");
                match refused {
                    Some((_, why)) => (*why, known),
                    None => ("none of them", meant.unwrap_or(known)),
                }
            }
            Form::Label
            | Form::Path
            | Form::Url(_)
            | Form::Image
            | Form::Mailbox
            | Form::Command
            | Form::Origin
            | Form::Match
            | Form::Host
            | Form::Folder
            | Form::NameOf(_)
            | Form::OneOf(_)
            | Form::Other(_) => return true,
        };
        let title = match &key.kind {
            Kind::Texts(form) => format!("each of `{name}` must be {}", form.what()),
            _ => format!("`{name}` must be {}", key.what()),
        };
        self.reading.note(Mistake::new(written.at.clone(), title, wrong).help(help));
        false
    }

    pub(super) fn missing(&self, key: &Key) {
        let title = format!("`{}` needs `{}`", self.heading(), key.name);
        self.reading.note_absence(
            Mistake::new(self.at.clone(), title, format!("`{}` is missing", key.name)).help(example(key)),
        );
    }

    fn empty(&self, key: &Key, at: Range<usize>) {
        let title = format!("`{}` must not be empty", key.name);
        self.reading.note(Mistake::new(at, title, "empty").help(example(key)));
    }

    /// A name out of another section, if it is there.
    pub fn name_of(&self, name: &str, known: &[&str]) -> Option<Written> {
        let written = self.text(name)?;
        if known.contains(&written.value()) {
            return Some(written);
        }
        let key = self.key(name);
        let Kind::Text(Form::NameOf(section)) = key.kind else { return None };
        let singular = section.trim_end_matches('s');
        let mistake = if let Some(shown) = written.shown() {
            let title = format!("there is no {singular} `{shown}`");
            let declare = format!("declare it: `[{section}.{shown}]`");
            Mistake::new(written.at.clone(), title, "not declared")
                .help(declare)
                .maybe_help(did_you_mean(shown, known.iter().copied()))
        } else {
            let title = format!("`{name}` does not name a {singular}");
            Mistake::new(written.at.clone(), title, "its value is not the name of one")
                .help(format!("it must be the NAME of a `[{section}.NAME]`"))
        };
        self.reading.note_absence(mistake);
        None
    }
}

/// For whoever forgot the unit, or took one that is not known.
fn unit_help(key: &Key) -> String {
    let how = match key.kind {
        Kind::Ratio(_) => "a number and `%`",
        Kind::Rate(_) => "a number and `/s`, `/m` or `/h`",
        Kind::Size(_) => "a whole number and its unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)",
        Kind::Duration(_)
        | Kind::Flag
        | Kind::Count(_)
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::Texts(_)
        | Kind::Table(_)
        | Kind::Named(_)
        | Kind::List(_)
        | Kind::Variables
        | Kind::Rules
        | Kind::Other { .. } => "a whole number and its unit (ms, s, m, h, d)",
    };
    format!("write {how} in quotes, {}", example(key))
}
