//! `docs/manifest.md` against the grammar and the reader.

use super::read;
use crate::grammar::Kind;
use crate::grammar::sections::ROOT;
use crate::tests::coverage::{HASH, walk};

const PAGE: &str = include_str!("../../../../docs/manifest.md");

#[test]
fn the_example_of_the_objectives_page_is_valid() {
    let page = include_str!("../../../../docs/objectives.md");
    let example = page.split("\n```toml objective\n").nth(1).and_then(|rest| rest.split("\n```").next());
    if let Err(mistakes) = read(example.expect("it is there")) {
        panic!("{mistakes}");
    }
}

#[test]
fn the_examples_of_the_page_of_tasks_are_valid() {
    let page = include_str!("../../../../docs/tasks.md");
    let examples: Vec<&str> =
        page.split("\n```toml").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let source = example.trim_start_matches(" fragment");
        if let Err(mistakes) = read(source) {
            panic!("{mistakes}");
        }
    }
}

/// The text between a line that is exactly `open` and the end of its code block.
fn blocks(open: &str) -> Vec<&'static str> {
    let fence = format!("\n{open}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("\n```").next().unwrap_or(part)).collect()
}

#[test]
fn every_toml_block_is_valid() {
    let whole = blocks("```toml");
    assert!(whole.len() >= 2, "{} blocks", whole.len());
    for block in whole {
        if let Err(mistakes) = read(block) {
            panic!("{mistakes}");
        }
    }
    for block in blocks("```toml fragment") {
        if let Err(mistakes) = read(&completed(block)) {
            panic!("{mistakes}");
        }
    }
    assert_eq!(
        PAGE.matches("```toml").count(),
        blocks("```toml").len() + blocks("```toml fragment").len(),
        "a TOML block is marked in another way"
    );
}

/// A fragment leaves out what the page has declared before.
fn completed(fragment: &str) -> String {
    let before = [
        ("[services.api]", "run = \"./api\""),
        ("[databases.main]", ""),
        ("[topics.events]", ""),
        ("[queues.imports]", ""),
        ("[auth]", "jwks = { service = \"api\" }"),
        ("[api_keys.partner]", HASH),
    ];
    let missing = before.iter().filter(|(header, _)| !fragment.contains(header));
    missing.fold(fragment.to_owned(), |source, (header, body)| source + "\n" + header + "\n" + body + "\n")
}

#[test]
fn every_key_has_its_row_with_its_default() {
    // Each section has a heading of its own; its rows are below it.
    let mut missing = Vec::new();
    walk("", &ROOT, &mut |section, key| {
        let heading = match (section, &key.kind) {
            ("", Kind::List(_)) => format!("\n## `[[{}]]`", key.name),
            ("", Kind::Named(_)) => format!("\n## `[{}.NAME]`", key.name),
            ("", _) => format!("\n## `[{}]`", key.name),
            _ => {
                // What is in the tables of `[defaults]` is said where a route has the same ones.
                let title = section.replace('*', "NAME").replace("defaults.", "routes.");
                let start =
                    PAGE.find(&format!("# `[{title}]`")).or_else(|| PAGE.find(&format!("# `[[{title}]]`")));
                let text = start.map_or("", |start| &PAGE[start..]);
                let text = &text[..text.find("\n#").unwrap_or(text.len())];
                let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", key.name)));
                let default = key.default_text().unwrap_or_default();
                if !row.is_some_and(|row| row.contains(&default)) {
                    missing.push(format!("[{title}] {} = {default}", key.name));
                }
                return;
            }
        };
        if !PAGE.contains(&heading) {
            missing.push(heading);
        }
    });
    assert!(missing.is_empty(), "docs/manifest.md lacks {missing:#?}");
}

/// The page shows what mistakes look like; this is what they look like.
#[test]
fn the_error_output_shown_is_real() {
    let input = blocks("```text mare.toml");
    let output = blocks("```text output");
    assert_eq!((input.len(), output.len()), (1, 1));
    let mistakes = read(input[0]).expect_err("the example is of mistakes");
    assert_eq!(mistakes.to_string().trim_end(), output[0]);
}
