use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(description: &str, text: &str, payee: &str, shape: Shape) {
    let read = Descriptor::read(description, -100);
    assert_eq!((read.text.as_str(), read.payee.as_str(), read.shape), (text, payee, shape), "{description}");
}

#[test]
fn card_machines_put_their_mark_before_the_merchant() {
    let check =
        |description, payee| assert_eq!(Descriptor::read(description, -1).payee, payee, "{description}");
    check("PAG*PadariaDoBairro", "padaria do bairro");
    check("PG *BISTRO DA SERRA", "bistro da serra");
    check("MP*CANTINHODOACAI", "cantinhodoacai");
    check("DM*LOJA EXEMPLO", "loja exemplo");
    check("HUB*CURSO", "curso");
    check("VINDI *ASSINATURA X", "assinatura x");
    check("ZP*BOX SETE", "box sete");
    check("ACQ*LAVANDERIA", "lavanderia");
    check("PAYGO*SALAO", "salao");
    check("RSHOP-PAO QUENTE-12/10", "pao quente");
    check("MERCADOLIVRE*3PRODUTOS", "mercado livre");
    check("UBER *TRIP HELP.UBER.COM", "uber");
    check("UBER *EATS", "uber eats");
    check("DL*99 RIDE", "99app");
    check("IFOOD *QUALQUER LOJA", "ifood");
    check("NETFLIX.COM", "netflix");
}

#[test]
fn instalments_dates_stores_and_places_are_not_part_of_the_payee() {
    let check =
        |description, payee| assert_eq!(Descriptor::read(description, -1).payee, payee, "{description}");
    check("LOJA DE MOVEIS 6/10", "loja de moveis");
    check("PARC 03/10 LOJA DE MOVEIS 1023 CAMPINAS BRA", "loja de moveis");
    check("LOJA DE MOVEIS PARCELA 3 de 10", "loja de moveis de");
    check("DROGARIA SAO PAULO FL 221", "drogaria sao paulo");
    check("PIX QRS JOSE ROBERT05/11", "jose robert");
    check("MERCADO CENTRAL LTDA ME", "mercado central");
    check("C&A MODAS", "c&a modas");
    check("13 SALARIO 2A PARCELA", "13 salario 2a parcela");
    check("SPOTIFY P2A5B1C", "spotify");
    check("123MILHAS", "123milhas");
}

#[test]
fn shapes_of_the_banks() {
    check(
        "Transferência enviada pelo Pix - FULANA DE TAL - •••.123.456-•• - BANCO X (0260) Agência: 1 Conta: 22-3",
        "transferencia enviada pelo pix fulana de tal",
        "fulana de tal",
        Shape::Pix,
    );
    check("Pix - Enviado - 14/09 09:12 BELTRANO", "pix enviado beltrano", "beltrano", Shape::Pix);
    check(
        "Pagamento de boleto efetuado - CONDOMÍNIO AZUL",
        "pagamento de boleto efetuado condominio azul",
        "condominio azul",
        Shape::Boleto,
    );
    check("DEB AUT ÁGUA", "deb aut agua", "agua", Shape::DirectDebit);
    check("TED ENVIADA", "ted enviada", "", Shape::Transfer);
    check("PIX ENVIADO", "pix enviado", "", Shape::Pix);
    check("ESTORNO COMPRA LOJA AZUL", "estorno compra loja azul", "estorno compra loja azul", Shape::Refund);
    check(
        "Tarifa Pacote de Serviços",
        "tarifa pacote de servicos",
        "tarifa pacote de servicos",
        Shape::Purchase,
    );
    check("Liquidação B3 * 12/11/2026", "liquidacao b3", "liquidacao b3", Shape::Purchase);
}

#[test]
fn the_cnpj_is_kept_and_people_are_not() {
    let read = |text| Descriptor::read(text, -100);
    let company =
        read("Transferência enviada pelo Pix - LOJA AZUL - 11.222.333/0001-81 - BANCO Agência: 1 Conta: 9");
    assert_eq!(company.cnpj.as_deref(), Some("11222333000181"));
    assert_eq!(company.payee, "loja azul");
    let check = |text, expected| assert_eq!(read(text).text, expected, "{text}");
    check("PIX ENVIADO 019.345.678-90 TEREZA", "pix enviado tereza");
    check("PIX 01934567890 TEREZA", "pix tereza");
    check("PIX ***.345.678-** TEREZA", "pix tereza");
    check("PIX +55 11 91234-5678 TEREZA", "pix tereza");
    check("PIX tereza@exemplo.com.br TEREZA", "pix tereza");
    check("PIX 123e4567-e89b-12d3-a456-426614174000 TEREZA", "pix tereza");
    check("PIX E18236120202611211234s1234567abc TEREZA", "pix tereza");
    check("COMPRA CARTAO 4111 1111 1111 1111 LOJA", "compra cartao loja");
}

proptest! {
    #[test]
    fn reading_twice_changes_nothing(text in descriptions()) {
        let once = Descriptor::read(&text, -1);
        let again = Descriptor::read(&once.text, -1);
        prop_assert_eq!(&once.text, &again.text);
        prop_assert_eq!(&once.payee, &again.payee);
        prop_assert_eq!(&once.payee, &Descriptor::read(&once.payee, -1).payee);
    }

    #[test]
    fn no_number_of_a_person_survives(
        before in "[A-Z *-]{0,12}", number in "[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}[- /]?[0-9]{2}", after in "[A-Z .-]{0,12}",
    ) {
        let read = Descriptor::read(&format!("{before}{number}{after}"), -1);
        for text in [&read.text, &read.payee] {
            let digits = text.split(|c: char| c.is_alphabetic()).map(|it| it.chars().filter(char::is_ascii_digit).count());
            prop_assert!(digits.max().unwrap_or(0) <= 3, "{}", text);
        }
    }
}

/// Anything, and what looks like a descriptor.
fn descriptions() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9*&./ -]{0,40}",
        "(PIX|PAG\\*|MP\\*|IFD\\*|COMPRA|PARC 1/2|99|13|24|UBER|TED|a|de|br) ?(SAL|APP|[A-Z]{1,6}|[0-9]{1,3})? (SP|BRA|LTDA|SAO PAULO|S A|[0-9]{2}/[0-9]{2})",
    ]
}
