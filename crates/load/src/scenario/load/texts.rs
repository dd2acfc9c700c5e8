//! Templates: what each `${…}` stands for, and what its place asks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use mare_manifest::reading::section::Section;
use mare_manifest::reading::{Port, Reading};
use mare_manifest::{Mistake, closest};
use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::super::template::{FUNCTIONS, Piece, VALUES, Wrong, pieces};
use super::super::{Encoding, Feed, Part, Template};

/// What a place does to the file's own text and to values.
#[derive(Clone, Copy)]
pub(super) struct Place {
    text: Option<Encoding>,
    values: Option<Encoding>,
}

impl Place {
    /// Headers, and bodies written out: nothing is known of their syntax.
    pub(super) const RAW: Self = Self { text: None, values: None };
    /// A path is written the way it is sent; its values are not.
    pub(super) const PATH: Self = Self { text: None, values: Some(Encoding::Url) };
    pub(super) const FORM: Self = Self { text: Some(Encoding::Url), values: Some(Encoding::Url) };
    pub(super) const JSON: Self =
        Self { text: Some(Encoding::JsonString), values: Some(Encoding::JsonString) };
}

/// Collects a template's parts.
#[derive(Default)]
pub(super) struct Writer(Vec<Part>);

impl Writer {
    pub(super) fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Literal(last)) => last.push_str(text),
            _ => self.0.push(Part::Literal(text.to_owned())),
        }
    }

    pub(super) fn part(&mut self, part: Part, encoding: Option<Encoding>) {
        // Digits are the same everywhere.
        let is_number = matches!(part, Part::User | Part::Iteration | Part::Row | Part::Random(..));
        self.0.push(match encoding {
            Some(encoding) if !is_number => Part::Encoded { encoding, part: Box::new(part) },
            _ => part,
        });
    }

    pub(super) fn finish(self) -> Template {
        Template(self.0)
    }
}

/// What a template may name.
pub(super) struct Names<'f> {
    reading: &'f Reading<'f>,
    /// `None`: in the columns of a generated feed, where rows are known and nothing of users is.
    feeds: Option<&'f BTreeMap<String, Feed>>,
    /// Extracted by now.
    known: BTreeSet<String>,
    /// Extracted by any step.
    anywhere: &'f BTreeSet<String>,
}

static NOWHERE: BTreeSet<String> = BTreeSet::new();

impl<'f> Names<'f> {
    pub(super) fn of_columns(reading: &'f Reading<'f>) -> Self {
        Self { reading, feeds: None, known: BTreeSet::new(), anywhere: &NOWHERE }
    }

    pub(super) fn of_steps(
        reading: &'f Reading<'f>,
        feeds: &'f BTreeMap<String, Feed>,
        anywhere: &'f BTreeSet<String>,
    ) -> Self {
        Self { reading, feeds: Some(feeds), known: BTreeSet::new(), anywhere }
    }

    pub(super) fn known(&self) -> &BTreeSet<String> {
        &self.known
    }

    pub(super) fn set_known(&mut self, known: BTreeSet<String>) {
        self.known = known;
    }

    /// From here on.
    pub(super) fn learn(&mut self, name: &str) {
        self.known.insert(name.to_owned());
    }

    /// Appends what the string at `at` says.
    pub(super) fn write(&self, source: &str, at: &Range<usize>, place: Place, out: &mut Writer) {
        for piece in pieces(source) {
            match piece {
                Piece::Literal(text) => match place.text {
                    Some(encoding) => out.text(&encoding.encoded(text)),
                    None => out.text(text),
                },
                Piece::Env(written) => self.env(written, at, place, out),
                Piece::Value { part, written, number } => {
                    let at = self.reading.within(at, written);
                    if number {
                        self.reading.note(
                            Mistake::new(
                                at.clone(),
                                "`number(…)` outside of JSON",
                                "not the whole of a JSON string",
                            )
                            .help(
                                "it turns `json = { n = \"${number(x)}\" }` into a number; leave it out here",
                            ),
                        );
                    }
                    self.check(&part, written, at);
                    out.part(part, place.values);
                }
                Piece::Wrong { written, why } => {
                    self.reading.note(wrong(written, why, self.reading.within(at, written)));
                }
            }
        }
    }

    /// A JSON string: with its quotes, unless it is nothing but a number.
    pub(super) fn write_json(&self, source: &str, at: &Range<usize>, out: &mut Writer) {
        if let [Piece::Value { part, written, number: true }] = pieces(source).as_slice() {
            self.check(part, written, self.reading.within(at, written));
            out.part(part.clone(), Some(Encoding::JsonNumber));
            return;
        }
        out.text("\"");
        self.write(source, at, Place::JSON, out);
        out.text("\"");
    }

