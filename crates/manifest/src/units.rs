//! Durations, sizes, percentages and rates: `"1m30s"`, `"512MiB"`, `"0.5%"`, `"500/s"`.
//!
//! Errors are constants: what was wrong with a value is said without repeating the value.

use std::time::Duration;

/// Milliseconds in each unit, largest first.
const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Bytes in each unit, largest first. `KB` is what people write for `kB`.
const SIZES: [(&str, u64); 10] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

const NO_UNIT: &str = "a number without a unit";
const NOT_WHOLE: &str = "not a whole number with a unit";
const TOO_LARGE: &str = "too large to count";

/// Reads `"300ms"`, `"30s"`, `"5m"`, `"1h"`, `"7d"`, or several from large to small: `"1m30s"`.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    loop {
        let (number, unit, after) = part(rest)?;
        let Some((_, scale)) = TIMES.iter().find(|(name, _)| *name == unit) else {
            return Err("its unit is not one of ms, s, m, h, d");
        };
        if *scale >= last {
            return Err("its units do not go from large to small");
        }
        total = number.checked_mul(*scale).and_then(|ms| total.checked_add(ms)).ok_or(TOO_LARGE)?;
        if after.is_empty() {
            return Ok(Duration::from_millis(total));
        }
        (rest, last) = (after, *scale);
    }
}

/// Reads `"100B"`, `"64KiB"`, `"512MiB"`, `"1GB"`: powers of 1024 with the `i`, of 1000 without.
pub fn size(text: &str) -> Result<u64, &'static str> {
    let (number, unit, after) = part(text)?;
    if !after.is_empty() {
        return Err(NOT_WHOLE);
    }
    match SIZES.iter().find(|(name, _)| *name == unit) {
        Some((_, scale)) => number.checked_mul(*scale).ok_or(TOO_LARGE),
        None => Err("its unit is not one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB"),
    }
}

/// Reads `"0.5%"` as 0.005, up to `"100%"`.
pub fn ratio(text: &str) -> Result<f64, &'static str> {
    let percent = decimal(text.strip_suffix('%').ok_or("a number without `%`")?)?;
    if percent <= 100.0 { Ok(percent / 100.0) } else { Err("more than 100 %") }
}

/// Reads `"500/s"`, `"0.5/s"`, `"30/m"` or `"10/h"` as so many per second.
pub fn rate(text: &str) -> Result<f64, &'static str> {
    let (number, unit) = text.split_once('/').ok_or("a number without `/s`")?;
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("it is not per s, m or h"),
    };
    Ok(decimal(number)? / seconds)
}

/// Digits, perhaps a point and more digits.
fn decimal(text: &str) -> Result<f64, &'static str> {
    const NOT_A_NUMBER: &str = "not a number with a unit";
    // `parse` alone takes `inf`, `1e9` and `+1` too.
    let plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok().ok_or(NOT_A_NUMBER) } else { Err(NOT_A_NUMBER) }
}

/// What [`ratio`] reads as this, to a thousandth of a percent.
pub fn ratio_text(ratio: f64) -> String {
    format!("{}%", (ratio * 100_000.0).round() / 1000.0)
}

/// What [`rate`] reads as this.
pub fn rate_text(per_second: f64) -> String {
    format!("{per_second}/s")
}

/// The shortest text that [`duration`] reads as this many whole milliseconds.
pub fn duration_text(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let seconds_unit = ("s", 1_000);
    let (unit, scale) = if ms == 0 { seconds_unit } else { largest_divisor(&TIMES, ms) };
    format!("{}{unit}", ms / scale)
}

/// The shortest text that [`size`] reads as this many bytes.
pub fn size_text(bytes: u64) -> String {
    let (unit, scale) = if bytes == 0 { ("B", 1) } else { largest_divisor(&SIZES, bytes) };
    format!("{}{unit}", bytes / scale)
}

