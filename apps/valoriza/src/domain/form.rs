//! Reads input field by field and reports everything wrong with it at once.
//!
//! A reader that finds a mistake notes it and returns its type's default, so that reading goes on;
//! [`Form::finish`] then gives the mistakes instead of the value, so no default ever gets out.

use std::str::FromStr;

use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::calendar::{self, Month};
use super::text::Rule;
use super::violation::Violation;

#[derive(Debug, Default)]
pub struct Form {
    /// What was not read yet; what is left at the end is unknown.
    fields: Map<String, Value>,
    /// Where this form is inside its parent's, such as `splits.0.`.
    prefix: String,
    violations: Vec<Violation>,
}

impl Form {
    /// A form over a JSON object; anything else is one mistake about the whole.
    pub fn new(value: Value) -> Self {
        Self::at(String::new(), value)
    }

    fn at(prefix: String, value: Value) -> Self {
        if let Value::Object(fields) = value {
            return Self { fields, prefix, violations: Vec::new() };
        }
        let field = prefix.trim_end_matches('.').to_owned();
        let violation = Violation::new(field, "wrong_type", "deve ser um objeto");
        Self { fields: Map::new(), prefix, violations: vec![violation] }
    }

    /// This form with `base` behind it: what the client leaves out keeps its present value.
    #[must_use]
    pub fn over(mut self, base: Map<String, Value>) -> Self {
        for (field, value) in base {
            self.fields.entry(field).or_insert(value);
        }
        self
    }

