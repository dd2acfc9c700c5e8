//! How bank statements word things. All merchants and people are invented.

use fastrand::Rng;

/// A kind of purchase.
#[derive(Debug)]
pub(super) struct Purchase {
    /// Default category it belongs to.
    pub category: &'static str,
    pub merchants: &'static [&'static str],
    /// Smallest and largest amount.
    pub cents: (i64, i64),
    /// How often, compared with the others.
    pub weight: u32,
    pub paid: Paid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paid {
    Card,
    Debit,
    Pix,
}

const fn bought(
    category: &'static str,
    weight: u32,
    cents: (i64, i64),
    paid: Paid,
    merchants: &'static [&'static str],
) -> Purchase {
    Purchase { category, merchants, cents, weight, paid }
}

pub(super) const PURCHASES: &[Purchase] = &[
    bought(
        "Supermercado",
        20,
        (3_500, 48_000),
        Paid::Card,
        &["SUPERM BOA COMPRA", "MERCADO SAO JOSE", "ATACADO CENTRAL", "HIPER VILA NOVA"],
    ),
    bought(
        "Padaria",
        14,
        (600, 4_500),
        Paid::Debit,
        &["PANIF PAO DOURADO", "PADARIA ESTRELA", "CONFEITARIA DO LARGO"],
    ),
    bought(
        "Restaurantes",
        11,
        (2_200, 16_000),
        Paid::Card,
        &["REST SABOR MINEIRO", "CANTINA DA PRACA", "CHURRASC FOGO ALTO", "LANCHONETE DA ESQUINA"],
    ),
    bought(
        "Delivery",
        10,
        (2_500, 11_000),
        Paid::Card,
        &["APP*COMIDA JA", "APP*PIZZA EXPRESSA", "APP*MARMITA FIT"],
    ),
    bought(
        "Feira",
        5,
        (1_500, 9_000),
        Paid::Pix,
        &["HORTIFRUTI DO ZE", "BANCA DA MARIA", "FEIRA LIVRE BARRACA 12"],
    ),
    bought(
        "Combustível",
        7,
        (8_000, 32_000),
        Paid::Card,
        &["AUTO POSTO AVENIDA", "POSTO TRES IRMAOS", "POSTO RODOVIA KM 8"],
    ),
    bought("Aplicativos", 9, (800, 5_500), Paid::Card, &["APP*CORRIDA URBANA", "APP*VOU DE CARRO"]),
    bought(
        "Transporte público",
        5,
        (1_000, 10_000),
        Paid::Debit,
        &["BILHETE RECARGA METRO", "RECARGA CARTAO ONIBUS"],
    ),
    bought("Estacionamento e pedágio", 4, (700, 4_000), Paid::Card, &["ESTAC CENTRO", "PEDAGIO VIA SERRA"]),
    bought(
        "Farmácia",
        7,
        (1_200, 22_000),
        Paid::Card,
        &["DROGARIA POPULAR", "FARMACIA VIDA PLENA", "DROGARIA 24H"],
    ),
    bought(
        "Consultas e exames",
        1,
        (15_000, 60_000),
        Paid::Pix,
        &["CLINICA BEM ESTAR", "LAB ANALISES CENTRAL"],
    ),
    bought("Vestuário", 3, (5_900, 42_000), Paid::Card, &["LOJA MODA VIVA", "CALCADOS PASSO FIRME"]),
    bought("Eletrônicos", 1, (9_900, 260_000), Paid::Card, &["LOJA TECNO CASA", "ELETRO MAIS"]),
    bought(
        "Casa e decoração",
        2,
        (3_900, 65_000),
        Paid::Card,
        &["CASA E LAR UTILIDADES", "MADEIRAS DO VALE"],
    ),
    bought("Cinema e shows", 2, (3_000, 24_000), Paid::Card, &["CINE PLAZA", "INGRESSO FACIL"]),
    bought("Viagens", 1, (25_000, 320_000), Paid::Card, &["POUSADA MAR AZUL", "AEREA NORTE SUL"]),
    bought("Livros e material", 2, (2_900, 18_000), Paid::Card, &["LIVRARIA DO SABER", "PAPELARIA RISCO"]),
    bought("Salão e barbearia", 2, (4_000, 18_000), Paid::Pix, &["BARBEARIA NAVALHA", "STUDIO BELEZA"]),
    bought("Ração", 2, (6_000, 28_000), Paid::Card, &["PET AMIGO", "AGRO E PET"]),
    bought("Presentes", 2, (4_000, 30_000), Paid::Card, &["FLORICULTURA JARDIM", "LOJA MIMO"]),
    bought("Outras despesas", 4, (1_000, 25_000), Paid::Pix, &[]),
];

