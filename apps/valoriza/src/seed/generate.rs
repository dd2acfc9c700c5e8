//! A financial life: accounts, a year and a half of monthly bills, card bills and savings, and purchases in between.

use std::collections::HashMap;

use fastrand::Rng;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::settle;
use super::statement::{self, MONTHLY, Paid};
use crate::domain::account::{Account, Kind as AccountKind};
use crate::domain::calendar::Month;
use crate::domain::categorised::Categorised;
use crate::domain::category::Category;
use crate::domain::money::Currency;
use crate::domain::transaction::{Kind, Split, Transaction};

/// How far back it goes.
const MONTHS: i32 = 18;

/// Of these days' transactions some still wait for a category; what is older was looked through.
const REVIEW_DAYS: i32 = 30;
/// Of a thousand of them.
const UNCATEGORISED: usize = 65;

/// How many transactions a life has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Looked through, but for some of the latest.
    pub known: usize,
    /// Latest purchases beyond those, none of which has a category yet.
    pub waiting: usize,
}

pub(super) struct Life {
    pub accounts: Vec<Account>,
    pub transactions: Vec<Transaction>,
}

/// Makes transactions up to `today`; fewer known ones than the monthly keeps the latest of those.
pub(super) fn life(rng: &mut Rng, today: Date, size: Size, categories: &[Category], now: Timestamp) -> Life {
    let mut accounts = vec![
        account("Conta corrente", AccountKind::Checking, 250_000, now),
        account("Cartão de crédito", AccountKind::CreditCard, -settle::FIRST_BILL, now),
        account("Poupança", AccountKind::Savings, 800_000, now),
        account("Carteira", AccountKind::Cash, 15_000, now),
    ];
    let ids = [accounts[0].id, accounts[1].id, accounts[2].id];
    let categories = categories.iter().map(|it| (it.name.clone(), it.id)).collect();
    let city = statement::city(rng);
    let mut maker = Maker { rng, city, today, now, ids, categories, made: Vec::new() };
    maker.monthly();
    maker.keep_latest(size.known);
    let monthly = maker.made.len();
    while maker.made.len() < size.known {
        maker.purchase();
    }
    if size.waiting == 0 {
        maker.forget_categories(monthly);
    }
    for _ in 0..size.waiting {
        maker.purchase();
        maker.forget_last();
    }
    let mut transactions = maker.made;
    transactions.sort_by_key(|it| it.date);
    settle::bills(&mut transactions, &accounts[1]);
    settle::salaries(&mut transactions);
    settle::savings(rng, &mut transactions, &accounts[0]);
    for account in &mut accounts {
        let moved: i64 =
            transactions.iter().filter(|it| it.account_id == account.id).map(|it| it.amount_cents).sum();
        account.balance_cents += moved;
    }
    Life { accounts, transactions }
}

