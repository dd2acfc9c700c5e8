//! Compares rows of a statement with the transactions its account has already.

use std::collections::{BTreeMap, HashSet, VecDeque};

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use uuid::Uuid;

/// How many days a transaction entered by hand may be away from its row: people note the day of the purchase,
/// banks the day it was booked, and a weekend may be between.
pub const DAYS_MAX: i32 = 3;

/// A row that can be imported.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub date: Date,
    pub amount_cents: i64,
    pub identity: &'a str,
}

/// A transaction of the account, whole: parts of a split one are never compared.
#[derive(Debug, Clone)]
pub struct Known {
    pub id: Uuid,
    pub date: Date,
    pub amount_cents: i64,
    /// None if it was entered by hand.
    pub identity: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// This very row was imported before.
    Imported(Uuid),
    /// A row before it in this file has its name: two statements of the file overlap.
    Repeated,
    /// Probably this one: by hand, or from another file that names its rows otherwise.
    Resembles(Uuid),
}

/// Judges each row. A transaction answers for one row at most, so of two equal rows none is lost.
///
/// `known` has the transactions around the rows' days; `imported` those with one of the rows' names, whatever
/// their day has become since.
pub fn judge(rows: &[Candidate<'_>], known: &[Known], imported: &BTreeMap<String, Uuid>) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::New; rows.len()];
    let mut names = HashSet::new();
    for (row, verdict) in rows.iter().zip(&mut verdicts) {
        if !names.insert(row.identity) {
            *verdict = Verdict::Repeated;
        } else if let Some(id) = imported.get(row.identity) {
            *verdict = Verdict::Imported(*id);
        }
    }
    let mut free = Free::new(known, &names);
    free.match_within(0, rows, &mut verdicts);
    for days in 1..=DAYS_MAX {
        free.match_within(days, rows, &mut verdicts);
    }
    verdicts
}

/// Transactions that do not answer for a row yet, by amount and day; oldest ids first.
struct Free<'a> {
    by_hand: BTreeMap<(i64, Date), VecDeque<&'a Known>>,
    /// From other files: the same day only, because banks do not change it.
    from_files: BTreeMap<(i64, Date), VecDeque<&'a Known>>,
}

impl<'a> Free<'a> {
    fn new(known: &'a [Known], names: &HashSet<&str>) -> Self {
        let mut free = Self { by_hand: BTreeMap::new(), from_files: BTreeMap::new() };
        for it in known {
            let place = match &it.identity {
                None => &mut free.by_hand,
                // It answers for the row of that name.
                Some(identity) if names.contains(identity.as_str()) => continue,
                Some(_) => &mut free.from_files,
            };
            place.entry((it.amount_cents, it.date)).or_default().push_back(it);
        }
        free
    }

    /// Matches rows still new with transactions exactly so many days away, earlier ones first.
    fn match_within(&mut self, days: i32, rows: &[Candidate<'_>], verdicts: &mut [Verdict]) {
        let distance: Span = days.days();
        for (row, verdict) in rows.iter().zip(verdicts) {
            if *verdict != Verdict::New {
                continue;
            }
            let around = [row.date.saturating_sub(distance), row.date.saturating_add(distance)];
            let mut found =
                around.into_iter().find_map(|day| take(&mut self.by_hand, (row.amount_cents, day)));
            if days == 0 {
                found = found.or_else(|| take(&mut self.from_files, (row.amount_cents, row.date)));
            }
            if let Some(known) = found {
                *verdict = Verdict::Resembles(known.id);
            }
        }
    }
}

fn take<'a>(free: &mut BTreeMap<(i64, Date), VecDeque<&'a Known>>, place: (i64, Date)) -> Option<&'a Known> {
    free.get_mut(&place)?.pop_front()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i8) -> Date {
        jiff::civil::date(2026, 11, day)
    }

    fn known(id: u128, on: i8, amount_cents: i64, identity: Option<&str>) -> Known {
        Known { id: Uuid::from_u128(id), date: day(on), amount_cents, identity: identity.map(str::to_owned) }
    }

    #[test]
    fn a_transaction_answers_for_one_row_at_most() {
        use Verdict::{Imported, New, Repeated, Resembles};
        let id = Uuid::from_u128;
        let check = |rows: &[(i8, i64, &str)], known: &[Known], expected: &[Verdict]| {
            let rows: Vec<_> = rows
                .iter()
                .map(|(on, amount_cents, identity)| Candidate {
                    date: day(*on),
                    amount_cents: *amount_cents,
                    identity,
                })
                .collect();
            let imported = known.iter().filter_map(|it| Some((it.identity.clone()?, it.id))).collect();
            assert_eq!(judge(&rows, known, &imported), expected);
        };
        check(&[(5, -100, "a"), (5, -100, "b")], &[], &[New, New]);
        check(&[(5, -100, "a"), (5, -100, "b")], &[known(1, 5, -100, Some("a"))], &[Imported(id(1)), New]);
        check(&[(5, -100, "a"), (5, -100, "b")], &[known(1, 5, -100, None)], &[Resembles(id(1)), New]);
        // The nearest day wins, whichever row comes first.
        check(&[(4, -100, "a"), (5, -100, "b")], &[known(1, 5, -100, None)], &[New, Resembles(id(1))]);
        check(&[(8, -100, "a")], &[known(1, 5, -100, None)], &[Resembles(id(1))]);
        check(&[(9, -100, "a")], &[known(1, 5, -100, None)], &[New]);
        check(&[(5, 100, "a")], &[known(1, 5, -100, None)], &[New]);
        // Another file's row of that day that this file does not have under its own name.
        check(&[(5, -100, "a")], &[known(1, 5, -100, Some("z"))], &[Resembles(id(1))]);
        check(&[(6, -100, "a")], &[known(1, 5, -100, Some("z"))], &[New]);
        // Moved to another day by its owner: still the same row.
        check(&[(5, -100, "a")], &[known(1, 20, -700, Some("a"))], &[Imported(id(1))]);
        check(&[(5, -100, "a"), (5, -100, "a")], &[], &[New, Repeated]);
    }
}
