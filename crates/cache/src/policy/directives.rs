//! `Cache-Control` (RFC 9111 5.2), and what of it is understood.
//!
//! Restrictive directives count in whatever form they stand, permissive ones only in theirs.

use http::header::{GetAll, PRAGMA};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::fields::is_essential;

/// RFC 9111 1.2.2: what a number too large to hold is taken for.
const DELTA_SECONDS_MAX: u64 = 1 << 31;

/// A directive's argument.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Argument<'a> {
    Absent,
    Text(&'a str),
    /// Of a type no directive has: only targeted fields have types.
    Foreign,
}

/// The field does not follow the grammar: what it means is anybody's guess.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// Longer than any directive that is understood.
const NAME_BYTES_MAX: usize = 32;

/// Hands over each directive, its name in lower case. Allocates nothing.
pub(super) fn each(
    lines: GetAll<'_, HeaderValue>,
    mut take: impl FnMut(&str, Argument<'_>),
) -> Result<(), Malformed> {
    for line in lines {
        let mut rest = line.to_str().ok().ok_or(Malformed)?;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let (name, after) = token(rest)?;
            let (argument, after) = argument(after)?;
            rest = after.trim_start_matches([' ', '\t']);
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(Malformed);
            }
            let mut lower = [0; NAME_BYTES_MAX];
            if let Some(lower) = lower.get_mut(..name.len()) {
                lower.copy_from_slice(name.as_bytes());
                lower.make_ascii_lowercase();
                take(str::from_utf8(lower).ok().ok_or(Malformed)?, argument);
            }
        }
    }
    Ok(())
}

fn argument(text: &str) -> Result<(Argument<'_>, &str), Malformed> {
    let Some(text) = text.strip_prefix('=') else { return Ok((Argument::Absent, text)) };
    let (value, after) = match text.strip_prefix('"') {
        Some(text) => quoted(text)?,
        None => token(text)?,
    };
    Ok((Argument::Text(value), after))
}

fn token(text: &str) -> Result<(&str, &str), Malformed> {
    let end = text.bytes().position(|byte| !is_token(byte)).unwrap_or(text.len());
    if end == 0 { Err(Malformed) } else { Ok(text.split_at(end)) }
}

/// RFC 9110 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The inside of a quoted-string (RFC 9110 5.6.4). Escapes stay: what needs one is in no argument that is understood.
fn quoted(text: &str) -> Result<(&str, &str), Malformed> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Ok((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    Err(Malformed)
}

/// A number of seconds that should stand at most once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Seconds {
    #[default]
    Absent,
    Said(u64),
    /// No number, or two different ones (RFC 9111 4.2.1).
    Invalid,
}

impl Seconds {
    pub(super) fn add(&mut self, argument: Argument<'_>) {
        let said = match argument {
            Argument::Text(text) => delta_seconds(text).map_or(Self::Invalid, Self::Said),
            Argument::Absent | Argument::Foreign => Self::Invalid,
        };
        *self = if *self == Self::Absent || *self == said { said } else { Self::Invalid };
    }

    /// `invalid` is what an invalid number is taken for.
    pub(super) fn or(self, invalid: u64) -> Option<u64> {
        match self {
            Self::Absent => None,
            Self::Said(seconds) => Some(seconds),
            Self::Invalid => Some(invalid),
        }
    }
}

/// RFC 9111 1.2.2.
pub(super) fn delta_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX).min(DELTA_SECONDS_MAX))
}

/// What a response's directives say.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "directives are independent of each other")]
pub(super) struct Said {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) public: bool,
    /// `must-revalidate`, `proxy-revalidate`, or `s-maxage`, which contains the latter (5.2.2.10).
    pub(super) never_stale: bool,
    pub(super) max_age: Seconds,
    pub(super) s_maxage: Seconds,
    pub(super) while_revalidate: Seconds,
    pub(super) if_error: Seconds,
    /// Fields named by `no-cache="…"`: not to be used without asking, so not stored.
    pub(super) unchecked: Vec<HeaderName>,
    /// Fields named by `private="…"`.
    pub(super) personal: Vec<HeaderName>,
}

impl Said {
    pub(super) fn add(&mut self, name: &str, argument: Argument<'_>) {
        match name {
            "no-store" => self.no_store = true,
            "no-cache" => match fields(argument) {
                Some(names) => self.unchecked.extend(names),
                None => self.no_cache = true,
            },
            "private" => match fields(argument) {
                Some(names) => self.personal.extend(names),
                None => self.private = true,
            },
            "public" => self.public |= argument == Argument::Absent,
            "must-revalidate" | "proxy-revalidate" => self.never_stale = true,
            "max-age" => self.max_age.add(argument),
            "s-maxage" => {
                self.never_stale = true;
                self.s_maxage.add(argument);
            }
            "stale-while-revalidate" => self.while_revalidate.add(argument),
            "stale-if-error" => self.if_error.add(argument),
            // Unknown directives are ignored (5.2.3). `must-understand` asks for what is done anyway: only answers
            // with a status that is understood are stored. `no-transform` and `immutable` ask nothing of this cache.
            _ => {}
        }
    }
}

/// `Pragma: no-cache` (5.4), which counts where there is no `Cache-Control`.
pub(super) fn pragma(headers: &HeaderMap) -> bool {
    let mut directives =
        headers.get_all(PRAGMA).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    directives.any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"no-cache"))
}

/// The fields an argument names; `None` where it names none, or one that the rest cannot do without: the directive is
/// then about the whole response.
fn fields(argument: Argument<'_>) -> Option<Vec<HeaderName>> {
    let Argument::Text(text) = argument else { return None };
    let mut names = Vec::new();
    for name in text.split(',').map(|name| name.trim_matches([' ', '\t'])).filter(|name| !name.is_empty()) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if is_essential(&name) {
            return None;
        }
        names.push(name);
    }
    (!names.is_empty()).then_some(names)
}
