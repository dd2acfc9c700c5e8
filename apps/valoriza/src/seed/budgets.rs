//! Budgets around what is spent in a month, so that a demonstration shows each of their states.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::budget::{Budget, Movement};
use crate::domain::calendar::Month;
use crate::domain::category::{Category, Node, Tree};
use crate::domain::transaction::Transaction;

/// What a family plans to spend on what, in a month.
const PLANNED: [(&str, i64); 5] = [
    ("Alimentação", 280_000),
    ("Transporte", 110_000),
    ("Lazer", 90_000),
    ("Moradia", 340_000),
    ("Saúde", 130_000),
];

const STEP: i64 = 1_000;

/// Makes the budgets of `month`: of those that something was spent on, the one used up most is exceeded, the
/// next is nearly used up, and the others are not.
pub(super) fn plan(
    month: Month,
    categories: &[Category],
    transactions: &[Transaction],
    now: Timestamp,
) -> Vec<Budget> {
    let tree: Tree = categories.iter().map(node).collect();
    let movements: Vec<Movement> = transactions.iter().flat_map(movements).collect();
    let planned = PLANNED.iter().filter_map(|(name, cents)| {
        let category = categories.iter().find(|it| it.name == *name)?;
        Some(budget(category.id, month, *cents, now))
    });
    let mut budgets: Vec<Budget> = planned.collect();
    for budget in &mut budgets {
        budget.measure(&movements, &tree);
    }
    budgets.sort_by_key(|it| -it.spent_cents * 1_000 / it.amount_cents);
    for (position, budget) in budgets.iter_mut().enumerate().filter(|(_, it)| it.spent_cents > 0) {
        let spent = budget.spent_cents;
        budget.amount_cents = match position {
            0 => (spent * 100 / 112 / STEP * STEP).max(1),
            1 => spent * 100 / 95 / STEP * STEP + STEP,
            _ => budget.amount_cents.max(spent * 100 / 80 / STEP * STEP + STEP),
        };
        budget.measure(&movements, &tree);
    }
    budgets
}

fn node(category: &Category) -> Node {
    Node {
        id: category.id,
        parent_id: category.parent_id,
        name: category.name.clone(),
        kind: category.kind,
        color: category.color.clone(),
    }
}

/// What a transaction moved in each of its categories.
fn movements(transaction: &Transaction) -> impl Iterator<Item = Movement> {
    let month = Month::of(transaction.date);
    let parts = transaction.splits.iter().map(|it| (it.category_id, it.amount_cents));
    std::iter::once((transaction.category_id, transaction.amount_cents)).chain(parts).filter_map(
        move |(category_id, amount_cents)| Some(Movement { month, category_id: category_id?, amount_cents }),
    )
}

fn budget(category_id: Uuid, month: Month, amount_cents: i64, now: Timestamp) -> Budget {
    Budget {
        id: Uuid::now_v7(),
        category_id,
        month,
        amount_cents,
        spent_cents: 0,
        left_cents: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}
