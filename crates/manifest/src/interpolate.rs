//! `${VAR}`, `${VAR:-default}` and `$$` in strings.
//!
//! With [`Variables::Prefixed`], `${env.VAR}` and `${env.VAR:-default}` instead.
//!
//! `$PORT` and `${PORT}` are different: they are known when an instance starts, and only some keys may have them.

use std::ops::Range;

use crate::grammar::Variables;
use crate::model::Text;

/// Whether a string may speak of the port an instance will get.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Port {
    /// Left for the instance's start.
    Kept,
    Refused,
}

/// A `$` that does not work out. `written` is its piece of the source.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Fault<'s> {
    pub written: &'s str,
    pub kind: FaultKind<'s>,
}

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum FaultKind<'s> {
    /// `${VAR}` without a default, and the environment does not have it.
    Unset(&'s str),
    /// `${…` without its `}`.
    Open,
    /// Something else than a name, or a name and `:-`, in the braces.
    Form,
    /// `$VAR` without braces.
    Bare(&'s str),
    /// The port where there is none.
    Port,
    /// In braces, something that only the run will know.
    NotYet,
}

/// Replaces what is to be replaced, or says everything that is wrong.
pub(crate) fn interpolate<'s>(
    source: &'s str,
    env: &dyn Fn(&str) -> Option<String>,
    variables: Variables,
    port: Port,
) -> Result<Text, Vec<Fault<'s>>> {
    let mut value = String::with_capacity(source.len());
    let mut ports: Vec<Range<usize>> = Vec::new();
    let mut faults = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        let (piece, after) = piece(&rest[at..], variables);
        let written = &rest[at..rest.len() - after.len()];
        match piece {
            Piece::Literal(text) => value.push_str(text),
            Piece::Variable { name: "PORT", .. } if port == Port::Kept => {
                let start = value.len();
                value.push_str(written);
                ports.push(start..value.len());
            }
            Piece::Variable { name: "PORT", .. } => faults.push(Fault { written, kind: FaultKind::Port }),
            Piece::Variable { name, default } => match (env(name), default) {
                (Some(found), Some(default)) if found.is_empty() => value.push_str(default),
                (Some(found), _) => value.push_str(&found),
                (None, Some(default)) => value.push_str(default),
                (None, None) => faults.push(Fault { written, kind: FaultKind::Unset(name) }),
            },
            Piece::Fault(kind) => faults.push(Fault { written, kind }),
        }
        rest = after;
    }
    value.push_str(rest);
    if faults.is_empty() { Ok(Text::interpolated(value, source, ports)) } else { Err(faults) }
}

enum Piece<'s> {
    Literal(&'static str),
    Variable { name: &'s str, default: Option<&'s str> },
    Fault(FaultKind<'s>),
}

/// Takes the piece that begins with the `$` at the start of `text`; at least that one character.
fn piece(text: &str, variables: Variables) -> (Piece<'_>, &str) {
    let after = &text[1..];
    if let Some(after) = after.strip_prefix('$') {
        return (Piece::Literal("$"), after);
    }
    if let Some(inside) = after.strip_prefix('{') {
        let Some((inside, after)) = inside.split_once('}') else {
            return (Piece::Fault(FaultKind::Open), "");
        };
        let piece = match variables {
            Variables::Named => braced(inside),
            Variables::Prefixed => {
                inside.strip_prefix("env.").map_or(Piece::Fault(FaultKind::NotYet), braced)
            }
        };
        return (piece, after);
    }
    if variables == Variables::Prefixed {
        return (Piece::Literal("$"), after);
    }
    let (name, after) = split_name(after);
    match name {
        "" => (Piece::Literal("$"), after),
        "PORT" => (Piece::Variable { name, default: None }, after),
        _ => (Piece::Fault(FaultKind::Bare(name)), after),
    }
}

fn braced(inside: &str) -> Piece<'_> {
    let (name, rest) = split_name(inside);
    match rest.strip_prefix(":-") {
        _ if name.is_empty() => Piece::Fault(FaultKind::Form),
        // A `$` in a default would mean nesting, which the first `}` has cut already.
        Some(default) if default.contains('$') => Piece::Fault(FaultKind::Form),
        Some(default) => Piece::Variable { name, default: Some(default) },
        None if rest.is_empty() => Piece::Variable { name, default: None },
        None => Piece::Fault(FaultKind::Form),
    }
}

