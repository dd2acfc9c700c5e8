//! For spreadsheets as Brazil sets them: UTF-8 with a mark, semicolons, a comma before the centavos.

use super::super::transaction::Kind;
use super::Line;

/// Without it spreadsheet programs take UTF-8 for Latin-1.
const MARK: &str = "\u{feff}";

pub(super) fn render(lines: &[Line]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(MARK.as_bytes().to_vec());
    let header = ["data", "conta", "descrição", "tipo", "categoria", "valor", "moeda", "etiquetas"];
    writer.write_record(header).expect("a Vec takes everything");
    for line in lines {
        let record = [
            line.date.to_string(),
            plain(&line.account),
            plain(&line.description),
            kind(line).to_owned(),
            plain(line.category.as_deref().unwrap_or_default()),
            decimal(line.amount_cents),
            line.currency.as_str().to_owned(),
            plain(&line.tags.join(", ")),
        ];
        writer.write_record(record).expect("a Vec takes everything");
    }
    writer.into_inner().expect("a Vec takes everything")
}

fn kind(line: &Line) -> &'static str {
    match (line.kind, line.amount_cents < 0) {
        (Kind::Transfer, _) => "transferência",
        (Kind::Normal, true) => "saída",
        (Kind::Normal, false) => "entrada",
    }
}

/// Text no spreadsheet takes for a formula (OWASP, CSV injection).
fn plain(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{},{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn text_is_quoted_and_never_a_formula() {
        let line = Line {
            date: jiff::civil::date(2026, 11, 3),
            account: "Conta; corrente".to_owned(),
            description: "=HYPERLINK(\"x\")".to_owned(),
            category: Some("Moradia > Energia".to_owned()),
            amount_cents: -123_405,
            currency: Currency::Brl,
            kind: Kind::Normal,
            tags: vec!["casa".to_owned(), "fixo".to_owned()],
        };
        let text = String::from_utf8(render(&[line])).unwrap();
        let expected = "\u{feff}data;conta;descrição;tipo;categoria;valor;moeda;etiquetas\r\n\
            2026-11-03;\"Conta; corrente\";\"'=HYPERLINK(\"\"x\"\")\";saída;Moradia > Energia;-1234,05;BRL;\"casa, fixo\"\r\n";
        // The writer quotes what holds a semicolon or a quote; the list of tags holds neither.
        assert_eq!(text, expected.replace("\"casa, fixo\"", "casa, fixo"));
    }
}
