//! Writes templates. This is on the way of every request: nothing is allocated but what `out` needs to grow.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fastrand::Rng;
use jiff::civil::Date;

use super::{Feed, Part, Scenario, Template, Variables};

/// What templates may name while one flow of one user runs.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Over all processes.
    pub user: u64,
    /// How many flows this user began before.
    pub iteration: u64,
    pub variables: &'a Variables,
    pub today: Date,
    feeds: &'a BTreeMap<String, Feed>,
    /// In the columns of a generated feed.
    row: u64,
}

impl Scenario {
    pub fn scope<'a>(
        &'a self,
        user: u64,
        iteration: u64,
        variables: &'a Variables,
        today: Date,
    ) -> Scope<'a> {
        Scope { user, iteration, variables, today, feeds: &self.feeds, row: 0 }
    }
}

impl<'a> Scope<'a> {
    pub(super) fn of_row(self, row: u64) -> Scope<'a> {
        Scope { row, ..self }
    }
}

impl Template {
    /// The whole text if it never changes, so that whatever is made of it can be made once.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends its text to `out`. A variable that was never extracted, which [`super::load`] refuses, is empty.
    pub fn render(&self, scope: &Scope<'_>, rng: &mut Rng, out: &mut String) {
        for part in &self.0 {
            part.render(scope, rng, out);
        }
    }

    /// Its text as a header's value; `None` if it holds what no header may. `scratch` is overwritten.
    pub fn header(
        &self,
        scope: &Scope<'_>,
        rng: &mut Rng,
        scratch: &mut String,
    ) -> Option<http::HeaderValue> {
        scratch.clear();
        self.render(scope, rng, scratch);
        http::HeaderValue::from_str(scratch).ok()
    }
}

impl Part {
    fn render(&self, scope: &Scope<'_>, rng: &mut Rng, out: &mut String) {
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Given(text) => out.push_str(text.reveal()),
            Self::Variable(name) => out.push_str(scope.variables.get(name).unwrap_or_default()),
            Self::Column { feed: name, column } => {
                if let Some(feed) = scope.feeds.get(name) {
                    let row = feed.row(name, scope.user, scope.iteration);
                    feed.render(row, column, scope, out);
                }
            }
            Self::User => number(scope.user, out),
            Self::Iteration => number(scope.iteration, out),
            Self::Row => number(scope.row, out),
            Self::Uuid => uuid(rng.u128(..), out),
            Self::Random(from, to) => write_to(rng.i64(*from..=*to), out),
            Self::Pick(choices) => {
                if let Some(choice) = rng.choice(choices) {
                    out.push_str(choice);
                }
            }
            Self::Day(days) => {
                let day = scope.today.saturating_add(jiff::Span::new().days(*days));
                write_to(day, out);
            }
            Self::Encoded { encoding, part } => {
                let start = out.len();
                part.render(scope, rng, out);
                encoding.apply(out, start);
            }
        }
    }
}

fn number(number: u64, out: &mut String) {
    write_to(number, out);
}

fn write_to(value: impl std::fmt::Display, out: &mut String) {
    write!(out, "{value}").expect("a String takes everything");
}

/// RFC 9562, version 4: 122 random bits.
fn uuid(random: u128, out: &mut String) {
    let bits = random & !(0xF << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
    let group = |from: u32, digits: u32| (bits >> from) & ((1 << (4 * digits)) - 1);
    let (low, mid, high) = (group(96, 8), group(80, 4), group(64, 4));
    write_to(format_args!("{low:08x}-{mid:04x}-{high:04x}-{:04x}-{:012x}", group(48, 4), group(0, 12)), out);
}
