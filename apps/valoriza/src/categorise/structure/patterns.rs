//! Wordings of banks. Folded; a pattern holds when all its words occur, `*` ends a word cut short.

use super::Direction;

pub(super) type Pattern = &'static [&'static str];

/// What some wordings mean.
pub(super) struct Meaning {
    pub category: &'static str,
    /// What people call it.
    pub what: &'static str,
    pub direction: Direction,
    pub patterns: &'static [Pattern],
}

const fn money_in(category: &'static str, what: &'static str, patterns: &'static [Pattern]) -> Meaning {
    Meaning { category, what, direction: Direction::In, patterns }
}

const fn money_out(category: &'static str, what: &'static str, patterns: &'static [Pattern]) -> Meaning {
    Meaning { category, what, direction: Direction::Out, patterns }
}

/// The first that holds counts.
pub(super) const MEANINGS: &[Meaning] = &[
    money_in(
        "Restituição do IR",
        "Restituição",
        &[
            &["restituicao", "ir"],
            &["restituicao", "irpf"],
            &["restituicao", "imposto"],
            &["restituicao", "receita"],
            &["rest", "irpf"],
            &["rest", "imposto", "renda"],
            &["restit*", "renda"],
        ],
    ),
    money_in(
        "Reembolsos",
        "Dinheiro de volta",
        &[&["estorno"], &["estornado"], &["reembolso"], &["devolucao"], &["chargeback"], &["cashback"]],
    ),
    money_in(
        "13º salário",
        "13º salário",
        &[&["13", "sal*"], &["13o"], &["13º"], &["decimo", "terceiro"], &["gratificacao", "natalina"]],
    ),
    money_in("Férias", "Férias", &[&["ferias"]]),
    money_in(
        "Bônus",
        "Bônus",
        &[
            &["plr"],
            &["bonus"],
            &["participacao", "lucros"],
            &["particip*", "lucro*"],
            &["participacao", "resultados"],
        ],
    ),
    money_in(
        "Dividendos",
        "Proventos de investimentos",
        &[
            &["dividendo*"],
            &["jcp"],
            &["juros", "capital"],
            &["juros", "s", "cap*"],
            &["rendimento*", "fii"],
            &["proventos", "acoes"],
            &["proventos", "b3"],
        ],
    ),
    money_in(
        "Juros",
        "Rendimento",
        &[
            &["rendimento*"],
            &["rend", "pago"],
            &["rend", "aplic*"],
            &["remuneracao", "aplic*"],
            &["remuneracao", "saldo"],
            &["juros"],
            &["rentabilidade"],
        ],
    ),
    money_in(
        "Salário",
        "Salário",
        &[
            &["salario*"],
            &["proventos"],
            &["folha", "pag*"],
            &["folha", "pgto"],
            &["vencimento*"],
            &["remuneracao"],
            &["adiantamento", "sal*"],
            &["cred", "sal"],
            &["ordenado"],
            &["pro", "labore"],
            &["prolabore"],
            &["beneficio", "inss"],
            &["credito", "inss"],
            &["aposentadoria"],
        ],
    ),
    money_in("Aluguel recebido", "Aluguel", &[&["aluguel"], &["alugueis"]]),
    money_out("IPTU", "IPTU", &[&["iptu"]]),
    money_out("IPVA", "Imposto do veículo", &[&["ipva"], &["licenciamento"], &["dpvat"]]),
    money_out(
        "Imposto de renda",
        "Imposto de renda",
        &[&["irpf"], &["carne", "leao"], &["imposto", "renda"], &["darf", "ir"]],
    ),
    money_out(
        "Impostos e taxas",
        "Tributo",
        &[
            &["darf"],
            &["das", "simples"],
            &["das", "mei"],
            &["simples", "nacional"],
            &["gps"],
            &["inss"],
            &["dare"],
            &["gare"],
            &["gnre"],
            &["iss"],
            &["itbi"],
            &["itcmd"],
            &["fgts"],
            &["esocial"],
        ],
    ),
    money_out(
        "Juros e multas",
        "Juros ou multa",
        &[
            &["iof"],
            &["juros"],
            &["mora"],
            &["multa*"],
            &["encargo*"],
            &["enc", "lim*"],
            &["lis", "juros"],
            &["infracao", "transito"],
        ],
    ),
    money_out(
        "Tarifas bancárias",
        "Tarifa bancária",
        &[
            &["tarifa*"],
            &["tar"],
            &["cesta", "b"],
            &["cesta", "serv*"],
            &["cesta", "expresso*"],
            &["cesta", "bradesco*"],
            &["cesta", "classic*"],
            &["pacote", "servicos"],
            &["pacote", "serv*", "banc*"],
            &["anuidade"],
            &["anuid*", "cartao"],
            &["manut*", "conta"],
            &["mensalidade", "conta"],
            &["mensalidade", "pacote"],
            &["seguro", "cartao"],
            &["avaliacao", "emerg*", "credito"],
        ],
    ),
];

/// Between accounts of the same person.
pub(super) const OWN_TRANSFERS: &[Pattern] = &[
    &["contas", "proprias"],
    &["entre", "contas"],
    &["mesma", "titularidade"],
    &["conta", "propria"],
    &["aplicacao"],
    &["aplic", "poup*"],
    &["aplic", "cdb"],
    &["aplic", "rdb"],
    &["aplic", "fundo*"],
    &["aplic", "lci"],
    &["aplic", "tesouro"],
    &["para", "poupanca"],
    &["transf*", "poup*"],
    &["poupanca", "integrada"],
    &["resgate", "cdb"],
    &["resgate", "rdb"],
    &["resgate", "poup*"],
    &["resgate", "fundo*"],
    &["resgate", "lci"],
    &["resgate", "lca"],
    &["resgate", "aplic*"],
    &["resgate", "tesouro"],
    &["resgate", "invest*"],
    &["caixinha"],
    &["cofrinho"],
    &["dinheiro", "guardado"],
    &["dinheiro", "resgatado"],
    &["compra", "cdb"],
    &["compra", "tesouro"],
];

/// Of these words alone the wording of a card bill's payment is made.
pub(super) const BANKS_AND_CARDS: &[&str] = &[
    "aut",
    "autom",
    "automatico",
    "banco",
    "bb",
    "boleto",
    "bradesco",
    "btg",
    "c6",
    "caixa",
    "cartao",
    "carto",
    "cartoes",
    "credito",
    "da",
    "de",
    "deb",
    "debito",
    "do",
    "efetuado",
    "elo",
    "fat",
    "fatura",
    "gold",
    "hipercard",
    "inter",
    "itau",
    "itaucard",
    "master",
    "mastercard",
    "neon",
    "next",
    "nu",
    "nubank",
    "pag",
    "pagamento",
    "pagamentos",
    "pagto",
    "pan",
    "pgto",
    "picpay",
    "platinum",
    "santander",
    "sicoob",
    "sicredi",
    "total",
    "visa",
    "xp",
];

pub(super) const CASH: &[&str] = &["cheque", "chq", "dep", "deposito", "saque", "saq"];
