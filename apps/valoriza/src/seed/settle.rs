//! Makes the sums of an invented life come out: cards are paid, salaries cover what is spent, and what is left
//! on the checking account goes to savings.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use jiff::civil::Date;

use crate::domain::account::Account;
use crate::domain::calendar::Month;
use crate::domain::transaction::{Kind, Transaction};

pub(super) const BILL: &str = "PAGAMENTO FATURA CARTAO";
pub(super) const SAVED: &str = "TRANSF APLICACAO POUPANCA";
const REDEEMED: &str = "RESGATE POUPANCA";
const SALARY: &str = "CREDITO SALARIO";

/// What was bought by card before the story starts.
pub(super) const FIRST_BILL: i64 = 180_000;

/// Of a hundred earned, about this many are not spent.
const SURPLUS: i64 = 7;

/// People save round sums.
const SAVED_STEP: i64 = 5_000;

/// Makes each card bill what was bought by card in the month before.
pub(super) fn bills(made: &mut [Transaction], card: &Account) {
    let mut bought: HashMap<Month, i64> = HashMap::new();
    for purchase in made.iter().filter(|it| it.account_id == card.id && it.kind == Kind::Normal) {
        *bought.entry(Month::of(purchase.date)).or_default() -= purchase.amount_cents;
    }
    for side in made.iter_mut().filter(|it| it.description == BILL) {
        let bill = bought.get(&Month::of(side.date).previous()).copied().unwrap_or(FIRST_BILL);
        side.amount_cents = side.amount_cents.signum() * bill;
    }
}

/// Makes salaries, the same every month, cover what is spent with a modest surplus.
pub(super) fn salaries(made: &mut [Transaction]) {
    let is_salary = |it: &Transaction| it.description.starts_with(SALARY);
    let sum = |wanted: &dyn Fn(&Transaction) -> bool| -> i64 {
        made.iter().filter(|it| wanted(it)).map(|it| it.amount_cents).sum()
    };
    let spent = -sum(&|it| it.kind == Kind::Normal && it.amount_cents < 0);
    let earned = sum(&|it| it.kind == Kind::Normal && it.amount_cents > 0 && !is_salary(it));
    let salaries = sum(&is_salary);
    // Few transactions may be no reason to pay anybody.
    let wanted = (spent * 100 / (100 - SURPLUS) - earned).max(salaries / 4);
    for salary in made.iter_mut().filter(|it| is_salary(it)) {
        let exact = i128::from(salary.amount_cents) * i128::from(wanted) / i128::from(salaries);
        let exact = i64::try_from(exact).expect("a salary is at most all of them together");
        salary.amount_cents = round_up(exact, 1_000);
    }
}

/// Makes each month's savings what the checking account can spare until the next, or must get back: at the end
/// of every day from the first on, some hundreds of reais or more are left on it.
pub(super) fn savings(rng: &mut Rng, made: &mut [Transaction], checking: &Account) {
    let mut moved: BTreeMap<Date, i64> = BTreeMap::new();
    for it in made.iter().filter(|it| it.account_id == checking.id && it.description != SAVED) {
        *moved.entry(it.date).or_default() += it.amount_cents;
    }
    let mut days: Vec<Date> = made.iter().filter(|it| it.description == SAVED).map(|it| it.date).collect();
    days.dedup();
    let mut saved_before = 0;
    for (position, day) in days.iter().enumerate() {
        let balance = |end: Date| {
            checking.opening_balance_cents + moved.range(..=end).map(|(_, cents)| cents).sum::<i64>()
                - saved_before
        };
        let next = days.get(position + 1).copied().unwrap_or(Date::MAX);
        let least = moved.range(*day..next).map(|(end, _)| balance(*end)).fold(balance(*day), std::cmp::min);
        let spare = least - rng.i64(90_000..260_000);
        let saved = match spare.div_euclid(SAVED_STEP) * SAVED_STEP {
            0 => SAVED_STEP,
            saved => saved,
        };
        saved_before += saved;
        for side in made.iter_mut().filter(|it| it.date == *day && it.description == SAVED) {
            side.amount_cents *= saved;
            if saved < 0 {
                REDEEMED.clone_into(&mut side.description);
            }
        }
    }
}

fn round_up(cents: i64, step: i64) -> i64 {
    cents.div_euclid(step) * step + step
}
