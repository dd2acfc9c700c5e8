//! The categories a new tenant starts with.

use super::Kind;

/// A top-level category and the names below it.
#[derive(Debug)]
pub struct Default {
    pub name: &'static str,
    pub kind: Kind,
    pub color: &'static str,
    pub icon: &'static str,
    pub children: &'static [&'static str],
}

type Text = &'static str;

const fn income(name: Text, color: Text, icon: Text, children: &'static [Text]) -> Default {
    Default { name, kind: Kind::Income, color, icon, children }
}

const fn expense(name: Text, color: Text, icon: Text, children: &'static [Text]) -> Default {
    Default { name, kind: Kind::Expense, color, icon, children }
}

pub const DEFAULTS: &[Default] = &[
    income("Salário", "#16a34a", "💼", &["13º salário", "Férias", "Bônus"]),
    income("Renda extra", "#22c55e", "🧰", &["Freelance", "Vendas", "Aluguel recebido"]),
    income("Rendimentos", "#0d9488", "📈", &["Juros", "Dividendos"]),
    income("Outras receitas", "#65a30d", "🪙", &["Presentes recebidos", "Reembolsos", "Restituição do IR"]),
    expense(
        "Moradia",
        "#2563eb",
        "🏠",
        &[
            "Aluguel",
            "Condomínio",
            "IPTU",
            "Energia",
            "Água",
            "Gás",
            "Internet e telefone",
            "Manutenção da casa",
        ],
    ),
    expense(
        "Alimentação",
        "#ea580c",
        "🍽️",
        &["Supermercado", "Padaria", "Restaurantes", "Delivery", "Feira"],
    ),
    expense(
        "Transporte",
        "#0891b2",
        "🚗",
        &[
            "Combustível",
            "Aplicativos",
            "Transporte público",
            "Estacionamento e pedágio",
            "Manutenção do carro",
        ],
    ),
    expense("Saúde", "#dc2626", "🩺", &["Farmácia", "Plano de saúde", "Consultas e exames", "Academia"]),
    expense("Educação", "#7c3aed", "📚", &["Mensalidade", "Cursos", "Livros e material"]),
    expense("Lazer", "#db2777", "🎉", &["Streaming", "Cinema e shows", "Viagens", "Hobbies"]),
    expense("Compras", "#c026d3", "🛍️", &["Vestuário", "Eletrônicos", "Casa e decoração"]),
    expense("Cuidados pessoais", "#e11d48", "💇", &["Salão e barbearia", "Cosméticos"]),
    expense("Filhos", "#f59e0b", "🧸", &["Escola", "Brinquedos"]),
    expense("Animais de estimação", "#a16207", "🐾", &["Ração", "Veterinário"]),
    expense(
        "Impostos e taxas",
        "#475569",
        "🏛️",
        &["Imposto de renda", "IPVA", "Tarifas bancárias", "Juros e multas"],
    ),
    expense("Doações e presentes", "#be185d", "🎁", &["Doações", "Presentes"]),
    expense("Outras despesas", "#64748b", "📦", &[]),
];
