//! `docs/load-scenarios.md` against the grammar and the reader.

use mare_manifest::grammar::{Key, Kind};

use super::super::grammar::SCENARIO;
use super::read;

const PAGE: &str = include_str!("../../../../../docs/load-scenarios.md");

/// The text between a line that is exactly `open` and the end of its code block.
fn blocks(open: &str) -> Vec<&'static str> {
    let fence = format!("\n{open}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("\n```").next().unwrap_or(part)).collect()
}

/// Visits every key with the heading its row is below.
fn walk(heading: &str, keys: &'static [Key], visit: &mut impl FnMut(&str, &'static Key)) {
    for key in keys {
        visit(heading, key);
        let below = match (&key.kind, heading) {
            // The same keys as the steps of a flow.
            (Kind::List(_), _) if key.name == "setup" => continue,
            (Kind::Named(_), _) => format!("# `[{}.NAME]`", key.name),
            (Kind::List(_), _) if key.name == "steps" => "# `[[flows.steps]]`".to_owned(),
            (Kind::List(_), _) => format!("# `[[{}]]`", key.name),
            (Kind::Table(_), "## At the top") => format!("# `[{}]`", key.name),
            _ => format!("# `{}`", key.name),
        };
        walk(&below, key.keys(), visit);
    }
}

#[test]
fn every_toml_block_is_valid() {
    let blocks = blocks("```toml");
    assert_eq!(PAGE.matches("```toml").count(), blocks.len());
    assert!(blocks.len() >= 4);
    for block in blocks {
        if let Err(mistakes) = read(block) {
            panic!("{mistakes}");
        }
    }
}

#[test]
fn every_key_has_its_row_with_its_default() {
    let mut missing = Vec::new();
    walk("## At the top", SCENARIO.root, &mut |heading, key| {
        let start = PAGE.find(heading).unwrap_or_else(|| panic!("{heading} is missing"));
        let text = &PAGE[start + 2..];
        let text = &text[..text.find("\n#").unwrap_or(text.len())];
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", key.name)));
        let default = key.default_text().unwrap_or_default();
        if !row.is_some_and(|row| row.contains(&default)) {
            missing.push(format!("{heading} {} = {default}", key.name));
        }
    });
    assert!(missing.is_empty(), "docs/load-scenarios.md lacks {missing:#?}");
}

#[test]
fn every_example_of_the_grammar_is_a_value() {
    walk("## At the top", SCENARIO.root, &mut |heading, key| {
        let line = format!("{} = {}", key.name, key.example);
        assert!(toml::de::DeTable::parse(&line).is_ok(), "{heading} {line}");
    });
}

#[test]
fn the_error_output_shown_is_real() {
    let (input, output) = (blocks("```text scenario"), blocks("```text output"));
    let mistakes = read(input[0]).expect_err("the example is of mistakes");
    assert_eq!(mistakes.to_string().trim_end(), output[0]);
}
