//! What invented statements are made of.

pub(super) struct Trade {
    pub category: &'static str,
    /// How often people buy there.
    pub weight: u32,
    pub cents: (i64, i64),
    pub words: &'static [&'static str],
}

const fn trade(
    category: &'static str,
    weight: u32,
    cents: (i64, i64),
    words: &'static [&'static str],
) -> Trade {
    Trade { category, weight, cents, words }
}

pub(super) const TRADES: &[Trade] = &[
    trade(
        "Supermercado",
        18,
        (3_000, 50_000),
        &["SUPERMERCADO", "MERCADO", "MERCEARIA", "ATACADO", "SUPERM", "MINI MERCADO", "EMPORIO"],
    ),
    trade("Padaria", 12, (500, 5_000), &["PADARIA", "PANIFICADORA", "PANIF", "CONFEITARIA", "PAES E DOCES"]),
    trade(
        "Restaurantes",
        16,
        (2_000, 18_000),
        &["RESTAURANTE", "REST", "LANCHONETE", "PIZZARIA", "CHURRASCARIA", "BAR", "CANTINA", "CAFE"],
    ),
    trade("Feira", 4, (1_000, 9_000), &["HORTIFRUTI", "SACOLAO", "QUITANDA", "FEIRA", "FRUTAS"]),
    trade("Combustível", 7, (8_000, 30_000), &["AUTO POSTO", "POSTO", "POSTO DE SERVICOS", "COMBUSTIVEIS"]),
    trade("Estacionamento e pedágio", 4, (500, 4_000), &["ESTACIONAMENTO", "ESTAC", "PARK", "PEDAGIO"]),
    trade(
        "Manutenção do carro",
        2,
        (5_000, 150_000),
        &["OFICINA", "AUTO CENTER", "MECANICA", "LAVA RAPIDO", "AUTO PECAS"],
    ),
    trade("Farmácia", 8, (1_000, 25_000), &["DROGARIA", "FARMACIA", "DROG", "FARMA"]),
    trade(
        "Consultas e exames",
        2,
        (10_000, 60_000),
        &["CLINICA", "LABORATORIO", "ODONTO", "CONSULTORIO", "HOSPITAL"],
    ),
    trade("Academia", 1, (8_000, 30_000), &["ACADEMIA", "CROSSFIT", "STUDIO PILATES"]),
    trade(
        "Manutenção da casa",
        2,
        (2_000, 80_000),
        &["MATERIAIS DE CONSTRUCAO", "FERRAGENS", "TINTAS", "CHAVEIRO", "MAT CONSTRUCAO"],
    ),
    trade("Cursos", 1, (5_000, 60_000), &["CURSO", "ESCOLA DE IDIOMAS", "AUTO ESCOLA"]),
    trade("Livros e material", 2, (1_500, 20_000), &["LIVRARIA", "PAPELARIA", "COPIADORA"]),
    trade("Cinema e shows", 2, (2_000, 30_000), &["CINE", "TEATRO", "INGRESSOS"]),
    trade("Viagens", 1, (15_000, 300_000), &["HOTEL", "POUSADA", "TURISMO"]),
    trade("Hobbies", 1, (2_000, 60_000), &["GAMES", "BIKE", "PESCA", "ARENA"]),
    trade(
        "Vestuário",
        4,
        (4_000, 50_000),
        &["MODAS", "CALCADOS", "BOUTIQUE", "LOJA DE ROUPAS", "CONFECCOES"],
    ),
    trade("Eletrônicos", 1, (5_000, 300_000), &["INFORMATICA", "ELETRONICOS", "CELULARES", "TECH"]),
    trade("Casa e decoração", 2, (3_000, 90_000), &["MOVEIS", "UTILIDADES", "DECORACOES", "COLCHOES"]),
    trade("Salão e barbearia", 3, (3_000, 20_000), &["BARBEARIA", "SALAO", "STUDIO HAIR", "ESTETICA"]),
    trade("Cosméticos", 2, (2_000, 25_000), &["PERFUMARIA", "COSMETICOS"]),
    trade("Ração", 2, (4_000, 30_000), &["PET SHOP", "AGROPECUARIA", "RACOES"]),
    trade("Veterinário", 1, (8_000, 60_000), &["CLINICA VETERINARIA", "VETERINARIA"]),
    trade("Presentes", 1, (4_000, 30_000), &["FLORICULTURA", "PRESENTES", "CHOCOLATES"]),
    trade("Brinquedos", 1, (3_000, 30_000), &["BRINQUEDOS", "TOYS"]),
    trade("Doações", 1, (2_000, 20_000), &["IGREJA", "ASSOCIACAO BENEFICENTE"]),
    trade("Outras despesas", 2, (2_000, 40_000), &["LAVANDERIA", "SEGUROS", "CONTABILIDADE"]),
];

