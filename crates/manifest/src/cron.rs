//! When a schedule ticks: cron with a time zone, or every so often. Pure: the present comes in as a value.

use std::fmt;
use std::time::Duration;

use cronexpr::{Crontab, MakeTimestamp};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// The ticks of a schedule, in order.
#[derive(Clone, Debug)]
pub struct Cron {
    /// As written.
    text: String,
    zone: TimeZone,
    ticks: Ticks,
}

#[derive(Clone, Debug)]
enum Ticks {
    /// The hours are any (`*`, `*/2`): every real hour counts, also the one that clocks show twice.
    EveryHour(Box<Crontab>),
    /// The hours are named: what the clock on the wall says, as if it were UTC's. A time that the clock jumps over
    /// comes as much later as the clock was put forward, and a time it shows twice counts the first time (the rule
    /// of Vixie's cron).
    OnTheWall(Box<Crontab>),
    /// Multiples of this since 1970-01-01 UTC, so that all processes mean the same ones.
    Every(Duration),
}

/// The shortest `@every`; the platform looks once a second.
const EVERY_MIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCron {
    #[error("{0}")]
    Expression(String),
    #[error("no such time zone; names are like America/Sao_Paulo")]
    Zone,
    #[error("@every wants a duration of at least 1s, such as `@every 15m`")]
    Every,
    #[error("it never comes")]
    Never,
}

impl Cron {
    /// `text` is five fields (minute, hour, day of month, month, day of week) or `@every 15m`; `zone` is an IANA name.
    pub fn parse(text: &str, zone: &str) -> Result<Self, BadCron> {
        let of_zone = TimeZone::get(zone).map_err(|_unknown| BadCron::Zone)?;
        let ticks = match text.trim().strip_prefix("@every") {
            Some(rest) => {
                let every = crate::units::duration(rest.trim()).map_err(|_wrong| BadCron::Every)?;
                if every < EVERY_MIN {
                    return Err(BadCron::Every);
                }
                Ticks::Every(every)
            }
            None => fields(text.trim(), zone)?,
        };
        let cron = Self { text: text.trim().to_owned(), zone: of_zone, ticks };
        // February 30th: say so now and not in silence for ever.
        cron.after(Timestamp::UNIX_EPOCH).map(|_tick| cron).ok_or(BadCron::Never)
    }

    /// The first tick later than `moment`; `None` beyond the end of time.
    pub fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        match &self.ticks {
            Ticks::Every(every) => {
                let every = i64::try_from(every.as_millis()).ok()?;
                let next = (moment.as_millisecond().div_euclid(every) + 1).checked_mul(every)?;
                Timestamp::from_millisecond(next).ok()
            }
            Ticks::EveryHour(cron) => cron.find_next(MakeTimestamp(moment)).ok().map(|tick| tick.timestamp()),
            Ticks::OnTheWall(cron) => self.after_on_the_wall(cron, moment),
        }
    }

    /// Clocks move by at most a few hours, so the tick sought is among those of the wall that begin a day before.
    fn after_on_the_wall(&self, cron: &Crontab, moment: Timestamp) -> Option<Timestamp> {
        let wall = moment.to_zoned(self.zone.clone()).datetime().checked_sub(1.day()).ok()?;
        let mut wall: Zoned = wall.to_zoned(TimeZone::UTC).ok()?;
        loop {
            wall = cron.find_next(MakeTimestamp(wall.timestamp())).ok()?;
            let tick = wall.datetime().to_zoned(self.zone.clone()).ok()?.timestamp();
            if tick > moment {
                return Some(tick);
            }
        }
    }
}

