//! Which account a statement is of: how it is recognised next time, and how it is called.

/// An account as its bank names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The bank: its number, else its name folded.
    pub bank: String,
    /// The account's number, letters and digits only; empty if the file does not say.
    pub number: String,
    /// For people; the number is masked.
    pub label: String,
}

/// Banks by their number at the Central Bank.
const BANKS: [(&str, &str); 17] = [
    ("1", "Banco do Brasil"),
    ("33", "Santander"),
    ("41", "Banrisul"),
    ("70", "BRB"),
    ("77", "Inter"),
    ("104", "Caixa"),
    ("208", "BTG Pactual"),
    ("212", "Banco Original"),
    ("237", "Bradesco"),
    ("260", "Nubank"),
    ("290", "PagBank"),
    ("323", "Mercado Pago"),
    ("336", "C6 Bank"),
    ("341", "Itaú"),
    ("380", "PicPay"),
    ("748", "Sicredi"),
    ("756", "Sicoob"),
];

/// Digits of an account number that are shown.
const SHOWN: usize = 4;

/// The longest bank or account we remember; real ones have at most 20 characters.
const CHARS_MAX: usize = 64;

impl Source {
    pub(super) fn of_ofx(name: &str, bank_id: &str, branch: &str, number: &str, is_card: bool) -> Self {
        let bank = plain(if bank_id.trim().is_empty() { name } else { bank_id });
        let known = BANKS.iter().find(|(id, _)| *id == bank).map(|(_, name)| (*name).to_owned());
        let name = super::clean(name);
        let called = known.unwrap_or_else(|| match name.is_empty() {
            true if bank.is_empty() => "Banco".to_owned(),
            true => format!("Banco {bank}"),
            false => name,
        });
        let number = plain(number);
        let label = label(&called, is_card, &number);
        // Cards and accounts of one bank may have one number; so may accounts of two branches.
        let branch = plain(branch);
        let prefix = if is_card { "cartao" } else { branch.as_str() };
        let bank = if prefix.is_empty() { bank } else { format!("{bank}/{prefix}") };
        Self { bank: cut(bank), number: cut(number), label }
    }

    pub(super) fn of_csv(bank: &str, called: &str, number: &str) -> Self {
        let number = plain(number);
        Self { bank: bank.to_owned(), label: label(called, false, &number), number: cut(number) }
    }
}

fn label(bank: &str, is_card: bool, number: &str) -> String {
    let what = if is_card { format!("{bank}, cartão") } else { bank.to_owned() };
    let digits = number.chars().count();
    if number.is_empty() {
        return what;
    }
    // Of a short number less is shown, so that some of it always stays hidden.
    let shown: String = number.chars().skip(digits - SHOWN.min(digits / 2)).collect();
    format!("{what} •••{shown}")
}

/// Letters and digits only, in lower case, without zeros in front: `0341`, ` 341 ` and `341` are one bank.
fn plain(text: &str) -> String {
    let folded = crate::domain::text::fold(text);
    let kept: String = folded.chars().filter(char::is_ascii_alphanumeric).collect();
    kept.trim_start_matches('0').to_owned()
}

fn cut(mut text: String) -> String {
    text.truncate(CHARS_MAX); // ASCII only
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_recognised_however_it_is_padded_and_shown_masked() {
        let check = |bank: &str, branch, number, is_card, expected: (&str, &str, &str)| {
            let found = Source::of_ofx("", bank, branch, number, is_card);
            assert_eq!((found.bank.as_str(), found.number.as_str(), found.label.as_str()), expected);
        };
        check("0341", "", "0012-34567-8", false, ("341", "12345678", "Itaú •••5678"));
        check(" 341", "", "12345678", false, ("341", "12345678", "Itaú •••5678"));
        check("001", "1234-5", "98765", false, ("1/12345", "98765", "Banco do Brasil •••65"));
        check("260", "", "550e8400-e29b", true, ("260/cartao", "550e8400e29b", "Nubank, cartão •••e29b"));
        check("999", "", "1", false, ("999", "1", "Banco 999 •••"));
        check("", "", "", false, ("", "", "Banco"));
        assert_eq!(Source::of_ofx("Cooperativa X", "", "", "12", false).label, "Cooperativa X •••2");
    }
}