    fn env(&self, written: &str, at: &Range<usize>, place: Place, out: &mut Writer) {
        if let Some(found) =
            self.reading.interpolate(written, self.reading.within(at, written), Port::Refused)
        {
            out.part(Part::Given(found.text), place.values);
        }
    }

    fn check(&self, part: &Part, written: &str, at: Range<usize>) {
        match (part, self.feeds) {
            (Part::Variable(name), Some(_)) if !self.known.contains(name) => {
                self.reading.note_absence(self.unknown(name, written, at));
            }
            (Part::Column { feed, column }, Some(feeds)) => {
                check_column(self.reading, feeds, (feed, column), at);
            }
            (Part::Row, Some(_)) => {
                let mistake = Mistake::new(at, "`row` outside of a feed", "has no value here");
                self.reading.note(
                    mistake
                        .help("`${row}` counts the rows in a feed's `columns`; in steps there is `${user}`"),
                );
            }
            (Part::Variable(_) | Part::Column { .. } | Part::User | Part::Iteration, None) => {
                let title = format!("`{written}` has no value in a feed");
                let mistake = Mistake::new(at, title, "a row belongs to nobody yet");
                self.reading.note(
                    mistake.help(
                        "here `${row}`, `${random(…)}`, `${pick(…)}`, `${uuid}` and `${today}` are known",
                    ),
                );
            }
            _ => {}
        }
    }

    fn unknown(&self, name: &str, written: &str, at: Range<usize>) -> Mistake {
        if self.anywhere.contains(name) {
            let title = format!("`{written}` is not known yet");
            return Mistake::new(at, title, "extracted by another flow, or later")
                .help("an earlier step of this flow must extract it, or a `[[setup]]` step for all flows");
        }
        let names = self.known.iter().map(String::as_str).chain(VALUES).chain(FUNCTIONS);
        let feeds = self.feeds.into_iter().flatten().map(|(name, _)| name.as_str());
        let help = closest(name, names.chain(feeds)).map(|known| format!("did you mean `{known}`?"));
        Mistake::new(at, format!("`{written}` is not known"), "nothing has this name")
            .help("an earlier step must extract it: `extract = { NAME = \"json:/pointer\" }`; for a `${` itself write `$${`")
            .maybe_help(help)
    }
}

fn check_column(
    reading: &Reading<'_>,
    feeds: &BTreeMap<String, Feed>,
    (feed, column): (&str, &str),
    at: Range<usize>,
) {
    let suggest = |known: Option<&str>| known.map(|known| format!("did you mean `{known}`?"));
    match feeds.get(feed) {
        None => reading.note_absence(
            Mistake::new(at, format!("there is no feed `{feed}`"), "not declared")
                .help(format!("declare it: `[feeds.{feed}]`"))
                .maybe_help(suggest(closest(feed, feeds.keys().map(String::as_str)))),
        ),
        Some(found) if !found.columns.is_empty() && !found.columns.iter().any(|known| known == column) => {
            let known = found.columns.iter().map(String::as_str);
            reading.note(
                Mistake::new(
                    at,
                    format!("the feed `{feed}` has no column `{column}`"),
                    "not one of its columns",
                )
                .help(format!("it has {}", found.columns.join(", ")))
                .maybe_help(suggest(closest(column, known))),
            );
        }
        Some(_) => {}
    }
}

fn wrong(written: &str, why: Wrong, at: Range<usize>) -> Mistake {
    match why {
        Wrong::Open => {
            Mistake::new(at, "a `${` without its `}`", "has no end").help("for a `${` itself write `$${`")
        }
        Wrong::Form => Mistake::new(
            at,
            format!("`{written}` cannot be read"),
            "neither a name nor a function",
        )
        .help("for example `${token}`, `${accounts.id}`, `${random(1, 500)}`; for a `${` itself write `$${`"),
        Wrong::Function => {
            let name = written.trim_start_matches("${").split('(').next().unwrap_or_default().trim();
            let help = closest(name, FUNCTIONS).map(|known| format!("did you mean `{known}`?"));
            Mistake::new(at, format!("there is no function `{name}`"), "not known")
                .help(format!("known are {}", FUNCTIONS.map(|known| format!("`{known}`")).join(", ")))
                .maybe_help(help)
        }
        Wrong::Arguments(takes) => {
            Mistake::new(at, format!("`{written}` cannot be read"), "not what it takes")
                .help(format!("it takes {takes}"))
        }
    }
}

/// The string under a free key, or `None` after noting that it is none.
pub(super) fn string<'v>(
    section: &Section<'_>,
    name: &Spanned<DeString<'_>>,
    value: &'v Spanned<DeValue<'_>>,
) -> Option<&'v str> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        let mistake =
            Mistake::new(value.span(), format!("`{}` must be a string", name.get_ref()), "this is none");
        section.reading.note(mistake.help("put it into quotes"));
    }
    text
}
