//! Numbers as people read them.

/// `1,234,567`
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits: `0.52 ms`, `18.3 ms`, `182 ms`, `1.38 s`.
pub(super) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 10_000.0 => format!("{:.2} s", ms / 1000.0),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// Never rounds a failure away: `0 %`, `< 0.001 %`, `0.02 %`, `99.98 %`, `100 %` only if all.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if percent > 0.0 && percent < 0.001 {
        return "< 0.001 %".to_owned();
    }
    if percent < 100.0 && percent > 99.999 {
        return "> 99.999 %".to_owned();
    }
    let decimals = match percent {
        percent if !(0.1..=99.9).contains(&percent) => 3,
        percent if !(10.0..=90.0).contains(&percent) => 2,
        _ => 1,
    };
    format!("{} %", trimmed(percent, decimals))
}

/// `1.2 MB`, in powers of 1,000.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{} {}", trimmed(value, 1), UNITS[unit])
}

/// `17:00`, `1:02:03`
pub(super) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A level or a rate: `1,000`, `12.5`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and whole there")]
pub(super) fn level(level: f64) -> String {
    if level >= 100.0 || level.fract() == 0.0 { count(level.round() as u64) } else { trimmed(level, 1) }
}

/// Without zeros at the end.
pub(super) fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One line without control characters, at most `max` characters long.
pub(super) fn line(text: &str, max: usize) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = characters.by_ref().take(max).collect();
    if characters.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_read_easily() {
        let check = |text: String, expected: &str| assert_eq!(text, expected);
        check(super::count(7), "7");
        check(super::count(1_234_567), "1,234,567");
        check(super::milliseconds(0.517), "0.52 ms");
        check(super::milliseconds(182.4), "182 ms");
        check(super::milliseconds(1_384.0), "1.38 s");
        check(super::milliseconds(12_400.0), "12.4 s");
        check(super::percent(0.0), "0 %");
        check(super::percent(0.000_000_1), "< 0.001 %");
        check(super::percent(0.000_2), "0.02 %");
        check(super::percent(0.999_999_9), "> 99.999 %");
        check(super::percent(0.998), "99.8 %");
        check(super::percent(1.0), "100 %");
        check(super::bytes(999), "999 B");
        check(super::bytes(1_240_000), "1.2 MB");
        check(super::clock(1020), "17:00");
        check(super::clock(3723), "1:02:03");
        check(super::level(1000.0), "1,000");
        check(super::level(12.5), "12.5");
        check(super::line("a\u{1b}[31mb\nc", 20), "a [31mb c");
        check(super::line("abcdef", 4), "abc…");
    }
}
