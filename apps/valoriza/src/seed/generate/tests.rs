use std::collections::BTreeMap;

use super::super::budgets;
use super::*;
use crate::domain::category::{DEFAULTS, Kind as CategoryKind};

const DEMO: usize = 1_300;

fn categories() -> Vec<Category> {
    let category = |name: &str, kind: CategoryKind, parent_id| Category {
        id: Uuid::now_v7(),
        parent_id,
        name: name.to_owned(),
        kind,
        color: String::new(),
        icon: None,
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    let mut all = Vec::new();
    for it in DEFAULTS {
        let root = category(it.name, it.kind, None);
        let children = it.children.iter().map(|name| category(name, it.kind, Some(root.id)));
        all.extend(children.collect::<Vec<_>>());
        all.push(root);
    }
    all
}

fn make(seed: u64, today: Date, count: usize, categories: &[Category]) -> Life {
    let size = Size { known: count, waiting: 0 };
    life(&mut Rng::with_seed(seed), today, size, categories, Timestamp::UNIX_EPOCH)
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn told(life: Life) -> Vec<(Date, String, i64)> {
    life.transactions.into_iter().map(|it| (it.date, it.description, it.amount_cents)).collect()
}

/// What an account held at the end of each day something happened.
fn held(life: &Life, account: usize) -> BTreeMap<Date, i64> {
    let account = &life.accounts[account];
    let mut balance = account.opening_balance_cents;
    let mut held = BTreeMap::new();
    for it in life.transactions.iter().filter(|it| it.account_id == account.id) {
        balance += it.amount_cents;
        held.insert(it.date, balance);
    }
    held
}

/// Lives of several seeds, some seen from the first, the middle and the last day of a month.
fn lives(counts: &[usize], check: impl Fn(&Life, &[Category], Date)) {
    let categories = categories();
    for today in ["2026-11-21", "2026-12-01", "2027-02-28", "2026-07-06", "2026-09-16"].map(day) {
        for &count in counts {
            for seed in [1, 7, 2026] {
                check(&make(seed, today, count, &categories), &categories, today);
            }
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_life() {
    let today = day("2026-11-21");
    let make = |seed| told(make(seed, today, 900, &categories()));
    assert_eq!(make(7), make(7));
    assert_ne!(make(7), make(8));
}

#[test]
fn as_many_are_made_as_were_asked_for_and_none_in_the_future_or_of_nothing() {
    for count in [0, 1, 2, 10, 33, 1_000] {
        let made = told(make(7, day("2026-11-21"), count, &[]));
        assert_eq!(made.len(), count);
        assert!(made.iter().all(|(date, _, cents)| *date <= day("2026-11-21") && *cents != 0));
    }
}

#[test]
fn the_card_owes_two_bills_at_most() {
    lives(&[400, DEMO, 5_000], |life, _, today| {
        let card = life.accounts[1].id;
        let bought = |month: Month| -> i64 {
            let bought = life.transactions.iter().filter(|it| it.account_id == card && it.amount_cents < 0);
            bought.filter(|it| Month::of(it.date) == month).map(|it| it.amount_cents).sum()
        };
        let month = Month::of(today);
        let balance = life.accounts[1].balance_cents;
        assert_eq!(held(life, 1).values().last(), Some(&balance));
        assert!((bought(month) + bought(month.previous())..=0).contains(&balance), "{balance}");
    });
}

#[test]
fn checking_and_savings_never_end_a_day_below_zero() {
    lives(&[400, DEMO, 5_000], |life, _, _| {
        for account in [0, 2] {
            assert!(held(life, account).values().all(|it| *it >= 0), "{:?}", held(life, account));
        }
    });
}

#[test]
fn the_demonstration_family_is_neither_poor_nor_rich() {
    lives(&[DEMO], |life, _, _| {
        let balances = [0, 1, 2].map(|it| life.accounts[it].balance_cents);
        assert!((50_000..900_000).contains(&balances[0]), "{balances:?}");
        let total: i64 = life.accounts.iter().map(|it| it.balance_cents).sum();
        assert!((100_000..6_000_000).contains(&total), "{balances:?}");
    });
}

#[test]
fn both_sides_of_a_transfer_are_there_and_cancel() {
    lives(&[33, DEMO], |life, _, _| {
        let mut sides: HashMap<Uuid, Vec<i64>> = HashMap::new();
        for it in &life.transactions {
            assert_eq!(it.kind == Kind::Transfer, it.transfer_id.is_some());
            if let Some(id) = it.transfer_id {
                sides.entry(id).or_default().push(it.amount_cents);
            }
        }
        assert!(sides.values().all(|it| it.len() == 2 && it[0] + it[1] == 0));
    });
}

#[test]
fn some_of_the_last_month_waits_for_a_category_and_some_is_split() {
    lives(&[DEMO], |life, _, today| {
        let since = today.saturating_sub(REVIEW_DAYS.days());
        let late = life.transactions.iter().filter(|it| it.kind == Kind::Normal && it.date > since);
        let late: Vec<_> = late.collect();
        let open = late.iter().filter(|it| it.category_id.is_none() && it.splits.is_empty()).count();
        assert!((50..=80).contains(&(open * 1_000 / late.len())), "{open} of {}", late.len());
        assert!(life.transactions.iter().filter(|it| !it.splits.is_empty()).count() > 5);
    });
}

#[test]
fn one_budget_is_exceeded_and_another_nearly_used_up() {
    lives(&[DEMO], |life, categories, today| {
        let budgets = budgets::plan(Month::of(today), categories, &life.transactions, Timestamp::UNIX_EPOCH);
        let used = |it: &crate::domain::budget::Budget| it.spent_cents * 100 / it.amount_cents;
        let exceeded = budgets.iter().filter(|it| used(it) > 100).count();
        let nearly = budgets.iter().filter(|it| (85..=100).contains(&used(it))).count();
        let spent_on = budgets.iter().filter(|it| it.spent_cents > 0).count();
        assert_eq!(budgets.len(), 5);
        // On the first days of a month little was bought yet.
        assert_eq!((exceeded, nearly), (spent_on.min(1), spent_on.saturating_sub(1).min(1)));
    });
}

#[test]
fn as_many_wait_for_a_category_as_are_wanted() {
    let categories = categories();
    let size = Size { known: 200, waiting: 300 };
    let life = life(&mut Rng::with_seed(1), day("2026-11-18"), size, &categories, Timestamp::UNIX_EPOCH);
    assert_eq!(life.transactions.len(), 500);
    let waits =
        |it: &&Transaction| it.kind == Kind::Normal && it.category_id.is_none() && it.splits.is_empty();
    assert_eq!(life.transactions.iter().filter(waits).count(), 300);
}