/// Chains that are on many statements.
pub(super) const BRANDS: &[(&str, &[&str])] = &[
    ("Supermercado", &["ASSAI ATACADISTA", "CARREFOUR", "PAO DE ACUCAR", "ATACADAO", "MATEUS SUPERMERCADOS"]),
    ("Restaurantes", &["MCDONALDS", "BURGER KING", "OUTBACK", "HABIBS", "SUBWAY"]),
    ("Combustível", &["POSTO IPIRANGA", "POSTO SHELL", "POSTO PETROBRAS"]),
    ("Farmácia", &["DROGASIL", "DROGA RAIA", "PAGUE MENOS", "PANVEL"]),
    ("Vestuário", &["LOJAS RENNER", "RIACHUELO", "C&A", "ZARA"]),
    ("Academia", &["SMART FIT", "BLUEFIT"]),
    ("Cinema e shows", &["CINEMARK", "SYMPLA"]),
    ("Viagens", &["BOOKING", "AIRBNB", "LATAM"]),
    ("Ração", &["PETZ", "COBASI"]),
    ("Cosméticos", &["O BOTICARIO", "NATURA"]),
    ("Casa e decoração", &["CASAS BAHIA", "TOK STOK", "MAGALU"]),
    ("Manutenção da casa", &["LEROY MERLIN", "TELHANORTE"]),
];

/// Wording, category and cents of what comes every month.
pub(super) const MONTHLY: &[(&str, &str, i64)] = &[
    ("CREDITO SALARIO EMPRESA MODELO", "Salário", 560_000),
    ("PAG BOLETO CONDOMINIO ED AURORA", "Condomínio", -62_000),
    ("DEB AUT ENERGIA ELETRICA {dd}", "Energia", -19_000),
    ("DEB AUT AGUA E ESGOTO {dd}", "Água", -9_000),
    ("FIBRA LAR INTERNET", "Internet e telefone", -11_000),
    ("NETFLIX.COM", "Streaming", -4_500),
    ("SPOTIFY", "Streaming", -2_200),
    ("PLANO DE SAUDE FAMILIA", "Plano de saúde", -48_000),
    ("TARIFA PACOTE DE SERVICOS", "Tarifas bancárias", -2_900),
    ("RENDIMENTO POUPANCA", "Juros", 6_000),
    ("COLEGIO MODELO MENSALIDADE", "Escola", -140_000),
    ("IFD*RESTAURANTE QUALQUER", "Delivery", -6_000),
    ("UBER *TRIP", "Aplicativos", -2_300),
    ("99APP *99APP", "Aplicativos", -1_900),
];

/// Names that say nothing about a business.
pub(super) const NAMES: &[&str] = &[
    "SAO JORGE",
    "DOM PEDRO",
    "TRES MARIAS",
    "IPE AMARELO",
    "NOVO HORIZONTE",
    "SANTA CLARA",
    "ALIANCA",
    "DO LAGO",
    "PRIMOR",
    "KAZUO",
    "TAKEDA",
    "ROMA",
    "LISBOA",
    "PARANA",
    "ATLANTICO",
    "DO PORTO",
    "BANDEIRANTES",
    "GUARANI",
    "CRISTAL",
    "AMIZADE",
    "BELLA",
    "OURO PRETO",
    "HARMONIA",
    "FLORESTA",
    "RIACHO DOCE",
    "BOA ESPERANCA",
    "DONA LURDES",
    "SEU ZE",
    "MIRANTE",
    "COLINA",
    "LUA CHEIA",
    "ARARA AZUL",
    "CEDRO",
    "PEROLA",
    "DIAMANTE",
    "CAPITAL",
    "EXPRESS",
    "PREMIUM",
    "VITALE",
    "MONTE VERDE",
    "ITALIA",
    "LIBERDADE",
    "PAINEIRAS",
    "SERTAO",
    "PANTANAL",
    "BRISA",
    "ORION",
    "APOLO",
    "ATENAS",
    "JR",
];
pub(super) const FIRST: &[&str] = &[
    "ANA", "BRUNO", "CARLA", "DANIEL", "EDUARDA", "FELIPE", "GABRIELA", "HEITOR", "ISABELA", "JOAO",
    "LARISSA", "MARCOS", "NATALIA", "OTAVIO", "PATRICIA", "RAFAEL", "SONIA", "TIAGO", "VANESSA", "WAGNER",
    "JURACI", "DEUSDETE", "IARA", "NEIDE",
];
pub(super) const LAST: &[&str] = &[
    "ALMEIDA", "BARBOSA", "CARDOSO", "DIAS", "ESTEVES", "FERREIRA", "GOMES", "LIMA", "MOREIRA", "NOGUEIRA",
    "OLIVEIRA", "PEREIRA", "RAMOS", "SANTOS", "TEIXEIRA", "VIEIRA", "XAVIER", "ZANETTI", "KOWALSKI",
    "YAMADA",
];
pub(super) const CITIES: &[&str] = &[
    "SAO PAULO",
    "CAMPINAS",
    "BELO HORIZONTE",
    "CURITIBA",
    "RECIFE",
    "SALVADOR",
    "BRASILIA",
    "MOGI MIRIM",
    "ASSIS",
];
