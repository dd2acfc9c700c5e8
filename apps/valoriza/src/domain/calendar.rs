//! Days and months, and what day it is in Brazil.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde::{Serialize, Serializer};

/// São Paulo's offset. Brazil has had no summer time since 2019 (decree 9,772), so that a fixed offset is
/// exact and no time zone database has to be there.
const SAO_PAULO: Offset = Offset::constant(-3);

/// Years a date may have; everything between is four digits, so text order is time order.
pub const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// The day it is in São Paulo.
pub fn today(now: Timestamp) -> Date {
    SAO_PAULO.to_datetime(now).date()
}

/// Reads `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<Date> {
    let date: Date = (text.len() == 10).then(|| text.parse().ok()).flatten()?;
    (YEARS.contains(&date.year()) && date.to_string() == text).then_some(date)
}

/// A month of a year, written `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

impl Month {
    /// The month `date` is in.
    pub fn of(date: Date) -> Self {
        Self(date.first_of_month())
    }

    pub fn first_day(self) -> Date {
        self.0
    }

    pub fn last_day(self) -> Date {
        self.0.last_of_month()
    }

    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1.month()))
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1.month()))
    }

    /// As people write it: `novembro de 2026`.
    pub fn in_words(self) -> String {
        const NAMES: [&str; 12] = [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ];
        let number = usize::try_from(self.0.month()).expect("1 to 12");
        format!("{} de {}", NAMES[number - 1], self.0.year())
    }

    pub fn days(self) -> impl Iterator<Item = Date> {
        self.0.series(1.day()).take_while(move |day| *day <= self.last_day())
    }
}

impl Default for Month {
    fn default() -> Self {
        Self::of(Date::constant(YEARS.start().to_owned(), 1, 1))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the month: write it as 2026-11")]
pub struct NotAMonth;

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        parse_date(&format!("{text}-01")).map(Self).ok_or(NotAMonth)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_dates_of_sensible_years_are_read() {
        let check = |text, expected: bool| assert_eq!(parse_date(text).is_some(), expected, "{text}");
        check("2026-02-28", true);
        check("2026-02-29", false);
        check("2024-02-29", true);
        check("1899-12-31", false);
        check("26-1-1", false);
        check("2026-11-01T00:00", false);
        check("20261101", false);
    }

    #[test]
    fn a_month_knows_its_neighbours_and_days() {
        let month: Month = "2026-02".parse().unwrap();
        assert_eq!(month.days().count(), 28);
        assert_eq!(month.previous().to_string(), "2026-01");
        assert_eq!("2026-12".parse::<Month>().unwrap().next().to_string(), "2027-01");
        assert_eq!(month.in_words(), "fevereiro de 2026");
        assert!("2026-13".parse::<Month>().is_err());
        assert!("2026-1".parse::<Month>().is_err());
    }

    #[test]
    fn the_day_changes_at_midnight_in_sao_paulo() {
        let check = |now: &str, expected: &str| {
            assert_eq!(today(now.parse().unwrap()).to_string(), expected, "{now}");
        };
        check("2026-12-01T02:59:59Z", "2026-11-30");
        check("2026-12-01T03:00:00Z", "2026-12-01");
    }
}
