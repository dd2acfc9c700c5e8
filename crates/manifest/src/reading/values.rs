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
    pub(crate) fn flag(&self, name: &str) -> bool {
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

    pub(crate) fn count(&self, name: &str) -> u32 {
        let key = self.key(name);
        let Kind::Count(bounds) = &key.kind else { return 0 };
        let otherwise = bounds.default.unwrap_or(bounds.min);
        let Some(value) = self.values.get(name) else { return otherwise };
        let DeValue::Integer(number) = value.get_ref() else {
            self.reading.wrong_type(key, value);
            return otherwise;
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if (bounds.min..=bounds.max).contains(&number) => number,
            _ => {
                self.out_of_bounds(key, value.span(), &bounds.min.to_string(), &bounds.max.to_string());
                otherwise
            }
        }
    }

    /// A number above the lower bound, up to the upper one.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
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

    pub(crate) fn duration(&self, name: &str) -> Duration {
        let key = self.key(name);
        let Kind::Duration(bounds) = &key.kind else { return Duration::ZERO };
        self.measure(key, bounds, units::duration, units::duration_text).unwrap_or(bounds.min)
    }

    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        let key = self.key(name);
        let Kind::Size(bounds) = &key.kind else { return None };
        self.measure(key, bounds, units::size, units::size_text)
    }

    pub(crate) fn ratio(&self, name: &str) -> Option<f64> {
        let key = self.key(name);
        let Kind::Ratio(bounds) = &key.kind else { return None };
        self.measure(key, bounds, units::ratio, units::ratio_text)
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
            return bounds.default;
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
    pub(crate) fn raw(&self, name: &str) -> Option<(&'a str, Range<usize>)> {
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
    pub(crate) fn text(&self, name: &str) -> Option<Written> {
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

    /// A list of strings, which is not empty if it is there.
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
        if items.is_empty() {
            self.empty(key, value.span());
        }
        let read = |item| {
            let raw = self.reading.raw(key, item)?;
            let written = self.reading.interpolate(raw, item.span(), Port::Refused)?;
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
            | Form::NameOf(_) => return true,
        };
        let title = format!("`{name}` must be {}", key.what());
        self.reading.note(Mistake::new(written.at.clone(), title, wrong).help(help));
        false
    }

    fn missing(&self, key: &Key) {
        let place = if self.path == "routes" { "a route".to_owned() } else { format!("`[{}]`", self.path) };
        let title = format!("{place} needs `{}`", key.name);
        self.reading.note_absence(
            Mistake::new(self.at.clone(), title, format!("`{}` is missing", key.name)).help(example(key)),
        );
    }

    fn empty(&self, key: &Key, at: Range<usize>) {
        let title = format!("`{}` must not be empty", key.name);
        self.reading.note(Mistake::new(at, title, "empty").help(example(key)));
    }

    /// A name out of another section, if it is there.
    pub(crate) fn name_of(&self, name: &str, known: &[&str]) -> Option<Written> {
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
    let units = match key.kind {
        Kind::Ratio(_) => return format!("write a percentage in quotes, {}", example(key)),
        Kind::Size(_) => "B, KiB, MiB, GiB, TiB, kB, MB, GB, TB",
        _ => "ms, s, m, h, d",
    };
    format!("write a whole number and its unit ({units}) in quotes, {}", example(key))
}