fn account(name: &str, kind: AccountKind, opening_balance_cents: i64, now: Timestamp) -> Account {
    Account {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        kind,
        currency: Currency::Brl,
        opening_balance_cents,
        balance_cents: opening_balance_cents,
        archived: false,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

struct Maker<'a> {
    rng: &'a mut Rng,
    today: Date,
    now: Timestamp,
    /// Checking, card, savings.
    ids: [Uuid; 3],
    /// Where they live, and so where they buy.
    city: &'static str,
    categories: HashMap<String, Uuid>,
    made: Vec<Transaction>,
}

impl Maker<'_> {
    fn monthly(&mut self) {
        let [checking, card, savings] = self.ids;
        let mut month = Month::of(self.today.saturating_sub(MONTHS.months()));
        while month.first_day() <= self.today {
            let first = month.first_day();
            for (day, text, category, cents, varies) in MONTHLY {
                let percent = 100 + self.rng.i64(-varies..=*varies);
                let account = match *text {
                    text if text.starts_with("COMPRA CARTAO") => card,
                    "RENDIMENTO POUPANCA" => savings,
                    _ => checking,
                };
                self.push(
                    account,
                    day_of(first, *day),
                    (*text).to_owned(),
                    cents * percent / 100,
                    Some(category),
                );
            }
            // How much is settled once it is known what everything else costs.
            self.transfer([checking, card], day_of(first, 16), settle::BILL);
            self.transfer([checking, savings], day_of(first, 8), settle::SAVED);
            month = month.next();
        }
        let today = self.today;
        self.made.retain(|it| it.date <= today);
    }

    /// Keeps at most `count`, the latest, and never one side of a transfer alone.
    fn keep_latest(&mut self, count: usize) {
        self.made.sort_by_key(|it| (it.date, it.transfer_id));
        self.made.drain(..self.made.len().saturating_sub(count));
        let sides = |made: &[Transaction], id| made.iter().filter(|it| it.transfer_id == Some(id)).count();
        if let Some(id) = self.made.first().and_then(|it| it.transfer_id)
            && sides(&self.made, id) == 1
        {
            self.made.remove(0);
        }
    }

    fn purchase(&mut self) {
        let kind = statement::purchase(self.rng);
        let back = self.rng.i32(0..MONTHS * 30);
        let date = self.today.saturating_sub(back.days());
        let (least, most) = kind.cents;
        // The smaller of two draws: small purchases are the common ones.
        let cents = -self.rng.i64(least..=most).min(self.rng.i64(least..=most));
        let text = statement::describe(self.rng, kind, self.city);
        let [checking, card, _] = self.ids;
        let account = if kind.paid == Paid::Card { card } else { checking };
        self.push(account, date, text, cents, Some(kind.category));
        if kind.category == "Supermercado" && self.rng.u8(..100) < 15 {
            self.split_last();
        }
    }

    /// Takes the category of some late purchases, as if nobody had looked at them yet; the first `monthly` made
    /// are not purchases.
    fn forget_categories(&mut self, monthly: usize) {
        let since = self.today.saturating_sub(REVIEW_DAYS.days());
        let late = |it: &Transaction| it.kind == Kind::Normal && it.date > since;
        let wanted = (self.made.iter().filter(|it| late(it)).count() * UNCATEGORISED + 500) / 1_000;
        let mut candidates: Vec<_> =
            self.made[monthly..].iter_mut().filter(|it| late(it) && it.splits.is_empty()).collect();
        self.rng.shuffle(&mut candidates);
        for purchase in candidates.into_iter().take(wanted) {
            purchase.category_id = None;
            purchase.categorised = None;
        }
    }

    /// Makes the last purchase one of the last days, which nobody has looked at.
    fn forget_last(&mut self) {
        let date = self.today.saturating_sub(self.rng.i32(0..REVIEW_DAYS).days());
        if let Some(last) = self.made.last_mut() {
            last.date = date;
            last.category_id = None;
            last.categorised = None;
            last.splits.clear();
        }
    }

    /// Splits the last transaction between the market and the house.
    fn split_last(&mut self) {
        let part = |category: &str, cents| Split {
            id: Uuid::now_v7(),
            category_id: self.categories.get(category).copied(),
            amount_cents: cents,
            description: None,
        };
        let Some(last) = self.made.last() else { return };
        let house = last.amount_cents / 4;
        let splits = vec![part("Supermercado", last.amount_cents - house), part("Casa e decoração", house)];
        if let Some(last) = self.made.last_mut() {
            last.category_id = None;
            last.categorised = None;
            last.splits = splits;
        }
    }

    fn push(
        &mut self,
        account: Uuid,
        date: Date,
        description: String,
        amount_cents: i64,
        category: Option<&str>,
    ) {
        let category_id = category.and_then(|name| self.categories.get(name)).copied();
        self.made.push(Transaction {
            id: Uuid::now_v7(),
            account_id: account,
            date,
            description,
            notes: None,
            amount_cents,
            currency: Currency::Brl,
            category_id,
            kind: Kind::Normal,
            transfer_id: None,
            transfer_account_id: None,
            splits: Vec::new(),
            tags: Vec::new(),
            categorised: category_id.map(|_| Categorised::by_user(self.now)),
            suggestion: None,
            import_id: None,
            version: 1,
            created_at: self.now,
            updated_at: self.now,
        });
    }

    /// Moves one centavo, for [`settle`] to make more of.
    fn transfer(&mut self, accounts: [Uuid; 2], date: Date, description: &str) {
        let transfer_id = Uuid::now_v7();
        for (account, other, cents) in [(accounts[0], accounts[1], -1), (accounts[1], accounts[0], 1)] {
            self.push(account, date, description.to_owned(), cents, None);
            if let Some(side) = self.made.last_mut() {
                side.kind = Kind::Transfer;
                side.transfer_id = Some(transfer_id);
                side.transfer_account_id = Some(other);
            }
        }
    }
}

fn day_of(first: Date, day: i8) -> Date {
    first.saturating_add((day - 1).days())
}

#[cfg(test)]
mod tests;