fn largest_divisor(units: &[(&'static str, u64)], value: u64) -> (&'static str, u64) {
    units.iter().find(|(_, scale)| value.is_multiple_of(*scale)).copied().unwrap_or(("", 1))
}

/// Splits `30s…` into 30, `s` and what follows.
fn part(text: &str) -> Result<(u64, &str, &str), &'static str> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(letters);
    if number.is_empty() || (unit.is_empty() && !after.is_empty()) {
        return Err(NOT_WHOLE);
    }
    let Ok(number) = number.parse() else { return Err(TOO_LARGE) };
    if unit.is_empty() {
        return Err(NO_UNIT);
    }
    Ok((number, unit, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_carry_their_unit() {
        let check = |text: &str, expected: Result<u64, &str>| {
            assert_eq!(duration(text), expected.map(Duration::from_millis), "{text:?}");
        };
        check("300ms", Ok(300));
        check("30s", Ok(30_000));
        check("5m", Ok(300_000));
        check("1h", Ok(3_600_000));
        check("7d", Ok(604_800_000));
        check("1m30s", Ok(90_000));
        check("1d2h3m4s5ms", Ok(93_784_005));
        check("0s", Ok(0));
        check("30", Err(NO_UNIT));
        check("1m30", Err(NO_UNIT));
        check("", Err(NOT_WHOLE));
        check("s", Err(NOT_WHOLE));
        check("1.5s", Err(NOT_WHOLE));
        check("-1s", Err(NOT_WHOLE));
        check("30 s", Err(NOT_WHOLE));
        check("30sec", Err("its unit is not one of ms, s, m, h, d"));
        check("30s1m", Err("its units do not go from large to small"));
        check("1s1s", Err("its units do not go from large to small"));
        check("99999999999999999999s", Err(TOO_LARGE));
        check("18446744073709551615d", Err(TOO_LARGE));
    }

    #[test]
    fn sizes_carry_their_unit() {
        let check = |text: &str, expected| assert_eq!(size(text), expected, "{text:?}");
        check("100B", Ok(100));
        check("64KiB", Ok(65_536));
        check("512MiB", Ok(536_870_912));
        check("1GB", Ok(1_000_000_000));
        check("5kB", Ok(5_000));
        check("1024", Err(NO_UNIT));
        check("512M", Err("its unit is not one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB"));
        check("1GB1MB", Err(NOT_WHOLE));
        check("99999999TiB", Err(TOO_LARGE));
    }

    #[test]
    fn ratios_are_percentages() {
        let check = |text: &str, expected| assert_eq!(ratio(text), expected, "{text:?}");
        check("0.5%", Ok(0.005));
        check("99.95%", Ok(0.9995));
        check("100%", Ok(1.0));
        check("0%", Ok(0.0));
        check("0.005", Err("a number without `%`"));
        check("100.1%", Err("more than 100 %"));
        for text in ["%", "-1%", "+1%", "1 %", "1e1%", "inf%", "NaN%", ".5%", "1.2.3%"] {
            check(text, Err("not a number with a unit"));
        }
        assert_eq!(ratio_text(0.9995), "99.95%");
    }

    #[test]
    fn rates_are_per_second() {
        let check = |text: &str, expected| assert_eq!(rate(text), expected, "{text:?}");
        check("500/s", Ok(500.0));
        check("0.5/s", Ok(0.5));
        check("30/m", Ok(0.5));
        check("3600/h", Ok(1.0));
        check("500", Err("a number without `/s`"));
        check("500/d", Err("it is not per s, m or h"));
        check("x/s", Err("not a number with a unit"));
        assert_eq!(rate_text(0.5), "0.5/s");
    }

    proptest! {
        #[test]
        fn a_duration_survives_its_text(ms: u64) {
            let duration_ = Duration::from_millis(ms);
            prop_assert_eq!(duration(&duration_text(duration_)), Ok(duration_));
        }

        #[test]
        fn a_size_survives_its_text(bytes: u64) {
            prop_assert_eq!(size(&size_text(bytes)), Ok(bytes));
        }
    }
}
