//! A month at a glance: what came in, what went out, on which days and for what.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar::Month;
use super::category::{Kind, Tree};

const UNCATEGORISED: &str = "Sem categoria";
const UNCATEGORISED_COLOR: &str = "#94a3b8";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Summary {
    #[schema(value_type = String)]
    pub month: Month,
    pub income_cents: i64,
    /// Positive.
    pub expense_cents: i64,
    pub net_cents: i64,
    /// What all accounts not archived hold now.
    pub balance_cents: i64,
    pub uncategorised_count: i64,
    /// Top-level categories with all below them, largest first.
    pub by_category: Vec<CategoryTotal>,
    pub by_day: Vec<DayTotal>,
    pub previous: MonthTotal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CategoryTotal {
    pub category_id: Option<Uuid>,
    pub name: String,
    pub color: String,
    pub kind: Kind,
    pub amount_cents: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayTotal {
    pub date: Date,
    pub income_cents: i64,
    pub expense_cents: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MonthTotal {
    #[schema(value_type = String)]
    pub month: Month,
    pub income_cents: i64,
    pub expense_cents: i64,
    pub net_cents: i64,
}

/// What moved on one day for one category, itself alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub date: Date,
    pub category_id: Option<Uuid>,
    pub in_cents: i64,
    /// Zero or negative.
    pub out_cents: i64,
}

/// Income and expense, both as positive numbers unless refunds outweigh purchases.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    income: i64,
    expense: i64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.income += other.income;
        self.expense += other.expense;
    }
}

impl Line {
    /// The category says what it is: a refund is less expense, not income. Without one, the sign does.
    fn totals(&self, tree: &Tree) -> Totals {
        match self.category_id.and_then(|id| tree.get(id)).map(|node| node.kind) {
            Some(Kind::Income) => Totals { income: self.in_cents + self.out_cents, expense: 0 },
            Some(Kind::Expense) => Totals { income: 0, expense: -(self.in_cents + self.out_cents) },
            None => Totals { income: self.in_cents, expense: -self.out_cents },
        }
    }
}

/// Everything a summary is made of; `lines` covers the month and the one before.
#[derive(Debug)]
pub struct Source {
    pub month: Month,
    pub lines: Vec<Line>,
    pub tree: Tree,
    pub balance_cents: i64,
    pub uncategorised_count: i64,
}

impl Source {
    pub fn summarise(&self) -> Summary {
        let total = self.month_total(self.month);
        Summary {
            month: self.month,
            income_cents: total.income_cents,
            expense_cents: total.expense_cents,
            net_cents: total.net_cents,
            balance_cents: self.balance_cents,
            uncategorised_count: self.uncategorised_count,
            by_category: self.by_category(),
            by_day: self.by_day(),
            previous: self.month_total(self.month.previous()),
        }
    }

    fn lines_of(&self, month: Month) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| Month::of(line.date) == month)
    }

    fn month_total(&self, month: Month) -> MonthTotal {
        let mut totals = Totals::default();
        for line in self.lines_of(month) {
            totals.add(line.totals(&self.tree));
        }
        MonthTotal {
            month,
            income_cents: totals.income,
            expense_cents: totals.expense,
            net_cents: totals.income - totals.expense,
        }
    }

    fn by_day(&self) -> Vec<DayTotal> {
        let mut days: BTreeMap<Date, Totals> =
            self.month.days().map(|day| (day, Totals::default())).collect();
        for line in self.lines_of(self.month) {
            days.entry(line.date).or_default().add(line.totals(&self.tree));
        }
        days.into_iter()
            .map(|(date, it)| DayTotal { date, income_cents: it.income, expense_cents: it.expense })
            .collect()
    }

    /// A category whose refunds outweigh its purchases has nothing to show and is left out.
    fn by_category(&self) -> Vec<CategoryTotal> {
        let mut sums: HashMap<(Option<Uuid>, Kind), i64> = HashMap::new();
        for line in self.lines_of(self.month) {
            let root = line.category_id.and_then(|id| self.tree.root(id)).map(|node| node.id);
            let totals = line.totals(&self.tree);
            *sums.entry((root, Kind::Income)).or_default() += totals.income;
            *sums.entry((root, Kind::Expense)).or_default() += totals.expense;
        }
        let mut totals: Vec<CategoryTotal> = sums
            .into_iter()
            .filter(|(_, amount)| *amount > 0)
            .map(|((id, kind), amount_cents)| {
                let node = id.and_then(|id| self.tree.get(id));
                let name = node.map_or(UNCATEGORISED, |node| &node.name).to_owned();
                let color = node.map_or(UNCATEGORISED_COLOR, |node| &node.color).to_owned();
                CategoryTotal { category_id: id, name, color, kind, amount_cents }
            })
            .collect();
        totals.sort_by(|a, b| b.amount_cents.cmp(&a.amount_cents).then_with(|| a.name.cmp(&b.name)));
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::super::category::Node;
    use super::*;

    fn line(date: &str, category: Option<u128>, in_cents: i64, out_cents: i64) -> Line {
        let category_id = category.map(Uuid::from_u128);
        Line { date: date.parse().unwrap(), category_id, in_cents, out_cents }
    }

    fn source(lines: Vec<Line>) -> Source {
        let node = |id, parent: Option<u128>, name: &str, kind| Node {
            id: Uuid::from_u128(id),
            parent_id: parent.map(Uuid::from_u128),
            name: name.to_owned(),
            kind,
            color: String::new(),
        };
        let tree = [
            node(1, None, "Casa", Kind::Expense),
            node(2, Some(1), "Energia", Kind::Expense),
            node(3, None, "Salário", Kind::Income),
        ];
        let month = "2026-11".parse().unwrap();
        Source { month, lines, tree: tree.into_iter().collect(), balance_cents: 0, uncategorised_count: 0 }
    }

    #[test]
    fn a_refund_is_less_expense_and_not_income() {
        let lines = vec![line("2026-11-02", Some(2), 30, -100), line("2026-11-03", Some(3), 500, 0)];
        let summary = source(lines).summarise();
        assert_eq!((summary.income_cents, summary.expense_cents, summary.net_cents), (500, 70, 430));
    }

    #[test]
    fn categories_are_rolled_up_to_the_top_and_sorted() {
        let lines = vec![
            line("2026-11-02", Some(2), 0, -100),
            line("2026-11-02", Some(1), 0, -50),
            line("2026-11-09", None, 20, -10),
            line("2026-10-09", Some(1), 0, -7),
        ];
        let summary = source(lines).summarise();
        let rows: Vec<_> =
            summary.by_category.iter().map(|it| (it.name.as_str(), it.kind, it.amount_cents)).collect();
        assert_eq!(
            rows,
            [
                ("Casa", Kind::Expense, 150),
                ("Sem categoria", Kind::Income, 20),
                ("Sem categoria", Kind::Expense, 10)
            ]
        );
        assert_eq!(summary.previous.expense_cents, 7);
    }

    #[test]
    fn every_day_of_the_month_is_there() {
        let summary = source(vec![line("2026-11-30", None, 5, 0)]).summarise();
        assert_eq!(summary.by_day.len(), 30);
        assert_eq!(summary.by_day[29].income_cents, 5);
    }
}