    /// Tells whether the client wrote `field`, be it as null.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Tells whether the client wrote `field` as something other than null.
    pub fn has_value(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|value| !value.is_null())
    }

    /// Tells whether the client wrote `field` as a list with something in it.
    pub fn has_items(&self, field: &str) -> bool {
        self.fields.get(field).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
    }

    /// Sets a field as if the client had written it.
    pub fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    /// The JSON of what was not read yet, but for `secret`; equal forms give equal text.
    pub fn without(&self, secret: &str) -> String {
        let mut fields: Vec<_> = self.fields.iter().filter(|(field, _)| *field != secret).collect();
        fields.sort_by_key(|(field, _)| *field);
        serde_json::json!(fields).to_string()
    }

    /// Returns `value` if nothing was wrong and nothing is left.
    pub fn finish<T>(mut self, value: T) -> Result<T, Vec<Violation>> {
        let unknown: Vec<String> = self.fields.keys().cloned().collect();
        for field in unknown {
            self.reject(&field, "unknown_field", "campo desconhecido");
        }
        if self.violations.is_empty() { Ok(value) } else { Err(self.violations) }
    }

    pub fn reject(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.violations.push(Violation::new(format!("{}{field}", self.prefix), code, message));
    }

    /// Takes a field that is there and not null.
    fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field).filter(|value| !value.is_null())
    }

    /// Reads a field that may be left out as one that may not.
    fn required<T: Default>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> T {
        let before = self.violations.len();
        let value = read(self);
        if value.is_none() && self.violations.len() == before {
            self.reject(field, "required", "é obrigatório");
        }
        value.unwrap_or_default()
    }

    fn string(&mut self, field: &str, value: Value) -> Option<String> {
        if let Value::String(text) = value {
            return Some(text);
        }
        self.reject(field, "wrong_type", "deve ser um texto");
        None
    }

    /// A text exactly as written: passwords and tokens.
    pub fn secret(&mut self, field: &str) -> String {
        self.required(field, |form| {
            let value = form.take(field)?;
            form.string(field, value)
        })
    }

    pub fn text(&mut self, field: &str, rule: Rule) -> String {
        self.required(field, |form| form.optional_text(field, rule))
    }

    pub fn optional_text(&mut self, field: &str, rule: Rule) -> Option<String> {
        let value = self.take(field)?;
        let text = self.string(field, value)?;
        rule.clean(&text).map_err(|(code, message)| self.reject(field, code, message)).ok()
    }

    /// A text that `FromStr` understands; `expected` says in Portuguese what that is.
    pub fn choice<T: FromStr + Default>(&mut self, field: &str, expected: &str) -> T {
        self.required(field, |form| form.optional_choice(field, expected))
    }

    pub fn optional_choice<T: FromStr>(&mut self, field: &str, expected: &str) -> Option<T> {
        let value = self.take(field)?;
        let text = self.string(field, value)?;
        text.parse()
            .map_err(|_error: T::Err| self.reject(field, "invalid", format!("deve ser {expected}")))
            .ok()
    }

    pub fn id(&mut self, field: &str) -> Uuid {
        self.choice(field, "um identificador")
    }

    pub fn optional_id(&mut self, field: &str) -> Option<Uuid> {
        self.optional_choice(field, "um identificador")
    }

    pub fn month(&mut self, field: &str) -> Month {
        self.choice(field, "um mês no formato AAAA-MM")
    }

    pub fn date(&mut self, field: &str) -> Date {
        self.required(field, |form| form.optional_date(field))
    }

    pub fn optional_date(&mut self, field: &str) -> Option<Date> {
        let value = self.take(field)?;
        let text = self.string(field, value)?;
        let date = calendar::parse_date(&text);
        if date.is_none() {
            self.reject(field, "invalid", "deve ser uma data no formato AAAA-MM-DD, de 1900 a 2200");
        }
        date
    }

    pub fn flag(&mut self, field: &str) -> bool {
        self.required(field, |form| form.optional_flag(field))
    }

    pub fn optional_flag(&mut self, field: &str) -> Option<bool> {
        let value = self.take(field)?;
        if value.as_bool().is_none() {
            self.reject(field, "wrong_type", "deve ser true ou false");
        }
        value.as_bool()
    }

    /// A number from 0 to `max`.
    pub fn number(&mut self, field: &str, max: usize) -> usize {
        self.required(field, |form| form.optional_number(field, max))
    }

    pub fn optional_number(&mut self, field: &str, max: usize) -> Option<usize> {
        let value = self.take(field)?;
        let number = value.as_u64().and_then(|it| usize::try_from(it).ok()).filter(|it| *it <= max);
        if number.is_none() {
            self.reject(field, "out_of_range", format!("deve ser um número de 0 a {max}"));
        }
        number
    }

    /// A list of numbers from 0; left out or null is empty.
    pub fn numbers(&mut self, field: &str, items_max: usize) -> Vec<i64> {
        let items = self.items(field, items_max);
        let numbers = items.into_iter().enumerate().filter_map(|(position, item)| {
            let number = item.as_i64().filter(|it| *it >= 0);
            if number.is_none() {
                self.reject(&format!("{field}.{position}"), "wrong_type", "deve ser um número a partir de 0");
            }
            number
        });
        numbers.collect()
    }

    /// An integer whose size is at most `max`, of either sign.
    pub fn cents(&mut self, field: &str, max: i64) -> i64 {
        self.required(field, |form| form.optional_cents(field, max))
    }

    pub fn optional_cents(&mut self, field: &str, max: i64) -> Option<i64> {
        let value = self.take(field)?;
        let Some(cents) = value.as_i64() else {
            self.reject(field, "wrong_type", "deve ser um número inteiro de centavos");
            return None;
        };
        if cents.unsigned_abs() > max.unsigned_abs() {
            self.reject(field, "out_of_range", format!("deve ficar entre -{max} e {max}"));
            return None;
        }
        Some(cents)
    }

    /// An object read by `read`; left out or null is an empty one. Mistakes about it as a whole are of field "".
    pub fn object<T>(&mut self, field: &str, read: impl FnOnce(&mut Form) -> T) -> T {
        let value = self.take(field).unwrap_or_else(|| Map::new().into());
        let mut form = Form::at(format!("{}{field}.", self.prefix), value);
        let value = read(&mut form);
        if let Err(violations) = form.finish(()) {
            self.violations.extend(violations.into_iter().map(|mut it| {
                it.field = it.field.trim_end_matches('.').to_owned();
                it
            }));
        }
        value
    }

    /// A list of texts; left out or null is empty.
    pub fn texts(&mut self, field: &str, items_max: usize, rule: Rule) -> Vec<String> {
        let items = self.items(field, items_max);
        let texts = items.into_iter().enumerate().filter_map(|(position, item)| {
            let field = format!("{field}.{position}");
            let text = self.string(&field, item)?;
            rule.clean(&text).map_err(|(code, message)| self.reject(&field, code, message)).ok()
        });
        texts.collect()
    }

    /// A list of ids; left out or null is empty.
    pub fn ids(&mut self, field: &str, items_max: usize) -> Vec<Uuid> {
        let items = self.items(field, items_max);
        let ids = items.into_iter().enumerate().filter_map(|(position, item)| {
            let field = format!("{field}.{position}");
            let text = self.string(&field, item)?;
            text.parse()
                .map_err(|_not_an_id| self.reject(&field, "invalid", "deve ser um identificador"))
                .ok()
        });
        ids.collect()
    }

    /// The items of a list; left out or null is empty, and so is one that is wrong as a whole.
    fn items(&mut self, field: &str, items_max: usize) -> Vec<Value> {
        let items = match self.take(field) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.reject(field, "wrong_type", "deve ser uma lista");
                return Vec::new();
            }
        };
        if items.len() > items_max {
            self.reject(field, "too_many", format!("deve ter no máximo {items_max} itens"));
            return Vec::new();
        }
        items
    }

    /// A list of objects, each read by `read`; left out or null is empty.
    pub fn list<T>(&mut self, field: &str, items_max: usize, read: fn(&mut Form) -> T) -> Vec<T> {
        let items = self.items(field, items_max);
        let mut values = Vec::with_capacity(items.len());
        for (position, item) in items.into_iter().enumerate() {
            let mut form = Form::at(format!("{}{field}.{position}.", self.prefix), item);
            let value = read(&mut form);
            match form.finish(value) {
                Ok(value) => values.push(value),
                Err(violations) => self.violations.extend(violations),
            }
        }
        values
    }

    /// Tells whether nothing was wrong so far.
    pub fn is_fine(&self) -> bool {
        self.violations.is_empty()
    }

    /// How many mistakes there were so far.
    pub fn violations(&self) -> usize {
        self.violations.len()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text::NAME;
    use super::*;

    fn mistakes<T>(outcome: Result<T, Vec<Violation>>) -> Vec<(String, &'static str)> {
        outcome.err().unwrap_or_default().into_iter().map(|it| (it.field, it.code)).collect()
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let mut form = Form::new(json!({
            "name": 3, "amount": 1.5, "date": "2026-02-30", "flag": null, "extra": 1,
            "splits": [{"amount": 1}, 7, {"amount": "x", "other": 1}],
        }));
        form.text("name", NAME);
        form.cents("amount", 10);
        form.date("date");
        form.flag("flag");
        form.id("id");
        form.list("splits", 5, |split| split.cents("amount", 10));
        let expected = [
            ("name", "wrong_type"),
            ("amount", "wrong_type"),
            ("date", "invalid"),
            ("flag", "required"),
            ("id", "required"),
            ("splits.1", "wrong_type"),
            ("splits.1.amount", "required"),
            ("splits.2.amount", "wrong_type"),
            ("splits.2.other", "unknown_field"),
            ("extra", "unknown_field"),
        ];
        assert_eq!(mistakes(form.finish(())), expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn a_patch_keeps_what_it_leaves_out() {
        let base = json!({"name": "Casa", "kind": "x"}).as_object().cloned().unwrap();
        let mut form = Form::new(json!({"name": "Lar"})).over(base);
        assert_eq!(form.text("name", NAME), "Lar");
        assert_eq!(form.secret("kind"), "x");
        assert!(form.finish(()).is_ok());
    }

    #[test]
    fn numbers_beyond_their_bound_are_refused() {
        let check = |value: Value, expected: Option<&'static str>| {
            let mut form = Form::new(json!({ "n": value }));
            form.cents("n", 10);
            assert_eq!(mistakes(form.finish(())).first().map(|it| it.1), expected);
        };
        check(json!(10), None);
        check(json!(-11), Some("out_of_range"));
        check(json!(i64::MIN), Some("out_of_range"));
        check(json!(u64::MAX), Some("wrong_type"));
        check(json!("10"), Some("wrong_type"));
    }
}
