//! Days as statements write them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::YEARS;

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    DayMonthYear,
    YearMonthDay,
    MonthDayYear,
}

/// Reads a day written with `/`, `-` or `.`; what follows it, such as a time, is ignored. Years of two digits
/// are of this century.
pub(super) fn parse(text: &str, order: Order) -> Option<Date> {
    let day = text.trim().split([' ', 'T', 't']).next()?;
    let mut parts = day.split(['/', '-', '.']);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = match order {
        Order::DayMonthYear => (c, b, a),
        Order::YearMonthDay => (a, b, c),
        Order::MonthDayYear => (c, a, b),
    };
    let year = match (year.len(), number(year)?) {
        (2, year) => 2_000 + year,
        (4, year) => year,
        _ => return None,
    };
    civil(year, number(month)?, number(day)?)
}

/// Reads the day of an OFX instant: `20261105`, `20261105120000.000[-3:BRT]`, or a day as people write it.
///
/// The day is taken as it stands, whatever zone follows: it is the bank's own day, and the zones banks write
/// (`[-03:EST]`, `[-:EST]`) are not to be trusted.
pub(super) fn parse_ofx(text: &str) -> Option<Date> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits >= 8 {
        return civil(number(&text[..4])?, number(&text[4..6])?, number(&text[6..8])?);
    }
    parse(text, Order::YearMonthDay).or_else(|| parse(text, Order::DayMonthYear))
}

fn number(text: &str) -> Option<i16> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn civil(year: i16, month: i16, day: i16) -> Option<Date> {
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    YEARS.contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_the_order_said() {
        let check = |text, order, expected: &str| {
            let found = parse(text, order).map_or(String::new(), |it| it.to_string());
            assert_eq!(found, expected, "{text}");
        };
        check("05/11/2026", Order::DayMonthYear, "2026-11-05");
        check(" 5/11/26 ", Order::DayMonthYear, "2026-11-05");
        check("05-11-2026 10:30", Order::DayMonthYear, "2026-11-05");
        check("2026-11-05T10:30:00", Order::YearMonthDay, "2026-11-05");
        check("11/05/2026", Order::MonthDayYear, "2026-11-05");
        check("31/02/2026", Order::DayMonthYear, "");
        check("05/11", Order::DayMonthYear, "");
        check("05/11/0026", Order::DayMonthYear, "");
        check("Total", Order::DayMonthYear, "");
        check("1/1/1/1", Order::DayMonthYear, "");
        check("+5/11/2026", Order::DayMonthYear, "");
    }

    #[test]
    fn the_day_of_an_ofx_instant_is_taken_as_it_stands() {
        let check = |text, expected: &str| {
            assert_eq!(parse_ofx(text).map_or(String::new(), |it| it.to_string()), expected, "{text}");
        };
        check("20161005000000[-03:EST]", "2016-10-05");
        check("20161005000000[-3:BRT]", "2016-10-05");
        check("20161005000000[-:EST]", "2016-10-05");
        check("20100826 ", "2010-08-26");
        check("20240115235959.999[0:GMT]", "2024-01-15");
        check("201610051200", "2016-10-05");
        check("2016-10-05", "2016-10-05");
        check("05/10/2016", "2016-10-05");
        check("00000000000000", "");
        check("20161305", "");
        check("2016", "");
        check("", "");
    }
}
