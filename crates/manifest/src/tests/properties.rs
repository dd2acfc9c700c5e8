//! No input panics, and mistakes always point into the file. More cases: `PROPTEST_CASES=100000 cargo test`.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::read;
use crate::model::guard::{Credentials, Require};
use crate::{Colour, Manifest};

const VALID: &str = include_str!("whole.toml");

/// What mutations insert: the grammar's own words, and what parsers stumble over.
const PIECES: [&str; 32] = [
    "[", "]", "[[", "]]", "{", "}", "=", "\"", "'", "'''", "\\", "\n", "\r\n", "#", ",", ".", "$", "${",
    "${X:-", "$PORT", "é", "😀", "\u{feff}", "\u{301}", "\t", "\0", "-1", "1e999", "0x", "*", "//",
    "services",
];

/// Loads, and if it fails, checks what it says.
fn survives(source: &str) -> Result<(), TestCaseError> {
    let mistakes = match read(source) {
        Ok(manifest) => return nothing_is_lost(source, &manifest),
        Err(mistakes) => mistakes,
    };
    prop_assert!(mistakes.count() > 0);
    for span in mistakes.spans() {
        prop_assert!(span.start <= span.end && source.get(span.clone()).is_some(), "{:?}", span);
    }
    prop_assert!(mistakes.render(Colour::Never).starts_with("error: "));
    prop_assert!(mistakes.render(Colour::Always).contains("error"));
    Ok(())
}

/// Whatever could not be read must have been a mistake.
fn nothing_is_lost(source: &str, manifest: &Manifest) -> Result<(), TestCaseError> {
    let table = DeTable::parse(source).expect("it was just read");
    let entries = |name: &str| match table.get_ref().get(name).map(Spanned::get_ref) {
        Some(DeValue::Array(items)) => items.len(),
        Some(DeValue::Table(items)) => items.len(),
        _ => 0,
    };
    prop_assert_eq!(manifest.routes.len(), entries("routes"));
    prop_assert_eq!(manifest.services.len(), entries("services"));
    prop_assert_eq!(manifest.objectives.len(), entries("objectives"));
    prop_assert_eq!(manifest.databases.len(), entries("databases"));
    prop_assert_eq!(manifest.api_keys.len(), entries("api_keys"));
    prop_assert_eq!(manifest.auth.is_some(), table.get_ref().contains_key("auth"));
    let guards = manifest.routes.iter().map(|route| &route.guards);
    for guards in guards {
        prop_assert!(guards.auth != Credentials::None || guards.require == Require::default());
        prop_assert!(guards.limit.as_ref().is_none_or(|limit| limit.rate.is_finite() && limit.burst > 0));
    }
    prop_assert!(manifest.services.values().all(|service| !service.run.is_empty()));
    Ok(())
}

#[derive(Clone, Debug)]
enum Mutation {
    Insert(Index, &'static str),
    InsertAny(Index, char),
    Remove(Index, usize),
    /// Takes a line to another place.
    Move(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (any::<Index>(), any::<char>()).prop_map(|(at, c)| Mutation::InsertAny(at, c)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Move(from, to)),
    ]
}

fn mutate(source: &str, mutation: &Mutation) -> String {
    let mut chars: Vec<char> = source.chars().collect();
    let size = chars.len() + 1;
    match mutation {
        Mutation::Insert(at, piece) => {
            let at = at.index(size);
            chars.splice(at..at, piece.chars());
        }
        Mutation::InsertAny(at, c) => chars.insert(at.index(size), *c),
        Mutation::Remove(at, length) => {
            let at = at.index(size);
            let end = chars.len().min(at + length);
            chars.drain(at..end);
        }
        Mutation::Move(from, to) => {
            let mut lines: Vec<&str> = source.lines().collect();
            if !lines.is_empty() {
                let line = lines.remove(from.index(lines.len()));
                lines.insert(to.index(lines.len() + 1), line);
            }
            return lines.join("\n");
        }
    }
    chars.into_iter().collect()
}

#[test]
fn the_manifest_to_mutate_is_valid() {
    if let Err(mistakes) = read(VALID) {
        panic!("{mistakes}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(source in any::<String>()) {
        survives(&source)?;
    }

    #[test]
    fn arbitrary_pieces_do_not_panic(pieces in prop::collection::vec(select(&PIECES[..]), 0..60)) {
        survives(&pieces.concat())?;
    }

    #[test]
    fn mutated_manifests_do_not_panic(mutations in prop::collection::vec(mutation(), 1..6)) {
        let source = mutations.iter().fold(VALID.to_owned(), |source, mutation| mutate(&source, mutation));
        survives(&source)?;
    }

    #[test]
    fn arbitrary_values_do_not_panic(value in any::<String>(), key in any::<String>()) {
        let (value, key) = (serde_json::Value::from(value), serde_json::Value::from(key));
        survives(&format!(
            "{key} = 1\n[app]\nname = {value}\ndrain = {value}\n[services.{key}]\nrun = {value}\nenv = {{ {key} = {value} }}\n\
             [[routes]]\nmatch = {value}\nhost = {value}\nurl = {value}\nauth = {value}\nhosts = [{value}]\n\
             require = {{ claims = {{ {key} = {value} }} }}\nlimit = {{ rate = {value}, per = {value} }}\n\
             cors = {{ origins = [{value}], headers = [{value}] }}\nnetworks = {{ deny = [{value}] }}\n\
             security = {{ content = {value} }}\ncache = {{ ignore = [{value}] }}\nsticky = {{ cookie = {value} }}\n\
             [api_keys.{key}]\nhash = {value}\n[auth]\njwks = {{ url = {value} }}\n\
             [[auth.keys]]\nalgorithm = \"EdDSA\"\npublic = {value}\n[backends]\nredis = {value}\n"
        ))?;
    }
}
