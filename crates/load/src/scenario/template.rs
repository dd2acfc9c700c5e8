//! The syntax of `${…}`. What the names stand for is judged by the reader, who knows them.

use std::fmt;

use super::{Part, Template};

/// What a template's text is made of. `written` is its piece of the source.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'s> {
    Literal(&'s str),
    Value {
        part: Part,
        written: &'s str,
        /// In `number(…)`.
        number: bool,
    },
    /// `${env.…}`
    Env(&'s str),
    Wrong {
        written: &'s str,
        why: Wrong,
    },
}

/// Why a `${…}` cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// Without its `}`.
    Open,
    Form,
    /// No function has this name.
    Function,
    /// The function's arguments are not what it takes: how it is used.
    Arguments(&'static str),
}

/// The names that are always known, and the ones with arguments.
pub(super) const VALUES: [&str; 5] = ["user", "iteration", "uuid", "today", "row"];
pub(super) const FUNCTIONS: [&str; 4] = ["random", "pick", "today", "number"];

/// Takes a text apart. `$$` is a `$`, and one that no brace follows is itself.
pub(super) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("${").into_iter().chain(rest.find("$$")).min() {
        if at > 0 {
            pieces.push(Piece::Literal(&rest[..at]));
        }
        let found = &rest[at..];
        let length = if found.starts_with("$$") {
            pieces.push(Piece::Literal("$"));
            2
        } else if let Some(end) = found.find('}') {
            pieces.push(braced(&found[..=end]));
            end + 1
        } else {
            pieces.push(Piece::Wrong { written: found, why: Wrong::Open });
            found.len()
        };
        rest = &found[length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

/// Letters, digits, `_` and `-`, beginning with a letter or `_`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn braced(written: &str) -> Piece<'_> {
    let inside = written[2..written.len() - 1].trim();
    if inside.starts_with("env.") {
        return Piece::Env(written);
    }
    let (inside, number) = match inside.strip_prefix("number(").and_then(|inside| inside.strip_suffix(')')) {
        Some(inside) => (inside.trim(), true),
        None => (inside, false),
    };
    match value(inside) {
        Ok(part) => Piece::Value { part, written, number },
        Err(why) => Piece::Wrong { written, why },
    }
}

fn value(text: &str) -> Result<Part, Wrong> {
    if let Some((name, rest)) = text.split_once('(') {
        let arguments = rest.strip_suffix(')').ok_or(Wrong::Form)?;
        return call(name.trim(), arguments);
    }
    if let Some((feed, column)) = text.split_once('.') {
        let known = is_name(feed) && !column.is_empty();
        return if known {
            Ok(Part::Column { feed: feed.into(), column: column.into() })
        } else {
            Err(Wrong::Form)
        };
    }
    match text {
        "user" => Ok(Part::User),
        "iteration" => Ok(Part::Iteration),
        "uuid" => Ok(Part::Uuid),
        "today" => Ok(Part::Day(0)),
        "row" => Ok(Part::Row),
        name if is_name(name) => Ok(Part::Variable(name.to_owned())),
        _ => Err(Wrong::Form),
    }
}

fn call(name: &str, arguments: &str) -> Result<Part, Wrong> {
    match name {
        "random" => {
            let bounds = arguments.split_once(',').and_then(|(from, to)| {
                Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
                    .filter(|(from, to): &(i64, i64)| from <= to)
            });
            let (from, to) = bounds
                .ok_or(Wrong::Arguments("two whole numbers, the smaller first: `${random(1, 500)}`"))?;
            Ok(Part::Random(from, to))
        }
        "pick" => {
            let choices: Vec<String> = arguments.split(',').map(|choice| choice.trim().to_owned()).collect();
            let usable = choices.iter().all(|choice| !choice.is_empty());
            if usable {
                Ok(Part::Pick(choices))
            } else {
                Err(Wrong::Arguments("words: `${pick(food, rent)}`"))
            }
        }
        "today" => {
            // As far as a calendar of four-digit years goes.
            let days = arguments.trim().parse().ok().filter(|days| (-500_000..=500_000).contains(days));
            days.map(Part::Day).ok_or(Wrong::Arguments("a number of days: `${today(-30)}`"))
        }
        "number" => Err(Wrong::Arguments("one value: `${number(amount)}`")),
        _ => Err(Wrong::Function),
    }
}

/// As in the file, so that a value of the environment is not shown.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| part.fmt(f))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Variable(name) => write!(f, "${{{name}}}"),
            Self::Column { feed, column } => write!(f, "${{{feed}.{column}}}"),
            Self::User => f.write_str("${user}"),
            Self::Iteration => f.write_str("${iteration}"),
            Self::Uuid => f.write_str("${uuid}"),
            Self::Random(from, to) => write!(f, "${{random({from}, {to})}}"),
            Self::Pick(choices) => write!(f, "${{pick({})}}", choices.join(", ")),
            Self::Row => f.write_str("${row}"),
            Self::Given(text) => text.fmt(f),
            Self::Encoded { part, .. } => part.fmt(f),
            Self::Day(0) => f.write_str("${today}"),
            Self::Day(days) => write!(f, "${{today({days})}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let check = |source: &str, expected: Part| match pieces(source).as_slice() {
            [Piece::Value { part, written, number: false }] => {
                assert_eq!((part, *written), (&expected, source));
            }
            other => panic!("{source}: {other:?}"),
        };
        check("${token}", Part::Variable("token".into()));
        check("${ access_token }", Part::Variable("access_token".into()));
        check("${accounts.id}", Part::Column { feed: "accounts".into(), column: "id".into() });
        check("${user}", Part::User);
        check("${iteration}", Part::Iteration);
        check("${uuid}", Part::Uuid);
        check("${row}", Part::Row);
        check("${random(-5,5)}", Part::Random(-5, 5));
        check("${pick(food, eating out)}", Part::Pick(vec!["food".into(), "eating out".into()]));
        check("${today}", Part::Day(0));
        check("${today(-30)}", Part::Day(-30));
    }

    #[test]
    fn text_around_values_is_kept() {
        let number = Piece::Value { part: Part::Variable("n".into()), written: "${number(n)}", number: true };
        assert_eq!(
            pieces("$5 $$ $${x} ${number(n)}${env.A}é"),
            [
                Piece::Literal("$5 "),
                Piece::Literal("$"),
                Piece::Literal(" "),
                Piece::Literal("$"),
                Piece::Literal("{x} "),
                number,
                Piece::Env("${env.A}"),
                Piece::Literal("é"),
            ]
        );
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("$"), [Piece::Literal("$")]);
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let check = |source: &str, expected: Wrong| match pieces(source).as_slice() {
            [Piece::Wrong { written, why }] => assert_eq!((*written, *why), (source, expected)),
            other => panic!("{source}: {other:?}"),
        };
        check("${token", Wrong::Open);
        for source in ["${}", "${a b}", "${1}", "${a.}", "${.a}", "${random(1, 2}", "${é}"] {
            check(source, Wrong::Form);
        }
        check("${rand(1)}", Wrong::Function);
        for source in ["${random(1)}", "${random(2, 1)}", "${pick()}", "${pick(a,)}", "${today(x)}"] {
            assert!(
                matches!(pieces(source)[..], [Piece::Wrong { why: Wrong::Arguments(_), .. }]),
                "{source}"
            );
        }
    }
}
