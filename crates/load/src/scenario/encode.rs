//! Makes a value fit for the place it is put into, so that no value can change what surrounds it.

use std::fmt::Write as _;

/// What a place asks of its values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Part of a path segment, of a query's name or value, or of a form's: all but RFC 3986's unreserved characters
    /// becomes `%XX`.
    Url,
    /// Inside the quotes of a JSON string (RFC 8259, section 7).
    JsonString,
    /// A JSON number; what is none becomes a JSON string, so that the body stays JSON.
    JsonNumber,
}

impl Encoding {
    /// Encodes what stands in `out` from `start` on. Allocates only if something has to change.
    pub(super) fn apply(self, out: &mut String, start: usize) {
        let fits = match self {
            Self::Url => out[start..].bytes().all(is_unreserved),
            Self::JsonString => !out[start..].bytes().any(needs_escape),
            Self::JsonNumber => is_number(&out[start..]),
        };
        if fits {
            return;
        }
        let raw = out.split_off(start);
        match self {
            Self::Url => url(&raw, out),
            Self::JsonString => json_string(&raw, out),
            Self::JsonNumber => {
                out.push('"');
                json_string(&raw, out);
                out.push('"');
            }
        }
    }

    pub(super) fn encoded(self, text: &str) -> String {
        let mut out = text.to_owned();
        self.apply(&mut out, 0);
        out
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn is_number(text: &str) -> bool {
    // serde_json alone would take spaces around it.
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

fn url(raw: &str, out: &mut String) {
    for byte in raw.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes everything");
        }
    }
}

fn json_string(raw: &str, out: &mut String) {
    for c in raw.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn numbers_are_what_json_calls_numbers() {
        let check =
            |text: &str, expected: &str| assert_eq!(Encoding::JsonNumber.encoded(text), expected, "{text}");
        for number in ["0", "-1", "10.50", "1e3", "12345678901234567890"] {
            check(number, number);
        }
        for text in ["", "-", "01", "+1", " 1", "1 ", "NaN", "1,2", "1]"] {
            check(text, &format!("\"{text}\""));
        }
    }

    proptest! {
        #[test]
        fn a_json_string_is_read_back_as_it_was(text in any::<String>()) {
            let encoded = format!("\"{}\"", Encoding::JsonString.encoded(&text));
            prop_assert_eq!(serde_json::from_str::<Value>(&encoded).expect("JSON"), Value::from(text));
        }

        #[test]
        fn a_json_number_is_json_whatever_it_was(text in any::<String>()) {
            prop_assert!(serde_json::from_str::<Value>(&Encoding::JsonNumber.encoded(&text)).is_ok());
        }

        #[test]
        fn a_url_value_has_no_character_that_means_something(text in any::<String>()) {
            let encoded = Encoding::Url.encoded(&text);
            prop_assert!(encoded.bytes().all(|byte| is_unreserved(byte) || byte == b'%'));
        }
    }
}
