//! Folds a wording and takes out what must not be kept: numbers that identify people or accounts, dates,
//! times, instalments and codes. What is left are words.

use super::cnpj;
use crate::domain::text::fold;

/// Folded words with single spaces between them, and the payee's CNPJ if there is one.
///
/// Runs until nothing changes, so cleaning again changes nothing; it ends because every change shortens the text,
/// but for the first, which may lengthen it by splitting words.
pub(super) fn clean(text: &str) -> (String, Option<String>) {
    let (rest, cnpj) = cnpj::take(text);
    let folded = without_keys(&fold(&split_camel(&before_document(&rest))));
    let mut clean = words(&without_numbers(&without_dates(&folded)));
    loop {
        let again = words(&without_numbers(&clean));
        if again == clean {
            return (clean, cnpj);
        }
        clean = again;
    }
}

/// Cuts "Transferência enviada pelo Pix - NAME - ***.123.456-** - BANK Agência: 1 Conta: 2" after the name.
fn before_document(text: &str) -> String {
    let parts: Vec<&str> = text.split(" - ").collect();
    let document = |part: &&str| {
        let marks = part.chars().filter(|c| c.is_ascii_digit() || matches!(c, '*' | '•')).count();
        marks >= 6 && !part.chars().any(char::is_alphabetic)
    };
    match parts.iter().position(|part| document(part) || *part == cnpj::TAKEN) {
        Some(at) if at >= 2 => parts[..at].join(" - "),
        _ => text.to_owned(),
    }
}

/// `PAG*PadariaDonaBenta` becomes `PAG*Padaria Dona Benta`: card machines write names so.
fn split_camel(text: &str) -> String {
    let Some((before, after)) = text.split_once('*') else { return text.to_owned() };
    let mut split = format!("{before}*");
    // "iFood" is one word: its first letter is no word of its own.
    let (mut lower, mut capital) = (0, false);
    for c in after.chars() {
        if c.is_uppercase() {
            if lower >= 2 || (capital && lower == 1) {
                split.push(' ');
            }
            (lower, capital) = (0, true);
        } else {
            lower = if c.is_lowercase() { lower + 1 } else { 0 };
            capital &= lower > 0;
        }
        split.push(c);
    }
    split
}

/// Takes out Pix keys that are an e-mail address or a UUID, and the Pix's own number (`E18236120…`).
fn without_keys(text: &str) -> String {
    let is_uuid = |word: &str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let is_number = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.len() >= 20 && digits >= 8 && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_key = |word: &&str| word.contains('@') || is_uuid(word) || is_number(word);
    let words: Vec<&str> = text.split_whitespace().filter(|word| !is_key(word)).collect();
    words.join(" ")
}

/// Takes out "12/08", "12/08/2026", "6/10", even glued to a name as in "ROBERT05/11".
fn without_dates(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let digits = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let first = digits(at);
        let mut end = at + first;
        if (1..=2).contains(&first) && chars.get(end) == Some(&'/') && (1..=2).contains(&digits(end + 1)) {
            end += 1 + digits(end + 1);
            if chars.get(end) == Some(&'/') {
                end += 1 + digits(end + 1);
            }
            rest.push(' ');
        } else {
            end = end.max(at + 1);
            rest.extend(&chars[at..end]);
        }
        at = end;
    }
    rest
}

/// So many digits, single separators between them aside, are a number of somebody or something.
const NUMBER_DIGITS_MIN: usize = 7;

/// Takes out long numbers in whatever groups they are written, even glued to a name.
fn without_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| chars.get(at).is_some_and(|c| c.is_numeric());
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let mut end = at;
        let mut digits = 0;
        while is_digit(end) || (end > at && is_digit(end + 1) && !chars[end].is_alphabetic()) {
            digits += usize::from(is_digit(end));
            end += 1;
        }
        if digits >= NUMBER_DIGITS_MIN {
            rest.push(' ');
        } else {
            end = end.max(at + 1);
            rest.extend(&chars[at..end]);
        }
        at = end;
    }
    rest
}

fn words(folded: &str) -> String {
    let raw: Vec<&str> = folded
        .split(|c: char| !(c.is_alphanumeric() || c == '&'))
        .map(|word| word.trim_matches('&'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut words: Vec<String> = Vec::with_capacity(raw.len());
    for (at, word) in raw.iter().enumerate() {
        let next = raw.get(at + 1).copied().unwrap_or_default();
        let instalment = matches!(*word, "parc" | "parcela") && starts_with_digit(next);
        if instalment || (is_number(word) && !is_name(word, next)) {
            continue;
        }
        let word = without_code(word);
        if !word.is_empty() {
            words.push(if word == "ifd" { "ifood".to_owned() } else { word });
        }
    }
    words.join(" ")
}

fn starts_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_numeric())
}

fn is_number(word: &str) -> bool {
    word.chars().all(char::is_numeric)
}

/// The few numbers that are names.
fn is_name(number: &str, next: &str) -> bool {
    match number {
        "13" => next.starts_with("sal"),
        "24" => next == "horas",
        "99" => matches!(next, "app" | "pop" | "ride" | "taxi" | "food" | "tecnologia"),
        _ => false,
    }
}

/// Takes reference codes and long numbers out of a word that has letters too.
fn without_code(word: &str) -> String {
    let digits = word.chars().filter(|c| c.is_numeric()).count();
    let kinds: Vec<bool> = word.chars().map(char::is_numeric).collect();
    let switches = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if digits >= 6 || switches >= 3 {
        String::new()
    } else if digits >= 4 {
        word.chars().filter(|c| !c.is_numeric()).collect::<String>().trim_matches('&').to_owned()
    } else {
        word.to_owned()
    }
}
