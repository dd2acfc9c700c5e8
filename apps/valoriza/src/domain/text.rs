//! Text as people write it, and the key under which it is compared and searched.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What a text field accepts.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub chars_max: usize,
    /// Whether line breaks and tabs are part of the text.
    pub lines: Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    One,
    Many,
}

pub const NAME: Rule = Rule { chars_max: 80, lines: Lines::One };
pub const DESCRIPTION: Rule = Rule { chars_max: 200, lines: Lines::One };
pub const NOTES: Rule = Rule { chars_max: 2_000, lines: Lines::Many };

impl Rule {
    /// Trims `text`; says what is wrong with it otherwise, as a violation's code and message.
    pub fn clean(self, text: &str) -> Result<String, (&'static str, String)> {
        let text = text.trim();
        if text.is_empty() {
            return Err(("required", "é obrigatório".to_owned()));
        }
        if text.chars().count() > self.chars_max {
            return Err(("too_long", format!("deve ter no máximo {} caracteres", self.chars_max)));
        }
        if text
            .chars()
            .any(|c| c.is_control() && !(self.lines == Lines::Many && matches!(c, '\n' | '\r' | '\t')))
        {
            return Err(("control_character", "não pode conter caracteres de controle".to_owned()));
        }
        Ok(text.to_owned())
    }
}

/// Folds case and accents away: "Alimentação" and "ALIMENTACAO" become the same key.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Accepts what could be an e-mail address and returns it in lower case. Only mail can prove one real.
pub fn email(text: &str) -> Option<String> {
    const CHARS_MAX: usize = 254; // RFC 5321, 4.5.3.1.3
    let email = text.trim().to_lowercase();
    let (user, domain) = email.split_once('@')?;
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '@')
    };
    let dotted = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    (email.chars().count() <= CHARS_MAX && plain(user) && plain(domain) && dotted).then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_ignores_case_and_accents() {
        let check = |text, expected| assert_eq!(fold(text), expected);
        check("Alimentação", "alimentacao");
        check("PÃO DE AÇÚCAR", "pao de acucar");
        check("ＰＩＸ", "pix");
    }

    #[test]
    fn text_is_trimmed_bounded_and_free_of_control_characters() {
        let check = |text: &str, expected| assert_eq!(NAME.clean(text).map_err(|(code, _)| code), expected);
        check("  Nubank ", Ok("Nubank".to_owned()));
        check(" ", Err("required"));
        check(&"ã".repeat(80), Ok("ã".repeat(80)));
        check(&"ã".repeat(81), Err("too_long"));
        check("a\0b", Err("control_character"));
        check("a\nb", Err("control_character"));
        assert_eq!(NOTES.clean("a\nb").unwrap(), "a\nb");
    }

    #[test]
    fn emails_are_lowered_and_need_a_user_and_a_dotted_domain() {
        let check = |text, expected: Option<&str>| assert_eq!(email(text).as_deref(), expected, "{text}");
        check(" Ana@Exemplo.COM.br ", Some("ana@exemplo.com.br"));
        check("ana", None);
        check("ana@exemplo", None);
        check("a@b@c.d", None);
        check("@b.c", None);
        check("a b@c.d", None);
    }
}