fn fields(text: &str, zone: &str) -> Result<Ticks, BadCron> {
    let all: Vec<&str> = text.split_whitespace().collect();
    let &[_, hour, ..] = all.as_slice() else {
        return Err(BadCron::Expression(
            "five fields: minute, hour, day of month, month, day of week".into(),
        ));
    };
    if all.len() != 5 {
        return Err(BadCron::Expression(format!(
            "five fields: minute, hour, day of month, month, day of week; these are {}",
            all.len()
        )));
    }
    let parse = |zone: &str| {
        let parsed = cronexpr::parse_crontab(&format!("{text} {zone}"));
        parsed.map(Box::new).map_err(|error| BadCron::Expression(reason(&error.to_string())))
    };
    if hour.starts_with('*') {
        Ok(Ticks::EveryHour(parse(zone)?))
    } else {
        Ok(Ticks::OnTheWall(parse("UTC")?))
    }
}

/// The library repeats the text with an arrow below; the reason comes last, behind the arrow.
fn reason(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default();
    last.trim_start_matches([' ', '^']).to_owned()
}

/// As written.
impl fmt::Display for Cron {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(text: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(text, zone).expect("a schedule");
        let mut at: Timestamp = from.parse().expect("a time");
        std::iter::repeat_with(|| {
            at = cron.after(at).expect("a tick");
            at.to_string()
        })
        .take(count)
        .collect()
    }

    #[test]
    fn a_schedule_ticks_in_its_own_zone() {
        let check = |text, zone, from, expected: &[&str]| {
            assert_eq!(ticks(text, zone, from, expected.len()), expected, "{text} {zone}");
        };
        check("0 6 1 * *", "UTC", "2026-11-21T10:00:00Z", &["2026-12-01T06:00:00Z", "2027-01-01T06:00:00Z"]);
        check("0 6 1 * *", "America/Sao_Paulo", "2026-11-21T10:00:00Z", &["2026-12-01T09:00:00Z"]);
        check(
            "30 9 * * MON",
            "UTC",
            "2026-11-21T10:00:00Z",
            &["2026-11-23T09:30:00Z", "2026-11-30T09:30:00Z"],
        );
        check("@every 15m", "UTC", "2026-11-21T10:00:00Z", &["2026-11-21T10:15:00Z", "2026-11-21T10:30:00Z"]);
        check("@every 7s", "UTC", "1970-01-01T00:00:08Z", &["1970-01-01T00:00:14Z"]);
        check("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z"]);
    }

    #[test]
    fn a_named_hour_comes_once_on_the_days_clocks_change() {
        // New York: on 2026-03-08 at 02:00 the clock goes to 03:00; on 2026-11-01 at 02:00 back to 01:00.
        let zone = "America/New_York";
        let spring = ["2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"];
        assert_eq!(ticks("30 2 * * *", zone, "2026-03-06T12:00:00Z", 3), spring);
        // Asked from within the hour that is not there, the tick of that day is still to come.
        assert_eq!(ticks("30 2 * * *", zone, "2026-03-08T07:10:00Z", 1), ["2026-03-08T07:30:00Z"]);
        let autumn = ["2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"];
        assert_eq!(ticks("30 1 * * *", zone, "2026-10-30T12:00:00Z", 3), autumn);
    }

    #[test]
    fn any_hour_means_every_real_hour() {
        let autumn = ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z"];
        assert_eq!(ticks("30 * * * *", "America/New_York", "2026-11-01T05:00:00Z", 3), autumn);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let check = |text, zone, expected: fn(&BadCron) -> bool| {
            let outcome = Cron::parse(text, zone).expect_err("refused");
            assert!(expected(&outcome), "{text} {zone}: {outcome:?}");
        };
        check("* * * *", "UTC", |error| matches!(error, BadCron::Expression(_)));
        check("61 * * * *", "UTC", |error| matches!(error, BadCron::Expression(_)));
        check("", "UTC", |error| matches!(error, BadCron::Expression(_)));
        check("0 0 30 2 *", "UTC", |error| *error == BadCron::Never);
        check("@every 0s", "UTC", |error| *error == BadCron::Every);
        check("@every soon", "UTC", |error| *error == BadCron::Every);
        check("* * * * *", "Atlantis", |error| *error == BadCron::Zone);
    }
}
