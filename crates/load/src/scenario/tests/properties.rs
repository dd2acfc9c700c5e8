//! No input panics. More cases: `PROPTEST_CASES=100000 cargo test`.

use mare_manifest::Colour;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::read;

const VALID: &str = include_str!("whole.toml");

/// What mutations insert: the grammar's own words, and what parsers stumble over.
const PIECES: [&str; 30] = [
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "'''",
    "\\",
    "\n",
    "#",
    ",",
    ".",
    "$",
    "${",
    "${env.",
    "$${",
    "${random(",
    "${number(",
    ")",
    "é",
    "😀",
    "\u{feff}",
    "\0",
    "-1",
    "1e999",
    "?",
    "users = 1",
];

fn survives(source: &str) -> Result<(), TestCaseError> {
    match read(source) {
        Ok(scenario) => {
            prop_assert!(scenario.flows.iter().all(|flow| !flow.steps.is_empty()));
            prop_assert!(!scenario.stages.is_empty() && !scenario.duration().is_zero());
        }
        Err(mistakes) => prop_assert!(mistakes.render(Colour::Never).starts_with("error: ")),
    }
    Ok(())
}

fn mutate(source: &str, (at, removed, piece): &(Index, usize, &str)) -> String {
    let mut chars: Vec<char> = source.chars().collect();
    let at = at.index(chars.len() + 1);
    let end = chars.len().min(at + removed);
    chars.splice(at..end, piece.chars());
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(source in any::<String>()) {
        survives(&source)?;
    }

    #[test]
    fn mutated_scenarios_do_not_panic(
        mutations in prop::collection::vec((any::<Index>(), 0..30_usize, select(&PIECES[..])), 1..6)
    ) {
        survives(&mutations.iter().fold(VALID.to_owned(), |source, mutation| mutate(&source, mutation)))?;
    }

    #[test]
    fn arbitrary_values_do_not_panic(value in any::<String>()) {
        let value = serde_json::Value::from(value);
        survives(&format!(
            "name = {value}\nmanifest = {value}\n[target]\nurl = {value}\nhttp = {value}\n[[stages]]\nrate = {value}\n\
             [[flows]]\nthink = {value}\n[[flows.steps]]\nrequest = {value}\nheaders = {{ {value} = {value} }}\n\
             json = {{ {value} = {value} }}\nform = {{ {value} = {value} }}\nbody = {value}\n\
             extract = {{ {value} = {value} }}\nexpect = {{ contains = {value}, json = {{ {value} = {value} }} }}\n\
             [feeds.a]\nfile = {value}\norder = {value}\n[thresholds.a]\nstep = {value}\nerrors = {value}\n"
        ))?;
    }

    #[test]
    fn arbitrary_requests_do_not_panic(path in any::<String>()) {
        let request = serde_json::Value::from(format!("GET /${{{path}}}"));
        survives(&super::with_step(&format!("request = {request}\n")))?;
    }
}
