//! For people: one page that needs nothing else, to read and to print.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::category::Kind;
use super::super::money::reais;
use super::Content;

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; color: #0f172a; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { margin: .25rem 0 } .quiet { color: #64748b }
table { border-collapse: collapse; width: 100% }
th, td { padding: .35rem .5rem; border-bottom: 1px solid #e2e8f0; text-align: left }
th { font-weight: 600 } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.over { color: #b91c1c; font-weight: 600 }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } tr { break-inside: avoid } }
";

pub(super) fn render(content: &Content) -> String {
    let month = content.summary.month.in_words();
    let page = html! {
        (DOCTYPE)
        html lang="pt-BR" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Relatório de " (month) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Relatório de " (month) }
                p class="quiet" { (content.tenant_name) " · feito em " (day(content)) " · valores em reais" }
                (totals(content))
                (categories(content, Kind::Expense, "Despesas por categoria"))
                (categories(content, Kind::Income, "Receitas por categoria"))
                (budgets(content))
                (payees(content))
            }
        }
    };
    page.into_string()
}

fn day(content: &Content) -> String {
    super::today(content.made_at).strftime("%d/%m/%Y").to_string()
}

fn totals(content: &Content) -> Markup {
    let it = &content.summary;
    let row = |name: &str, cents: i64, before: Option<i64>| {
        html! {
            tr {
                th { (name) }
                td class="number" { (reais(cents)) }
                td class="number quiet" { (before.map(reais).unwrap_or_default()) }
            }
        }
    };
    html! {
        h2 { "Resumo" }
        table {
            tr { th {} th class="number" { "No mês" } th class="number quiet" { "Mês anterior" } }
            (row("Receitas", it.income_cents, Some(it.previous.income_cents)))
            (row("Despesas", it.expense_cents, Some(it.previous.expense_cents)))
            (row("Resultado", it.net_cents, Some(it.previous.net_cents)))
            (row("Saldo das contas hoje", it.balance_cents, None))
        }
        @if it.uncategorised_count > 0 {
            p class="quiet" { (it.uncategorised_count) " transações do mês ainda sem categoria." }
        }
    }
}

fn categories(content: &Content, kind: Kind, title: &str) -> Markup {
    let rows: Vec<_> = content.summary.by_category.iter().filter(|it| it.kind == kind).collect();
    let total: i64 = rows.iter().map(|it| it.amount_cents).sum();
    html! {
        @if !rows.is_empty() {
            h2 { (title) }
            table {
                @for row in rows {
                    tr {
                        td { (row.name) }
                        td class="number" { (reais(row.amount_cents)) }
                        td class="number quiet" { (percent(row.amount_cents, total)) }
                    }
                }
            }
        }
    }
}

fn budgets(content: &Content) -> Markup {
    html! {
        @if !content.budgets.is_empty() {
            h2 { "Orçamentos" }
            table {
                tr { th { "Categoria" } th class="number" { "Gasto" } th class="number" { "Orçado" } th class="number" {} }
                @for it in &content.budgets {
                    tr {
                        td { (it.category) }
                        td class="number" { (reais(it.spent_cents)) }
                        td class="number" { (reais(it.amount_cents)) }
                        td class=(if it.spent_cents > it.amount_cents { "number over" } else { "number quiet" }) {
                            (percent(it.spent_cents, it.amount_cents))
                        }
                    }
                }
            }
        }
    }
}

fn payees(content: &Content) -> Markup {
    let payees = content.payees();
    html! {
        @if !payees.is_empty() {
            h2 { "Para onde mais foi" }
            table {
                @for it in &payees {
                    tr {
                        td { (it.payee) }
                        td class="number quiet" { (it.count) "×" }
                        td class="number" { (reais(it.amount_cents)) }
                    }
                }
            }
        }
    }
}

/// `part` of `whole`, rounded down, so that only the whole is 100 %.
fn percent(part: i64, whole: i64) -> String {
    let share = i128::from(part) * 100 / i128::from(whole.max(1));
    format!("{share}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        let check = |part, whole, expected: &str| assert_eq!(percent(part, whole), expected);
        check(999, 1_000, "99%");
        check(1_000, 1_000, "100%");
        check(1_500, 1_000, "150%");
        check(0, 0, "0%");
    }
}
