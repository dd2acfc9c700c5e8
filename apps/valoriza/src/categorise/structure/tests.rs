use super::*;

fn of(description: &str, cents: i64) -> Option<Structure> {
    let people = [vec!["ana".to_owned(), "souza".to_owned(), "ribeiro".to_owned()]];
    Structure::of(&Descriptor::read(description, cents), &people)
}

#[test]
fn the_wording_of_the_bank_gives_the_category() {
    let check = |description, cents, expected: Option<&str>| {
        let category = match of(description, cents) {
            Some(Structure::Means { category, .. }) => Some(category.name()),
            _ => None,
        };
        assert_eq!(category, expected, "{description}");
    };
    check("TARIFA PACOTE SERVICOS", -1, Some("Tarifas bancárias"));
    check("Tarifa Pacote de Serviços", 1, None); // the same words, but money came in
    check("CREDITO SALARIO EMPRESA", 1, Some("Salário"));
    check("13 SALARIO", 1, Some("13º salário"));
    check("RESTITUICAO IR 2026", 1, Some("Restituição do IR"));
    check("DEVOLUCAO COMPRA", 1, Some("Reembolsos"));
    check("DIVIDENDOS XPTO3", 1, Some("Dividendos"));
    check("RENDIMENTO POUPANCA", 1, Some("Juros"));
    check("DARF 0190 IRPF", -1, Some("Imposto de renda"));
    check("DAS MEI 11/2026", -1, Some("Impostos e taxas"));
    check("IOF COMPRA EXTERIOR", -1, Some("Juros e multas"));
    check("PADARIA", -1, None);
}

#[test]
fn own_transfers_card_bills_people_and_cash_are_told_apart() {
    let check = |description, cents, expected| assert_eq!(of(description, cents), expected, "{description}");
    check("TRANSFERENCIA ENTRE CONTAS", -1, Some(Structure::OwnTransfer));
    check("PIX ENVIADO ANA S RIBEIRO", -1, Some(Structure::OwnTransfer));
    check("PIX RECEBIDO ANA SOUZA RIBE", 1, Some(Structure::OwnTransfer)); // cut short
    check("COMPRA ANA RIBEIRO", -1, None); // a shop of that name
    check("PIX ENVIADO ANA PEREIRA", -1, Some(Structure::Person));
    check("PIX ENVIADO ANA DROGARIA", -1, None);
    check("PGTO FATURA CARTAO VISA", -1, Some(Structure::CardBill));
    check("PAGAMENTO FATURA TELEFONICA", -1, None);
    check("PAGAMENTO RECEBIDO", 1, Some(Structure::CardBill));
    check("SAQUE 24H", -1, Some(Structure::Cash));
}
