use super::super::csv::Sample;
use super::*;

#[track_caller]
fn check(name: &str, profile: Profile, expected: &[&str]) {
    let (found, statements) = read_sample(name);
    assert_eq!(found, profile, "{name}");
    let shown: Vec<String> = statements.iter().map(show).collect();
    assert_eq!(shown, expected, "{name}\n{}", shown.join("\n"));
}

#[test]
fn ofx_of_each_bank_is_read() {
    check(
        "bb.ofx",
        Profile::Ofx,
        &["\
1/12345 98765x (Banco do Brasil •••65x) 2026-11-01..2026-11-20 1.000,00
2026-11-05 3.500,00 Recebimento de Proventos
2026-11-06 -45,90 Compra com Cartão - PADARIA PÃO & CIA
2026-11-06 -45,90 Compra com Cartão - PADARIA PÃO & CIA
2026-11-06 -120,00 Pix - Enviado - 06/11 14:02 JOÃO DA SILVA
2026-11-10 -89,99 Pagamento de Boleto - CONTA DE LUZ ELETRICIDADE S/A
2026-11-12 -32,50 Tarifa Pacote de Serviços
2026-11-20 0,00 Saldo do dia ! o valor é zero
"],
    );
    check(
        "bradesco.ofx",
        Profile::Ofx,
        &["\
237 123400567890 (Bradesco •••7890) 2026-11-01..2026-11-15 -
2026-11-03 1.250,00 TRANSF PGTO PIX REM: MARIA SOUZA
2026-11-04 -73,45 COMPRA ELO DEBITO VISTA SUPERMERCADO D&D
2026-11-15 -12,05 TARIFA BANCARIA CESTA B.EXPRESSO
"],
    );
    check(
        "itau.ofx",
        Profile::Ofx,
        &["\
341 1234567890 (Itaú •••7890) 2026-11-01..2026-11-10 500,00
2026-11-03 -58,20 RSHOP-FARMACIA -03/11
2026-11-05 200,00 PIX TRANSF ANA 05/11
2026-11-10 -19,90 INT PAG TIT BANCO 033
"],
    );
    check("nubank_cartao.ofx", Profile::Ofx, &["\
nupagamentossa/cartao 550e8400e29b41d4a716446655440000 (NU PAGAMENTOS S.A., cartão •••0000) 2026-11-01..2026-11-30 -
2026-11-02 -39,90 Streaming Música
2026-11-08 -150,00 Loja Tênis - Parcela 2/10
2026-11-10 812,33 Pagamento recebido
"]);
    check(
        "inter.ofx",
        Profile::Ofx,
        &["\
77/19 12345678 (Inter •••5678) 2026-11-01..2026-11-10 100,00
2026-11-02 -210,00 PIX ENVIADO - Cp :00000000-João & Filhos
2026-11-05 1.000,00 PIX RECEBIDO - Empresa <X> & Cia
"],
    );
    check(
        "caixa.ofx",
        Profile::Ofx,
        &["\
104 123013000045678 (Caixa •••5678) 2026-11-01..2026-11-04 -
2026-11-01 10,55 CRED JUROS
2026-11-04 -300,00 SAQUE ATM
? Os valores vieram sem sinal: entradas e saídas foram deduzidas do tipo de cada lançamento.
"],
    );
    check(
        "varias_contas.ofx",
        Profile::Ofx,
        &[
            "748 111222 (Sicredi •••222) 2026-11-01..2026-11-30 -\n2026-11-05 500,00 PIX RECEBIDO\n2026-11-06 -20,00 COMPRA NACIONAL\n",
            "748 333444 (Sicredi •••444) 2026-11-01..2026-11-30 -\n2026-11-05 10,00 RENDIMENTOS\n",
            "sicredi/cartao 5555666677778888 (Sicredi, cartão •••8888) 2026-11-01..2026-11-30 -\n2026-11-07 -75,10 POSTO IPIRANGA\n",
        ],
    );
}

#[test]
fn csv_of_each_bank_is_read() {
    check(
        "nubank_conta.csv",
        Profile::NubankAccount,
        &["\
nubank_account  (Nubank) 2026-11-01..2026-11-10 -
2026-11-01 2.500,00 Transferência recebida pelo Pix - EMPRESA LTDA - 12.345.678/0001-90
2026-11-03 -25,00 Compra no débito - PADARIA REAL
2026-11-03 -25,00 Compra no débito - PADARIA REAL
2026-11-10 -812,33 Pagamento de fatura
"],
    );
    check(
        "nubank_cartao.csv",
        Profile::NubankCard,
        &["\
nubank_card  (Nubank, cartão) 2026-11-02..2026-11-10 -
2026-11-02 -39,90 Streaming Música
2026-11-08 -150,00 Loja Tênis, unidade 2 - Parcela 2/10
2026-11-08 -7,50 Café
2026-11-08 -7,50 Café
2026-11-10 812,33 Pagamento recebido
"],
    );
    check(
        "nubank_cartao_categoria.csv",
        Profile::NubankCard,
        &["\
nubank_card  (Nubank, cartão) 2026-11-02..2026-11-03 -
2026-11-02 -39,90 Streaming Música
2026-11-03 -64,00 Bar do Zé
"],
    );
}

#[test]
fn csv_with_lines_before_the_header_is_read() {
    check(
        "inter.csv",
        Profile::Inter,
        &["\
inter 12345678 (Inter •••5678) 2026-11-01..2026-11-10 1.100,00
2026-11-10 -258,00 Pix enviado - João da Silva
2026-11-05 1.000,00 Pix recebido - Empresa Ltda
2026-11-03 -10,00 Tarifa mensal
2026-11-01 -90,00 Compra no débito - Mercado Bom Preço
"],
    );
    check(
        "itau.csv",
        Profile::Itau,
        &["\
itau 123456 (Itaú •••456) 2026-11-03..2026-11-10 500,00
2026-11-03 -58,20 RSHOP-FARMÁCIA -03/11
2026-11-05 200,00 PIX TRANSF ANA 05/11
2026-11-10 -19,90 INT PAG TIT BANCO 033
"],
    );
    check(
        "itau.txt",
        Profile::Itau,
        &["\
itau  (Itaú) 2026-11-03..2026-11-10 -
2026-11-03 -58,20 RSHOP-FARMACIA -03/11
2026-11-05 200,00 PIX TRANSF ANA 05/11
2026-11-10 -1.019,90 INT PAG TIT BANCO 033
"],
    );
    check(
        "bradesco.csv",
        Profile::Bradesco,
        &["\
bradesco 567890 (Bradesco •••890) 2026-11-03..2026-11-15 100,00
2026-11-03 1.250,00 TRANSF PGTO PIX REM: MARIA SOUZA 03/11
2026-11-04 -73,45 COMPRA ELO DÉBITO VISTA
2026-11-15 -12,05 TARIFA BANCÁRIA
"],
    );
}

#[test]
fn an_unknown_table_is_shown_and_read_as_its_user_says() {
    let bytes = sample("desconhecido.csv");
    let Ok(Reading::Unknown(Sample { delimiter, columns, rows })) = read(&bytes, &Hints::default()) else {
        panic!("nobody knows this bank");
    };
    assert_eq!((delimiter, columns.join("|")), ('\t', "Dia|O que foi|Entrou|Saiu".to_owned()));
    assert_eq!(rows.len(), 4);
    let mapping = Mapping {
        delimiter: '\t',
        header_rows: 2,
        date_column: 0,
        description_column: 1,
        amount: AmountColumns::Two { credit: 2, debit: 3 },
        order: Order::YearMonthDay,
        decimal: Decimal::Comma,
        negate: false,
    };
    let read_with = |hints: &Hints<'_>| match read(&bytes, hints) {
        Ok(Reading::Statements { profile: Profile::Mapped, mut statements }) => statements.remove(0),
        other => panic!("{other:?}"),
    };
    let explained = read_with(&Hints { mapping: Some(&mapping), ..Hints::default() });
    let rows: Vec<_> = explained.rows.iter().map(|it| (it.amount_cents, it.description.as_str())).collect();
    assert_eq!(rows, [(Some(1_000), "Venda de pão"), (Some(-450), "Compra de farinha")]);
    // The next file of the same shape explains itself.
    let known = HashMap::from([(explained.source.number.clone(), mapping)]);
    assert_eq!(read_with(&Hints { known_mappings: Some(&known), ..Hints::default() }), explained);
}

#[test]
fn one_name_for_several_movements_loses_none() {
    let (_, statements) = read_sample("bb.ofx");
    let ids: Vec<_> = statements[0].rows.iter().filter_map(|row| row.bank_id.as_deref()).collect();
    assert_eq!(ids.iter().filter(|id| **id == "20261106100000").count(), 3);
    let names = identity::of_rows(uuid::Uuid::nil(), &statements[0].rows);
    let distinct: std::collections::HashSet<_> = names.iter().flatten().collect();
    assert_eq!(distinct.len(), 6, "every movement has a name of its own; the zero has none");
}

#[test]
fn hostile_files_are_refused_with_a_reason_and_a_line() {
    let check = |bytes: &[u8], code: &str, line: Option<u64>| {
        let failure = read(bytes, &Hints::default()).expect_err(code);
        assert_eq!((failure.code, failure.line), (code, line), "{failure}");
    };
    check(&vec![b'a'; FILE_BYTES_MAX + 1], "file_too_large", None);
    check(b"", "empty_file", None);
    check(b"PK\x03\x04\x14", "not_text", None);
    check(b"prosa sem tabela", "not_a_statement", None);
    check(b"<html><body>Entre de novo</body></html>", "not_a_statement", None);
    check(b"OFXHEADER:100\n\n<OFX></OFX>", "no_statement", None);
    let cut = sample("bb.ofx");
    check(&cut[..cut.len() / 2], "truncated", Some(59));
    check("<OFX>".repeat(100).as_bytes(), "too_deep", Some(1));
    check(
        format!("<OFX><STMTRS>{}", "<STMTTRN>\n".repeat(ROWS_MAX + 1)).as_bytes(),
        "too_many_rows",
        Some(50_001),
    );
    check(format!("<OFX>\n<MEMO>{}", "a".repeat(20_000)).as_bytes(), "field_too_long", Some(2));
    check(
        format!("<OFX>{}", "<STMTRS></STMTRS>".repeat(STATEMENTS_MAX + 1)).as_bytes(),
        "too_many_statements",
        Some(1),
    );
    check(b"date,title,amount\n2026-11-01,\"cafe,1.00\n2026-11-02,x,2\n", "truncated", Some(2));
    check("01/11/2026;a;1,00\n".repeat(ROWS_MAX + 100).as_bytes(), "too_many_rows", Some(50_041));
}

#[test]
fn an_xml_bomb_stays_as_small_as_it_was_sent() {
    let (_, statements) = read_sample("bomba.ofx");
    assert_eq!(statements[0].rows[0].description, "&c;&d;");
}

#[test]
fn every_reason_to_refuse_a_file_is_in_the_user_page() {
    let page = include_str!("../../../../../docs/imports.md");
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/statement"))];
    let mut code = include_str!("../../statement.rs").to_owned();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.extend(Some(path).filter(|it| !it.ends_with("tests")));
            } else {
                code += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let uses =
        ["Failure::new(", "Self::new("].map(|call| code.split(call).skip(1).collect::<Vec<_>>()).concat();
    let codes = uses.iter().filter_map(|it| it.trim_start().strip_prefix('"')?.split('"').next());
    let codes: std::collections::BTreeSet<_> = codes.collect();
    assert!(codes.len() > 10, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|it| !page.contains(&format!("`{it}`"))).collect();
    assert!(missing.is_empty(), "describe in docs/imports.md: {missing:?}");
}