/// POSIX: letters, digits and `_`, not beginning with a digit.
pub(crate) fn is_variable(name: &str) -> bool {
    let (found, rest) = split_name(name);
    !found.is_empty() && rest.is_empty()
}

fn split_name(text: &str) -> (&str, &str) {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at(if starts { end } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOST_NAME" => Some("db.example".to_owned()),
            "DOLLARS" => Some("$PORT ${HOST_NAME} $$".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced_once() {
        let check = |source: &str, expected: &str| {
            let text = interpolate(source, &env, Variables::Named, Port::Kept).expect(source);
            assert_eq!(text.with_port(7), expected, "{source}");
            assert_eq!(text.to_string(), source);
        };
        check("plain", "plain");
        check("a${HOST_NAME}b", "adb.exampleb");
        check("${HOST_NAME:-x}", "db.example");
        check("${NOT_SET:-a b:c}", "a b:c");
        check("${NOT_SET:-}", "");
        check("${EMPTY}", "");
        check("${EMPTY:-x}", "x");
        check("$$HOME costs $5, or $ 5 $", "$HOME costs $5, or $ 5 $");
        check("$PORT ${PORT} ${PORT:-80} $$PORT $${PORT}", "7 7 7 $PORT ${PORT}");
        check("${DOLLARS} $PORT", "$PORT ${HOST_NAME} $$ 7");
        check("é${HOST_NAME}é", "édb.exampleé");
    }

    #[test]
    fn what_does_not_work_out_is_named() {
        let check = |source: &str, expected: &[(&str, FaultKind<'_>)]| {
            let faults = interpolate(source, &env, Variables::Named, Port::Refused).expect_err(source);
            let found: Vec<_> = faults.into_iter().map(|f| (f.written, f.kind)).collect();
            assert_eq!(found, expected, "{source}");
        };
        check("${A} ${B}", &[("${A}", FaultKind::Unset("A")), ("${B}", FaultKind::Unset("B"))]);
        check("x ${A", &[("${A", FaultKind::Open)]);
        check("${}", &[("${}", FaultKind::Form)]);
        check("${1A}", &[("${1A}", FaultKind::Form)]);
        check("${A-x}", &[("${A-x}", FaultKind::Form)]);
        check("${A:-${B}}", &[("${A:-${B}", FaultKind::Form)]);
        check("$HOME/x", &[("$HOME", FaultKind::Bare("HOME"))]);
        check("$PORTAL $PORT", &[("$PORTAL", FaultKind::Bare("PORTAL")), ("$PORT", FaultKind::Port)]);
    }

    #[test]
    fn prefixed_variables_leave_a_bare_dollar_alone() {
        fn read(source: &str) -> Result<Text, Vec<Fault<'_>>> {
            interpolate(source, &env, Variables::Prefixed, Port::Refused)
        }
        let check = |source: &str, expected: &str| {
            assert_eq!(read(source).expect("valid").reveal(), expected, "{source}");
        };
        check("$5 $PORT $ $$ $${x}", "$5 $PORT $ $ ${x}");
        check("a${env.HOST_NAME}${env.NOT_SET:-b}", "adb.exampleb");
        let check = |source: &'static str, expected: FaultKind<'_>| {
            assert_eq!(read(source), Err(vec![Fault { written: source, kind: expected }]));
        };
        check("${HOST_NAME}", FaultKind::NotYet);
        check("${env.A}", FaultKind::Unset("A"));
        check("${env.}", FaultKind::Form);
        check("${env.A", FaultKind::Open);
    }
}
