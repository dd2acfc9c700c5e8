//! Laws: what we print is read back; nothing whatsoever panics.

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Movement {
    date: Date,
    cents: i64,
    text: String,
    id: String,
}

prop_compose! {
    fn movement()(
        days in 0i32..2_000,
        cents in prop_oneof![-1_000_000_000_000i64..=-1, 1i64..=1_000_000_000_000],
        // Starts with a letter, so that it is neither empty nor a SALDO row nor a number.
        text in "[A-RT-Z][A-Za-zÀ-ÿ0-9 &<>/.*'-]{0,40}[a-z]",
        id in "[A-Z0-9-]{1,20}",
    ) -> Movement {
        let date = jiff::civil::date(2022, 1, 1).saturating_add(days.days());
        Movement { date, cents, text, id }
    }
}

fn point(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

fn sgml(list: &[Movement]) -> String {
    let row = |it: &Movement| {
        let (day, text) = (it.date.strftime("%Y%m%d"), it.text.replace('&', "&amp;").replace('<', "&lt;"));
        let (cents, id) = (point(it.cents), &it.id);
        format!(
            "<STMTTRN>\n<TRNTYPE>OTHER\n<DTPOSTED>{day}120000[-3:BRT]\n<TRNAMT>{cents}\n<FITID>{id}\n<MEMO>{text}\n</STMTTRN>\n"
        )
    };
    let rows: String = list.iter().map(row).collect();
    format!(
        "OFXHEADER:100\n\n<OFX>\n<STMTRS>\n<BANKACCTFROM>\n<ACCTID>1\n</BANKACCTFROM>\n<BANKTRANLIST>\n{rows}</BANKTRANLIST>\n</STMTRS>\n</OFX>\n"
    )
}

fn xml(list: &[Movement]) -> String {
    let row = |it: &Movement| {
        let (day, cents, id, text) = (it.date.strftime("%Y%m%d"), point(it.cents), &it.id, &it.text);
        format!(
            "<STMTTRN><DTPOSTED>{day}</DTPOSTED><TRNAMT>{cents}</TRNAMT><FITID>{id}</FITID><MEMO><![CDATA[{text}]]></MEMO></STMTTRN>"
        )
    };
    let rows: String = list.iter().map(row).collect();
    format!("<?xml version=\"1.0\"?><OFX><STMTRS><BANKTRANLIST>{rows}</BANKTRANLIST></STMTRS></OFX>")
}

fn nubank(list: &[Movement]) -> String {
    let row = |it: &Movement| {
        format!("{},{},{},\"{}\"\n", it.date.strftime("%d/%m/%Y"), point(it.cents), it.id, it.text)
    };
    "Data,Valor,Identificador,Descrição\n".to_owned() + &list.iter().map(row).collect::<String>()
}

fn inter(list: &[Movement]) -> String {
    let mut balance = 0;
    let mut row = |it: &Movement| {
        balance += it.cents;
        let (cents, balance) = (amount::format(it.cents), amount::format(balance));
        format!("{};{};;{cents};{balance}\n", it.date.strftime("%d/%m/%Y"), it.text)
    };
    "Conta ;123\n\nData Lançamento;Histórico;Descrição;Valor;Saldo\n".to_owned()
        + &list.iter().map(&mut row).collect::<String>()
}

fn bradesco(list: &[Movement]) -> String {
    let row = |it: &Movement| {
        let cents = amount::format(it.cents);
        let columns = if it.cents > 0 { format!("{cents};") } else { format!(";{cents}") };
        format!("{};{};1;{columns};;\n", it.date.strftime("%d/%m/%y"), it.text)
    };
    "Data;Histórico;Docto.;Crédito (R$);Débito (R$);Saldo (R$);\n".to_owned()
        + &list.iter().map(row).collect::<String>()
}

fn facts(bytes: &[u8]) -> Vec<(Date, i64, String)> {
    match read(bytes, &Hints::default()) {
        Ok(Reading::Statements { statements, .. }) => {
            let rows = statements.into_iter().flat_map(|it| {
                assert_eq!(it.warnings, Vec::<String>::new());
                it.rows
            });
            rows.map(|it| (it.date.unwrap(), it.amount_cents.unwrap(), it.description)).collect()
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back(list in prop::collection::vec(movement(), 1..20)) {
        let expected: Vec<_> = list.iter().map(|it| (it.date, it.cents, clean(&it.text))).collect();
        for print in [sgml, xml, nubank, inter, bradesco] {
            let text = print(&list);
            prop_assert_eq!(&facts(text.as_bytes()), &expected, "{}", text);
            let (windows, _, lossy) = encoding_rs::WINDOWS_1252.encode(&text);
            prop_assert!(!lossy);
            prop_assert_eq!(&facts(&windows), &expected);
        }
    }

    #[test]
    fn reading_again_names_every_row_the_same(list in prop::collection::vec(movement(), 1..20), extra in movement()) {
        let names = |list: &[Movement]| match read(sgml(list).as_bytes(), &Hints::default()) {
            Ok(Reading::Statements { statements, .. }) => identity::of_rows(uuid::Uuid::nil(), &statements[0].rows),
            other => panic!("{other:?}"),
        };
        let twice: Vec<_> = list.iter().chain(&list).cloned().collect();
        let (once, twice) = (names(&list), names(&twice));
        prop_assert_eq!(&twice[..list.len()], &once[..]);
        let distinct: std::collections::HashSet<_> = twice.iter().collect();
        prop_assert_eq!(distinct.len(), twice.len(), "equal rows keep names of their own");
        let mut more = list.clone();
        more.push(extra);
        prop_assert_eq!(&names(&more)[..list.len()], &once[..]);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&bytes, &Hints::default());
    }

    #[test]
    fn broken_samples_never_panic(
        which in 0usize..16, cut in any::<prop::sample::Index>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut names: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/statements"))
            .unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let mut bytes = sample(&names[which % names.len()]);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let whole = read(&bytes, &Hints::default());
        if let Ok(Reading::Statements { statements, .. }) = whole {
            for it in &statements {
                identity::of_rows(uuid::Uuid::nil(), &it.rows);
            }
        }
        bytes.truncate(cut.index(bytes.len()));
        let _ = read(&bytes, &Hints::default());
    }
}
