//! Strings that may hold secrets.

use std::fmt;
use std::ops::Range;

/// A string that may hold interpolated values, which must not be shown: `Debug` and `Display` print the
/// source with its `${VAR}`, only [`Text::reveal`] gives the value.
#[derive(Clone, Eq, PartialEq)]
pub struct Text {
    value: String,
    source: String,
    /// Where `value` says `$PORT` or `${PORT}` and means it; in order, apart from one another.
    ports: Vec<Range<usize>>,
}

impl Text {
    /// A value and what may be shown of it. Every `$PORT` and `${PORT}` in the value stands for the port.
    pub fn new(value: impl Into<String>, source: impl Into<String>) -> Self {
        let value = value.into();
        let ports = ports_in(&value);
        Self { value, source: source.into(), ports }
    }

    /// A string without interpolation.
    pub fn plain(value: impl Into<String>) -> Self {
        let value = value.into();
        Self::new(value.clone(), value)
    }

    /// What interpolation makes: a `$PORT` that came in with a variable's value, or was written `$$PORT`,
    /// is ordinary text, so only the given places stand for the port.
    pub(crate) fn interpolated(value: String, source: &str, ports: Vec<Range<usize>>) -> Self {
        Self { value, source: source.to_owned(), ports }
    }

    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// Whether showing the value tells no more than the file itself does.
    pub(crate) fn is_literal(&self) -> bool {
        self.value == self.source
    }

    /// The value with `${PORT}` and `$PORT` replaced; `$PORTAL` stays as it is.
    pub fn with_port(&self, port: u16) -> String {
        let port = port.to_string();
        let mut out = String::with_capacity(self.value.len());
        let mut done = 0;
        for place in &self.ports {
            out.push_str(&self.value[done..place.start]);
            out.push_str(&port);
            done = place.end;
        }
        out + &self.value[done..]
    }
}

fn ports_in(value: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in value.match_indices('$') {
        let after = &value[start + 1..];
        let length = if after.starts_with("{PORT}") {
            "${PORT}".len()
        } else if let Some(rest) = after.strip_prefix("PORT")
            && !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            "$PORT".len()
        } else {
            continue;
        };
        found.push(start..start + length);
    }
    found
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_replaced_where_it_stands_alone() {
        let check = |value: &str, expected: &str| assert_eq!(Text::plain(value).with_port(81), expected);
        check("$PORT", "81");
        check("a${PORT}b:$PORT.", "a81b:81.");
        check("$PORTAL $PORT_X ${PORTAL} $ $$", "$PORTAL $PORT_X ${PORTAL} $ $$");
        check("é$PORTé", "é81é");
    }

    #[test]
    fn the_value_is_shown_to_those_who_ask_for_it_only() {
        let text = Text::new("hunter2", "${PASSWORD}");
        assert_eq!(format!("{text} {text:?}"), "${PASSWORD} \"${PASSWORD}\"");
        assert_eq!(text.reveal(), "hunter2");
    }
}
