//! Balances the file states, checked against its own movements.

use super::{Row, WARNINGS_MAX, amount};

/// What a line of a statement says about money, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub line: u64,
    /// The movement, if the line is one.
    pub amount_cents: Option<i64>,
    /// The balance after it, if the line says.
    pub balance_cents: Option<i64>,
}

/// What balances tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Check {
    pub opening_cents: Option<i64>,
    pub warnings: Vec<String>,
}

/// Checks the balances of `entries`, be they oldest or newest first.
pub(super) fn check(entries: &[Entry]) -> Check {
    let oldest_first = walk(entries.iter());
    if oldest_first.mismatches == 0 {
        return oldest_first.check;
    }
    let newest_first = walk(entries.iter().rev());
    if newest_first.mismatches < oldest_first.mismatches { newest_first.check } else { oldest_first.check }
}

struct Walk {
    mismatches: usize,
    check: Check,
}

fn walk<'a>(entries: impl Iterator<Item = &'a Entry>) -> Walk {
    let mut balance: Option<i64> = None;
    let mut moved = 0i64; // by the entries before the first stated balance
    let mut found = Walk { mismatches: 0, check: Check::default() };
    for entry in entries {
        let amount = entry.amount_cents.unwrap_or(0);
        moved = moved.saturating_add(amount);
        balance = balance.map(|it| it.saturating_add(amount));
        let Some(stated) = entry.balance_cents else { continue };
        match balance {
            None => found.check.opening_cents = Some(stated.saturating_sub(moved)),
            Some(reckoned) if reckoned != stated => {
                found.mismatches += 1;
                if found.mismatches <= WARNINGS_MAX {
                    found.check.warnings.push(format!(
                        "Linha {}: o saldo deveria ser {} e o arquivo diz {}; pode faltar um lançamento.",
                        entry.line,
                        amount::format(reckoned),
                        amount::format(stated),
                    ));
                }
            }
            Some(_) => {}
        }
        balance = Some(stated);
    }
    if found.mismatches > WARNINGS_MAX {
        found.check.warnings.push(format!("O saldo não confere em {} linhas ao todo.", found.mismatches));
    }
    found
}

/// The balance before `rows` of which `closing` is the balance after; unknown if one of them is.
pub(super) fn before(rows: &[Row], closing: i64) -> Option<i64> {
    let amounts = rows.iter().map(|row| row.amount_cents);
    amounts.into_iter().try_fold(closing, |balance, amount| balance.checked_sub(amount?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(list: &[(Option<i64>, Option<i64>)]) -> Vec<Entry> {
        let entry = |((amount_cents, balance_cents), line)| Entry { line, amount_cents, balance_cents };
        list.iter().copied().zip(1..).map(entry).collect()
    }

    #[test]
    fn balances_are_checked_in_the_order_that_fits() {
        let check = |list: &[(Option<i64>, Option<i64>)], opening: Option<i64>, warnings: usize| {
            let found = super::check(&entries(list));
            assert_eq!((found.opening_cents, found.warnings.len()), (opening, warnings), "{list:?}");
        };
        check(&[(Some(10), Some(110)), (Some(-5), Some(105))], Some(100), 0);
        check(&[(Some(-5), Some(105)), (Some(10), Some(110))], Some(100), 0);
        check(&[(None, Some(100)), (Some(10), None), (Some(-5), None), (None, Some(105))], Some(100), 0);
        check(&[(Some(10), None), (Some(10), Some(120))], Some(100), 0);
        check(&[(Some(10), Some(110)), (Some(-5), Some(104)), (Some(1), Some(105))], Some(100), 1);
        check(&[(Some(10), None)], None, 0);
        check(&[], None, 0);
        let wrong: Vec<_> = (0..10).map(|n| (Some(7), Some(n * n * 1_000))).collect();
        assert_eq!(super::check(&entries(&wrong)).warnings.len(), WARNINGS_MAX + 1);
    }
}
