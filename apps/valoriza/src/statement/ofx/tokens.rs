//! Tags and text of SGML or XML, leniently: what is not a tag is text, whatever it looks like.
//!
//! No entity is expanded but the five of XML, `&nbsp;` and single characters by number; a document type with
//! its declarations is skipped unread. So text never grows. Every byte is looked at a bounded number of times.

use std::borrow::Cow;

/// The longest tag name; the standard's longest has 32 characters, vendors put a prefix before.
const NAME_BYTES_MAX: usize = 64;

/// How far a tag's `>` may be from its name: attributes are rare and short.
const ATTRIBUTES_BYTES_MAX: usize = 1_024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<NAME>`; the name without a namespace, as written.
    Open(&'a str),
    Close(&'a str),
    /// With its entities decoded; never empty.
    Text(Cow<'a, str>),
}

pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The line the next token starts on.
    line: u64,
    /// A `<NAME/>` whose end is to be told next.
    closing: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, closing: None }
    }

    /// The line the last token ended on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.bytes().map(|b| u64::from(b == b'\n')).sum::<u64>();
        self.rest = rest;
        taken
    }

    /// Skips up to and including `end`, or to the end of the text.
    fn skip_past(&mut self, end: &str) {
        let bytes = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.advance(bytes);
    }

    /// Skips `<!DOCTYPE …>`, declarations in brackets included.
    fn skip_declaration(&mut self) {
        self.advance(self.rest.find(['[', '>']).unwrap_or(self.rest.len()));
        if self.rest.starts_with('[') {
            self.skip_past("]");
        }
        self.skip_past(">");
    }

    fn text(&mut self) -> Token<'a> {
        let starts = self.rest.match_indices('<').map(|(at, _)| at);
        let end = starts.into_iter().find(|at| Markup::at(&self.rest[*at..]).is_some());
        let taken = self.advance(end.unwrap_or(self.rest.len()));
        Token::Text(decode(taken))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.closing.take() {
            return Some(Token::Close(name));
        }
        while !self.rest.is_empty() {
            match Markup::at(self.rest) {
                None => return Some(self.text()),
                Some(Markup::Comment) => self.skip_past("-->"),
                Some(Markup::Instruction) => self.skip_past("?>"),
                Some(Markup::Declaration) => self.skip_declaration(),
                Some(Markup::Cdata) => {
                    let inner = &self.rest["<![CDATA[".len()..];
                    let text = &inner[..inner.find("]]>").unwrap_or(inner.len())];
                    self.skip_past("]]>");
                    if !text.is_empty() {
                        return Some(Token::Text(Cow::Borrowed(text)));
                    }
                }
                Some(Markup::Open { name, bytes, is_empty }) => {
                    self.advance(bytes);
                    self.closing = is_empty.then_some(name);
                    return Some(Token::Open(name));
                }
                Some(Markup::Close { name, bytes }) => {
                    self.advance(bytes);
                    return Some(Token::Close(name));
                }
            }
        }
        None
    }
}

/// What a `<` begins.
enum Markup<'a> {
    Comment,
    Cdata,
    Declaration,
    Instruction,
    Open { name: &'a str, bytes: usize, is_empty: bool },
    Close { name: &'a str, bytes: usize },
}

impl<'a> Markup<'a> {
    /// What begins here, if anything does.
    fn at(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        if inner.starts_with("!--") {
            return Some(Self::Comment);
        }
        if inner.starts_with("![CDATA[") {
            return Some(Self::Cdata);
        }
        match inner.bytes().next()? {
            b'!' => return Some(Self::Declaration),
            b'?' => return Some(Self::Instruction),
            _ => {}
        }
        let (is_close, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let name = tag_name(inner)?;
        let after = &inner.as_bytes()[name.len()..];
        let end = after.iter().take(ATTRIBUTES_BYTES_MAX).position(|b| matches!(b, b'<' | b'>'))?;
        // `<B ROUPAS` in a description is not closed before the next tag.
        if after[end] == b'<' {
            return None;
        }
        let bytes = text.len() - inner.len() + name.len() + end + 1;
        let is_empty = after[..end].ends_with(b"/");
        let name = name.rsplit(':').next().unwrap_or(name);
        Some(if is_close { Self::Close { name, bytes } } else { Self::Open { name, bytes, is_empty } })
    }
}

/// The name a tag starts with; it must be followed by a space, `/` or `>`.
fn tag_name(text: &str) -> Option<&str> {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    let length = text.bytes().take(NAME_BYTES_MAX + 1).take_while(is_name).count();
    let starts_well = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let ends_well = matches!(text.as_bytes().get(length), Some(b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'));
    (starts_well && ends_well && length <= NAME_BYTES_MAX).then(|| &text[..length])
}

/// Decodes the few entities statements have; any other `&` stands for itself.
fn decode(text: &str) -> Cow<'_, str> {
    /// `&#1114111;` is the longest there is.
    const ENTITY_BYTES_MAX: usize = 10;
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.bytes().take(ENTITY_BYTES_MAX).position(|b| b == b';');
        match end.and_then(|end| Some((character(&rest[..end])?, end))) {
            Some((character, end)) => {
                decoded.push(character);
                rest = &rest[end + 1..];
            }
            None => decoded.push('&'),
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let show = |token| match token {
            Token::Open(name) => format!("<{name}>"),
            Token::Close(name) => format!("</{name}>"),
            Token::Text(text) => text.into_owned(),
        };
        Tokens::new(text).map(show).collect()
    }

    #[test]
    fn what_is_not_a_tag_is_text() {
        let check = |text, expected: &[&str]| assert_eq!(tokens(text), expected, "{text}");
        check("<MEMO>A & B<TRNAMT>1", &["<MEMO>", "A & B", "<TRNAMT>", "1"]);
        check("<MEMO>A &amp; &lt;B&gt; &#233; &#xE9; &nope; &", &["<MEMO>", "A & <B> é é &nope; &"]);
        check("<MEMO>I <3 U <B ROUPAS</MEMO>", &["<MEMO>", "I <3 U <B ROUPAS", "</MEMO>"]);
        check("<a:OFX x='1'><MEMO/>", &["<OFX>", "<MEMO>", "</MEMO>"]);
        check("<?xml v?><!-- <OFX> --><OFX>", &["<OFX>"]);
        check("<![CDATA[a<b>&amp;]]>", &["a<b>&amp;"]);
        check("<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c '&a;&a;'>]><OFX>&c;", &["<OFX>", "&c;"]);
        check("<OFX", &["<OFX"]);
        check("<!-- never closed <OFX>", &[]);
        check("<1>", &["<1>"]);
    }

    #[test]
    fn lines_are_counted() {
        let mut tokens = Tokens::new("a\nb<OFX>\n\n<MEMO>");
        let lines: Vec<u64> = std::iter::from_fn(|| tokens.next().map(|_| tokens.line())).collect();
        assert_eq!(lines, [2, 2, 4, 4]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_text_never_grows(text in "[<>/!?&;#\\[\\]a-c \\n-]{0,200}") {
            let length: usize = tokens(&text).iter().map(String::len).sum();
            // `<a/>` is told as two tags.
            prop_assert!(length <= 2 * text.len() + 8);
        }
    }
}
