//! Company numbers, in the old form and with letters (IN RFB 2.229/2024).

/// What stands where one was taken out.
pub(super) const TAKEN: &str = "/";

const LENGTH: usize = 14;

/// Takes the first valid CNPJ out of a text.
pub(super) fn take(text: &str) -> (String, Option<String>) {
    for (start, _) in text.char_indices().filter(|(at, c)| c.is_ascii_alphanumeric() && starts(text, *at)) {
        if let Some((end, cnpj)) = read(&text[start..])
            && is_valid(&cnpj)
        {
            return (format!("{}{TAKEN}{}", &text[..start], &text[start + end..]), Some(cnpj));
        }
    }
    (text.to_owned(), None)
}

/// Tells whether nothing before `at` belongs to the same word.
fn starts(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|c: char| c.is_alphanumeric())
}

/// Reads 14 letters and digits, bare or as `12.ABC.345/01DE-35`; returns also where it ends.
fn read(text: &str) -> Option<(usize, String)> {
    let mut cnpj = String::with_capacity(LENGTH);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let separator = matches!((c, cnpj.len()), ('.', 2 | 5) | ('/', 8) | ('-', 12));
        if c.is_ascii_alphanumeric() && cnpj.len() < LENGTH {
            cnpj.push(c.to_ascii_uppercase());
        } else if !separator {
            // The word goes on: it is something longer.
            if c.is_alphanumeric() {
                return None;
            }
            break;
        }
        end = at + c.len_utf8();
    }
    (cnpj.len() == LENGTH).then_some((end, cnpj))
}

/// Weights 2 to 9 from the right, twelve and then thirteen of them; a character counts as its ASCII code less 48.
fn is_valid(cnpj: &str) -> bool {
    let values: Vec<u32> = cnpj.bytes().map(|byte| u32::from(byte) - 48).collect();
    let digit = |length: usize| {
        let sum: u32 =
            values[..length].iter().rev().zip((2..=9).cycle()).map(|(value, weight)| value * weight).sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let same = values.windows(2).all(|pair| pair[0] == pair[1]);
    !same && values[12] == digit(12) && values[13] == digit(13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_numbers_are_taken() {
        let check = |text, expected: Option<&str>| assert_eq!(take(text).1.as_deref(), expected, "{text}");
        // The examples the tax office publishes.
        check("PIX 12.ABC.345/01DE-35 X", Some("12ABC34501DE35"));
        check("pix 12abc34501de35", Some("12ABC34501DE35"));
        check("LOJA - 11.222.333/0001-81 - BANCO", Some("11222333000181"));
        check("LOJA 11222333000181", Some("11222333000181"));
        check("LOJA 11222333000182", None);
        check("LOJA 112223330001810", None);
        check("00.000.000/0000-00", None);
        check("11.222.333/0001-8", None);
        check("É 1", None);
    }
}
