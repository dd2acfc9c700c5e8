//! The samples of tests/statements, modelled on what banks really write; what we print; and anything else.

mod oracle;
mod printed;
mod samples;

use std::fmt::Write;

use super::*;

fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/statements/");
    std::fs::read(format!("{folder}{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read_sample(name: &str) -> (Profile, Vec<Statement>) {
    let hints = Hints { filename: name, ..Hints::default() };
    match read(&sample(name), &hints).expect("the sample is read") {
        Reading::Statements { profile, statements } => (profile, statements),
        Reading::Unknown(sample) => panic!("{name} is unknown: {sample:?}"),
    }
}

/// A statement as short text: source, period, opening balance, then a line per row.
fn show(statement: &Statement) -> String {
    let day = |it: Option<Date>| it.map_or("-".to_owned(), |it| it.to_string());
    let opening = statement.opening_cents.map_or("-".to_owned(), amount::format);
    let Source { bank, number, label } = &statement.source;
    let (from, to) = (day(statement.from), day(statement.to));
    let mut text = format!("{bank} {number} ({label}) {from}..{to} {opening}\n");
    for row in &statement.rows {
        let amount = row.amount_cents.map_or("-".to_owned(), amount::format);
        let problem = row.problem.as_ref().map(|it| format!(" ! {it}")).unwrap_or_default();
        writeln!(text, "{} {amount} {}{problem}", day(row.date), row.description).unwrap();
    }
    for warning in &statement.warnings {
        writeln!(text, "? {warning}").unwrap();
    }
    text
}