/// What comes every month: day, wording, category, cents (negative: out), how much it varies in percent.
///
/// Salaries are only in proportion to each other: [`super::settle`] makes them cover what is spent.
pub(super) const MONTHLY: &[(i8, &str, &str, i64, i64)] = &[
    (5, "CREDITO SALARIO EMPRESA EXEMPLO LTDA", "Salário", 580_000, 0),
    (7, "CREDITO SALARIO COLEGIO MODELO", "Salário", 420_000, 0),
    (5, "PIX ENVIADO IMOBILIARIA PORTO SEGURO ALUGUEL", "Aluguel", -210_000, 0),
    (8, "PAG BOLETO CONDOMINIO ED PRIMAVERA", "Condomínio", -62_000, 4),
    (10, "DEBITO AUT ENERGIA DISTRIBUIDORA ELETRICA", "Energia", -19_500, 30),
    (11, "DEBITO AUT AGUA E SANEAMENTO", "Água", -9_800, 20),
    (12, "DEBITO AUT INTERNET FIBRA LAR", "Internet e telefone", -11_990, 0),
    (14, "COMPRA CARTAO STREAM FILMES", "Streaming", -4_490, 0),
    (15, "DEBITO AUT PLANO SAUDE FAMILIA", "Plano de saúde", -48_700, 0),
    (17, "COMPRA CARTAO STREAM MUSICA", "Streaming", -2_190, 0),
    (18, "PAG BOLETO ACADEMIA MOVIMENTO", "Academia", -9_990, 0),
    (20, "PIX RECEBIDO FREELA PROJETO SITE", "Freelance", 120_000, 60),
    (25, "TARIFA PACOTE SERVICOS", "Tarifas bancárias", -2_950, 0),
    (28, "RENDIMENTO POUPANCA", "Juros", 6_200, 25),
];

const FIRST: &[&str] = &[
    "Ana",
    "Bruno",
    "Carla",
    "Daniel",
    "Eduarda",
    "Felipe",
    "Gabriela",
    "Heitor",
    "Isabela",
    "João",
    "Larissa",
    "Marcos",
    "Natália",
    "Otávio",
    "Patrícia",
    "Rafael",
    "Sônia",
    "Tiago",
    "Vanessa",
    "Wagner",
];
const LAST: &[&str] = &[
    "Almeida", "Barbosa", "Cardoso", "Dias", "Esteves", "Ferreira", "Gomes", "Lima", "Moreira", "Nogueira",
    "Oliveira", "Pereira", "Ramos", "Santos", "Teixeira", "Vieira",
];
const CITIES: &[&str] =
    &["SAO PAULO", "CAMPINAS", "BELO HORIZONTE", "CURITIBA", "RECIFE", "SALVADOR", "BRASILIA"];

pub(super) fn person(rng: &mut Rng) -> String {
    format!("{} {}", pick(rng, FIRST), pick(rng, LAST))
}

pub(super) fn city(rng: &mut Rng) -> &'static str {
    pick(rng, CITIES)
}

/// Words a purchase as the bank would; card machines say in which city they are.
pub(super) fn describe(rng: &mut Rng, purchase: &Purchase, city: &str) -> String {
    let who = if purchase.merchants.is_empty() {
        crate::domain::text::fold(&person(rng)).to_uppercase()
    } else {
        pick(rng, purchase.merchants).to_owned()
    };
    match purchase.paid {
        Paid::Card => format!("COMPRA CARTAO {who} {city}"),
        Paid::Debit => format!("COMPRA DEBITO {who}"),
        Paid::Pix => format!("PIX ENVIADO {who}"),
    }
}

/// A purchase, the frequent ones more often.
pub(super) fn purchase(rng: &mut Rng) -> &'static Purchase {
    let total: u32 = PURCHASES.iter().map(|it| it.weight).sum();
    let mut at = rng.u32(..total);
    for purchase in PURCHASES {
        if at < purchase.weight {
            return purchase;
        }
        at -= purchase.weight;
    }
    unreachable!("`at` is below the sum of the weights")
}

fn pick(rng: &mut Rng, among: &[&'static str]) -> &'static str {
    among[rng.usize(..among.len())]
}
